"""Networks by name: what a bundle's manifest may ask for, and nothing else.

A new family of healers is one file beside this one and one entry in `NETWORKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from PETAnomalyLib.engine.errors import BundleError
from PETAnomalyLib.engine.networks.autoencoder import AutoencoderSizes, DenseAutoencoder
from PETAnomalyLib.engine.networks.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.networks.vqgan import VQGAN, VQGANSizes

NETWORKS: Mapping[str, tuple[type[nn.Module], type]] = {
    "vqgan": (VQGAN, VQGANSizes),
    "performer": (Performer, PerformerSizes),
    "autoencoder-dense": (DenseAutoencoder, AutoencoderSizes),
}


def build_network(name: str, sizes: Mapping[str, Any]) -> nn.Module:
    """The network `name` at `sizes` (the fields of its dataclass), weights still random.

    Raises:
        BundleError: an unknown name, or sizes that do not fit it.
    """
    if name not in NETWORKS:
        raise BundleError(
            f"unknown network '{name}'", f"this version knows {', '.join(sorted(NETWORKS))}"
        )
    network, sizes_type = NETWORKS[name]
    known = {field.name for field in fields(sizes_type)}
    unknown = sorted(set(sizes) - known)
    if unknown:
        raise BundleError(f"network '{name}' has no size named '{unknown[0]}'")
    try:
        return network(
            sizes_type(**{k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()})
        )
    except TypeError as error:
        raise BundleError(f"network '{name}': {error}") from error


def load_weights(network: nn.Module, path: Path) -> nn.Module:
    """Fill `network` from a safetensors file and put it into evaluation mode.

    Raises:
        BundleError: the file is damaged, or its tensors are not this network's.
    """
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise BundleError(
            f"the weights in {path} do not fit the network that the manifest describes: {error}",
            "download the bundle again, or run 'petanomaly models verify' on its folder",
        ) from error
    return network.eval()

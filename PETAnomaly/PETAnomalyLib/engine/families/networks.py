"""A bundle's networks, and its healer: of the kinds that its family names, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES, NetworkKind
from PETAnomalyLib.engine.families.healer import Healer
from PETAnomalyLib.engine.runtime.errors import BundleError


def build_network(kind: NetworkKind, sizes: Mapping[str, Any]) -> nn.Module:
    """A network at `sizes` (the fields of its dataclass), weights still random.

    Raises:
        BundleError: sizes that do not fit it.
    """
    network, sizes_type = kind.architecture()
    unknown = sorted(set(sizes) - set(kind.sizes))
    if unknown:
        raise BundleError(f"{network.__name__} has no size named '{unknown[0]}'")
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in sizes.items()}
    try:
        return network(sizes_type(**values))  # type: ignore[no-any-return]  # a network's class
    except TypeError as error:
        raise BundleError(f"{network.__name__}: {error}") from error


def load_weights(network: nn.Module, path: Path) -> nn.Module:
    """Fill `network` from a safetensors file and put it into evaluation mode.

    The file may store them in half precision; the network keeps its own.

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


def build_healer(bundle: Bundle, device: torch.device) -> Healer:
    """The bundle's healer with its weights loaded, on `device`.

    Raises:
        BundleError: weights that do not fit what the manifest describes.
    """
    family = FAMILIES[bundle.healer["family"]]
    networks = {
        name: load_weights(build_network(family.networks[name], bundle.healer[name]), path)
        for name, path in bundle.weights.items()
    }
    return family.healer()(networks, device)  # type: ignore[no-any-return]  # a healer's class

"""The family `autoencoder-dense` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, Size, Sizes, register


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.dense_autoencoder import network

    return network.DenseAutoencoder, network.AutoencoderSizes


def _healer() -> Any:
    from PETAnomalyLib.engine.families.dense_autoencoder.healer import DenseAutoencoderHealer

    return DenseAutoencoderHealer


def _stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.dense_autoencoder.train import stage

    return stage(family)


def _least_parameters(sizes: Sizes) -> int:
    channels = [1, *sizes["channels"]]
    stride = 2 ** len(sizes["channels"])
    cells = channels[-1]
    for n in sizes["size"]:
        cells *= n // stride
    strided = sum(4**3 * a * b for a, b in zip(channels[:-1], channels[1:]))
    return int(2 * (strided + cells * sizes["bottleneck"]))


def _misfit(networks: Mapping[str, Sizes], size: tuple[int, ...]) -> tuple[str, str] | None:
    autoencoder = networks["autoencoder"]
    if tuple(autoencoder["size"]) != size:
        return "autoencoder.size", f"is {autoencoder['size']}; the frame has {list(size)} voxels"
    return None


AUTOENCODER = NetworkKind(
    {
        "size": Size(1, 1024, length=(3, 3)),
        "channels": Size(1, 4096, length=(1, 6)),
        "bottleneck": Size(1, 65536),
    },
    _least_parameters,
    _architecture,
)

FAMILY = Family(
    name="autoencoder-dense",
    networks={"autoencoder": AUTOENCODER},
    whole_study="autoencoder",
    gives_many_reconstructions=False,
    healer=_healer,
    misfit=_misfit,
    stages={"autoencoder": _stage},
)

register(FAMILY)

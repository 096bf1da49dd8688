"""The family `vqvae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.unified_cnn_sizes import CONVOLUTIONS


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.vqvae import network

    return network.ResidualVQVAE, network.ResidualVQVAESizes


def _least_parameters(sizes: Sizes) -> int:
    channels = [1, *sizes["channels"]]
    last = channels[-1]
    strided = sum(2 * 25 * before * after for before, after in pairwise(channels))
    residual = 2 * sizes["residual_blocks"] * 10 * last * sizes["residual_channels"]
    between = 9 * last * last + 10 * last * sizes["code_length"]
    return int(strided + residual + between + sizes["codebook"] * sizes["code_length"])


SIZES = {
    **CONVOLUTIONS,
    "residual_blocks": Size(0, 16),
    "residual_channels": Size(1, 1024),
    "codebook": Size(2, 65536),
    "code_length": Size(1, 4096),
}

FAMILY = slice_family("vqvae", NetworkKind(SIZES, _least_parameters, _architecture))

register(FAMILY)

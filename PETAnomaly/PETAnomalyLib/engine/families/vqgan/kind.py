"""The family `vqgan` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

import math
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families.slice_family import PLANE, Misfit, slice_family

_MOST_CELLS = 1 << 14
"""Of the coarsest grid: a non-local block takes their number squared. Paper 3 has 20."""


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.vqgan import network

    return network.SliceVQGAN, network.SliceVQGANSizes


def _stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.vqgan.train import stage

    return stage(family)


def _least_parameters(sizes: Sizes) -> int:
    """Weights of the residual and the non-local blocks, and of the 5 x 5 convolutions."""
    channels, blocks = sizes["channels"], sizes["residual_blocks"]
    finest, coarsest = channels[0], channels[-1]
    residual = sum((2 * blocks + 1) * 2 * 9 * c * c for c in channels) // 2
    resampled = 9 * 2 * sum(c * c for c in channels[1:]) // 4
    around_code = 4 * 2 * 9 * coarsest**2 + 2 * 9 * coarsest * sizes["code_length"]
    last = (3 * 25 + 16) * finest**2
    return int(residual + resampled + around_code + last + sizes["codebook"] * sizes["code_length"])


def _misfit(sizes: Sizes) -> Misfit:
    stride = 1 << (len(sizes["channels"]) - 1)
    if min(sizes["size"]) < stride:
        return "channels", f"halve a slice of {sizes['size']} voxels until nothing is left"
    cells = math.prod(n // stride + 1 for n in sizes["size"])
    if cells > _MOST_CELLS:
        return "channels", f"leave {cells} cells of a slice, more than {_MOST_CELLS}"
    return None


SIZES = {
    **PLANE,
    "channels": Size(1, 1024, length=(2, 5)),  # of more levels the last convolutions miss a rest
    "residual_blocks": Size(1, 16),
    "codebook": Size(2, 65536),
    "code_length": Size(1, 4096),
}

FAMILY = slice_family(
    "vqgan",
    NetworkKind(SIZES, _least_parameters, _architecture),
    misfit=_misfit,
    stages={"slice-vqgan": _stage},  # `vqgan` is the stage of the family vqgan-performer
)

register(FAMILY)

"""The family `ano-swinmae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families.slice_family import PLANE, Misfit, slice_family
from PETAnomalyLib.engine.families.transformer_sizes import layer_parameters

_MOST_TOKENS = 1 << 16  # of a slice, with what is filled up to whole windows
_MOST_POSITIONS = 1 << 10  # of the mask


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.ano_swinmae import network

    return network.AnoSwinMAE, network.AnoSwinMAESizes


def _healer() -> Any:
    from PETAnomalyLib.engine.families.ano_swinmae.healer import SlidingMaskHealer

    return SlidingMaskHealer


def _stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.ano_swinmae.train import stage

    return stage(family)


def _least_parameters(sizes: Sizes) -> int:
    """Matrices and relative places of the blocks, and what merges and expands between levels.

    The coarsest level's blocks are there once, all others' in encoder and decoder.
    """
    widths = [sizes["width"] << n for n in range(len(sizes["depths"]))]
    relative = (2 * sizes["window"] - 1) ** 2
    blocks = [
        depth * (layer_parameters(width) + relative * heads)
        for width, depth, heads in zip(widths, sizes["depths"], sizes["heads"])
    ]
    between = sum(16 * width**2 for width in widths[:-1])
    return int(2 * sum(blocks[:-1]) + blocks[-1] + between)


def _misfit(sizes: Sizes) -> Misfit:
    return _misfit_of_levels(sizes) or _misfit_of_mask(sizes)


def _misfit_of_levels(sizes: Sizes) -> Misfit:
    levels = len(sizes["depths"])
    if len(sizes["heads"]) != levels:
        return "heads", f"has {len(sizes['heads'])} levels; depths has {levels}"
    for n, heads in enumerate(sizes["heads"]):
        if (sizes["width"] << n) % heads:
            return "heads", f"has {heads}, which does not divide the width of {sizes['width'] << n}"
    edge = sizes["patch"] * sizes["window"] << (levels - 1)
    rows, columns = (-(-n // edge) * edge // sizes["patch"] for n in sizes["size"])
    if rows * columns > _MOST_TOKENS:
        return "patch", f"makes {rows * columns} tokens of a slice, more than {_MOST_TOKENS}"
    return None


def _misfit_of_mask(sizes: Sizes) -> Misfit:
    patch, mask, slice_edge = sizes["patch"], sizes["mask"], min(sizes["size"])
    if sizes["hidden_patches"] * patch >= slice_edge:
        return "hidden_patches", "are as large as the slice: nothing would be left to see"
    if mask % patch:
        return "mask", f"is {mask}, no multiple of the patch of {patch}"
    if mask >= slice_edge:
        return "mask", "is as large as the slice: nothing would be left to see"
    rows, columns = (-(-n // mask) for n in sizes["size"])
    if rows * columns > _MOST_POSITIONS:
        return "mask", f"has {rows * columns} positions in a slice, more than {_MOST_POSITIONS}"
    return None


SIZES = {
    **PLANE,
    "patch": Size(1, 64),
    "width": Size(1, 1024),
    "depths": Size(1, 32, length=(2, 5)),
    "heads": Size(1, 64, length=(2, 5)),
    "window": Size(2, 32),
    "hidden_patches": Size(1, 64),
    "masked_percent": Size(1, 99),
    "mask": Size(1, 512),
}

FAMILY = replace(
    slice_family(
        "ano-swinmae",
        NetworkKind(SIZES, _least_parameters, _architecture, of_healing=("mask",)),
        misfit=_misfit,
        stages={"ano-swinmae": _stage},
    ),
    healer=_healer,
)

register(FAMILY)

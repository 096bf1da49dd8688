"""Sizes of the transformers that see a slice as patches, for the registry. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from PETAnomalyLib.engine.bundles.kinds import Size, Sizes
from PETAnomalyLib.engine.families.slice_family import PLANE, Misfit

FEEDFORWARD = 4
"""Times a token's width: what is between the two matrices behind each attention."""

_MOST_TOKENS = 1 << 14
"""Of a slice: attention takes their number squared. Paper 2 has 4,096 at most."""

PATCHES: Mapping[str, Size] = {
    **PLANE,
    "patch": Size(1, 64),
    "width": Size(1, 4096),
    "layers": Size(1, 64),
    "heads": Size(1, 64),
}
"""Of all of them."""


def layer_parameters(width: int) -> int:
    """Weights of the matrices of one layer: attention's four, and two of the feed-forward."""
    return (4 + 2 * FEEDFORWARD) * width * width


def least_parameters(sizes: Sizes) -> int:
    """Of layers that all have one width, and of the tokens' places."""
    rows, columns = (-(-n // sizes["patch"]) for n in sizes["size"])
    of_layers = sizes["layers"] * layer_parameters(sizes["width"])
    return int(of_layers + rows * columns * sizes["width"])


def misfit(sizes: Sizes) -> Misfit:
    """Heads share a token's width evenly, and a slice has no more tokens than can be attended."""
    rows, columns = (-(-n // sizes["patch"]) for n in sizes["size"])
    if rows * columns > _MOST_TOKENS:
        return "patch", f"makes {rows * columns} tokens of a slice, more than {_MOST_TOKENS}"
    if sizes["width"] % sizes["heads"]:
        return "heads", f"is {sizes['heads']}, which does not divide the width of {sizes['width']}"
    return None


def misfit_in_halves(sizes: Sizes) -> Misfit:
    """The same, and half of the layers stand before the bottleneck, half behind it."""
    if sizes["layers"] % 2:
        return "layers", f"is {sizes['layers']}; half of them stand behind the bottleneck"
    return misfit(sizes)

"""Sizes of the unified convolutional autoencoder, for the registry. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from PETAnomalyLib.engine.bundles.kinds import Size, Sizes
from PETAnomalyLib.engine.families.slice_family import PLANE

_KERNEL = 5 * 5

CONVOLUTIONS: Mapping[str, Size] = {**PLANE, "channels": Size(1, 1024, length=(1, 6))}
"""Of all models on it."""

NARROWED: Mapping[str, Size] = {**CONVOLUTIONS, "narrow": Size(1, 4096)}
"""Of those whose bottleneck begins with a 1 x 1 convolution."""

DENSE: Mapping[str, Size] = {**NARROWED, "code": Size(1, 65536)}
"""Of those whose bottleneck is one code of that length."""


def least_parameters(sizes: Sizes) -> int:
    """Weights of the strided convolutions down and up, and of a dense code's two matrices."""
    channels = sizes["channels"]
    down = sum(_KERNEL * a * b for a, b in pairwise((1, *channels)))
    upward = (channels[-1], *sizes["upward"]) if "upward" in sizes else channels
    up = sum(_KERNEL * a * b for a, b in pairwise(upward))
    stride = 2 ** len(channels)
    rows, columns = (-(-n // stride) for n in sizes["size"])
    cells = rows * columns * sizes.get("narrow", 0)
    return int(down + up + 2 * cells * sizes.get("code", 0))

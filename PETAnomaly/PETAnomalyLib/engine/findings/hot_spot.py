"""A finding that a reader points at: the hottest voxel nearby, and its contour.

NumPy only: this file runs inside Slicer.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.components import unpadded
from PETAnomalyLib.engine.findings.growing import THE_GUARD, GrowthLimits, contour_round

NEARBY_MM = 10.0

Index = tuple[int, int, int]


def hottest_near(
    pet: NDArray[Any], spacing: tuple[float, ...], point: tuple[float, ...]
) -> Index | None:
    """The hottest voxel whose centre lies within `NEARBY_MM` of a point.

    Args:
        pet: SUV (k, j, i).
        spacing: mm along k, j, i.
        point: (k, j, i), between voxels too.

    Returns:
        Its index (k, j, i); of several the first. None where no voxel is so near.
    """
    low = [max(0, math.ceil(p - NEARBY_MM / s)) for p, s in zip(point, spacing)]
    high = [min(n, math.floor(p + NEARBY_MM / s) + 1) for p, s, n in zip(point, spacing, pet.shape)]
    if any(b <= a for a, b in zip(low, high)):
        return None
    axes = [(np.arange(a, b) - p) * s for a, b, p, s in zip(low, high, point, spacing)]
    squares = [axis**2 for axis in axes]
    distance2 = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
    box = pet[tuple(slice(a, b) for a, b in zip(low, high))]
    near = np.where(distance2 <= NEARBY_MM**2, box, -np.inf)
    if not np.isfinite(near).any():
        return None
    k, j, i = np.unravel_index(int(np.argmax(near)), near.shape)
    return int(k) + low[0], int(j) + low[1], int(i) + low[2]


def spot_contour(
    pet: NDArray[Any],
    spacing: tuple[float, ...],
    hottest: Index,
    bound: float,
    limits: GrowthLimits = THE_GUARD,
) -> tuple[NDArray[np.bool_], Index] | None:
    """The connected voxels with SUV >= bound round a voxel.

    Args:
        pet: SUV (k, j, i).
        spacing: mm along k, j, i.
        hottest: (k, j, i), reaching the bound itself.
        bound: g/ml.
        limits: the guard against leaking into a hot organ, as in a run.

    Returns:
        A mask (k, j, i) and the index of its first voxel; None where the guard strikes.
    """
    positions = contour_round(pet, spacing, hottest, bound, limits)
    if positions is None:
        return None
    kji = unpadded(positions, pet.shape)
    start = (int(kji[0].min()), int(kji[1].min()), int(kji[2].min()))
    mask = np.zeros([int(axis.max()) - first + 1 for axis, first in zip(kji, start)], bool)
    mask[tuple(axis - first for axis, first in zip(kji, start))] = True
    return mask, start

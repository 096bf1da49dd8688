"""One finding made two: the watershed between its two most separate hot spots.

NumPy and SciPy only: this file runs inside Slicer.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.findings.components import NEIGHBOURS_26

MOST_PEAKS = 64  # hottest local maxima that are looked at
HALVINGS = 16  # of the interval that holds the saddle: 1/65536 of the SUVmax


def split(mask: NDArray[np.bool_], suv: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Part a finding between its hottest voxel and the most prominent other local maximum.

    A maximum's prominence is its SUV less that of the saddle: the highest level at which it is
    still connected with the hottest voxel, in the 26-neighbourhood.

    Args:
        mask: (k, j, i), the finding.
        suv: (k, j, i), SUV on the same voxels.

    Returns:
        (k, j, i): 1 round the hottest voxel, 2 round the other, 0 outside; None where there is one
        maximum only.
    """
    inside = np.where(mask, suv, -np.inf).astype(np.float64)
    peaks = np.argwhere(mask & (inside == ndimage.maximum_filter(inside, footprint=NEIGHBOURS_26)))
    height = inside[tuple(peaks.T)]
    peaks = peaks[np.argsort(-height, kind="stable")][:MOST_PEAKS]
    first = tuple(peaks[0])
    prominence = [inside[tuple(peak)] - _saddle(inside, first, tuple(peak)) for peak in peaks[1:]]
    if not prominence or max(prominence) <= 0.0:
        return None
    second = tuple(peaks[1 + int(np.argmax(prominence))])
    return _flood(mask, inside, first, second)


def _flood(
    mask: NDArray[np.bool_], inside: NDArray[np.float64], first: tuple, second: tuple
) -> NDArray[np.uint8]:
    """Both basins rise from their maxima, the hottest voxel first, until all is taken (Meyer,
    Signal Processing 1994;38:113). What neither reaches is the first one's.
    """
    parts = np.pad(mask.astype(np.uint8), 1)  # 1: in the first, or not taken yet
    free = np.pad(mask, 1).reshape(-1)
    values, labels = np.pad(inside, 1).reshape(-1), parts.reshape(-1)
    middle = np.ravel_multi_index((1, 1, 1), parts.shape)
    steps = [
        int(np.ravel_multi_index(place, parts.shape)) - int(middle)
        for place in np.ndindex(3, 3, 3)
        if place != (1, 1, 1)
    ]
    queue: list[tuple[float, int, int]] = []
    for number, voxel in enumerate((first, second)):
        position = int(np.ravel_multi_index([axis + 1 for axis in voxel], parts.shape))
        free[position], labels[position] = False, number + 1
        heapq.heappush(queue, (-values[position], number, position))
    order = 2
    while queue:
        _value, _order, position = heapq.heappop(queue)
        for step in steps:
            other = position + step
            if free[other]:
                free[other], labels[other] = False, labels[position]
                heapq.heappush(queue, (-values[other], order, other))
                order += 1
    return parts[1:-1, 1:-1, 1:-1]


def _saddle(inside: NDArray[np.float64], one: tuple, other: tuple) -> float:
    """The highest level at which two voxels are connected; -inf where they never are."""
    low, high = float(inside[np.isfinite(inside)].min()), float(min(inside[one], inside[other]))
    if not _connected(inside >= low, one, other):
        return -np.inf
    if _connected(inside >= high, one, other):
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if _connected(inside >= middle, one, other):
            low = middle
        else:
            high = middle
    return low


def _connected(above: NDArray[np.bool_], one: tuple, other: tuple) -> bool:
    labels, _count = ndimage.label(above, NEIGHBOURS_26)
    return bool(labels[one] == labels[other])

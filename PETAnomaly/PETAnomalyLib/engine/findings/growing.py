"""Where growing stops: a seed's contour at a fraction of its SUVmax, and the guard against leaks.

A seed says where; the uptake itself says how far: the seed becomes the voxels with
`SUV >= fraction * (the seed's SUVmax)` that are 26-connected to it (DESIGN section 3; the fixed
40 % contour is paper 1's).

The guard. Beside a hot organ the 40 % contour of a weak seed runs through the bladder, the heart
or the whole trunk. A contour that leaves the box round its seed, widened by
`GrowthLimits.distance_mm`, or encloses more than `GrowthLimits.volume_ml` and
`GrowthLimits.seed_volumes` times the volume of the seed on top, is not the contour of this seed.
The seed is then not grown at all: the finding keeps those voxels of it that reach the fraction, as
the map drew it. A bound that clips instead would hand back a ball cut out of the organ, with an MTV
that means nothing. Seeds are grown from the coldest to the hottest; one that lies within the
contour of a colder one is part of that finding and needs no bound of its own.

Growing happens in boxes that widen only as far as the contour does. ITK's ConnectedThreshold, which
knows no guard, fills each seed's contour in 2 to 9 times the seconds of growing without the guard,
and in 7 to 37 times those of growing with it (Testing/benchmarks/bench_growing.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.findings.components import (
    NEIGHBOURS_26,
    Flat,
    components,
    padded_shape,
    unpadded,
)

FIRST_MARGIN = 4  # voxels round a seed in the first try: most 40 % contours end within them
WIDENING = 3  # a leak is met in the second box, which it fills beyond the volume bound


@dataclass(frozen=True)
class GrowthLimits:
    """How far a contour may run from its seed before it counts as leaked.

    Attributes:
        distance_mm: beyond the seed's bounding box, along each image axis; `math.inf` for no bound.
        volume_ml: volume that any contour may enclose; `math.inf` for no bound.
        seed_volumes: allowed on top of that, in volumes of the contour's own seed.
    """

    distance_mm: float = 60.0
    volume_ml: float = 60.0
    seed_volumes: float = 8.0


THE_GUARD = GrowthLimits()
UNLIMITED = GrowthLimits(math.inf, math.inf, 0.0)


@dataclass(frozen=True)
class Seed:
    """One component of the map above its threshold."""

    voxels: Flat  # padded flat positions
    suv_max: np.float32
    low: tuple[int, int, int]  # first (k, j, i)
    high: tuple[int, int, int]  # last (k, j, i)


def find_seeds(above: NDArray[np.bool_], pet: NDArray[np.float32]) -> list[Seed]:
    """The components of a padded mask, the coldest SUVmax first; `pet` is SUV (k, j, i)."""
    voxels, labels, count = components(above)
    order = np.argsort(labels, kind="stable")
    voxels = voxels[order]
    starts = np.searchsorted(labels[order], np.arange(count + 1))
    seeds = []
    if count:
        k, j, i = unpadded(voxels, pet.shape)
        suv_max = np.maximum.reduceat(pet[k, j, i], starts[:-1])
        low = [np.minimum.reduceat(axis, starts[:-1]) for axis in (k, j, i)]
        high = [np.maximum.reduceat(axis, starts[:-1]) for axis in (k, j, i)]
        seeds = [
            Seed(
                voxels[starts[n] : starts[n + 1]],
                suv_max[n],
                (int(low[0][n]), int(low[1][n]), int(low[2][n])),
                (int(high[0][n]), int(high[1][n]), int(high[2][n])),
            )
            for n in range(count)
        ]
    return sorted(seeds, key=lambda seed: float(seed.suv_max))


def grow_seeds(
    seeds: list[Seed],
    pet: NDArray[np.float32],
    spacing: tuple[float, ...],
    fraction: np.float32,
    limits: GrowthLimits,
) -> tuple[NDArray[np.bool_], Flat]:
    """All contours in one padded mask, and the voxels of seeds that the guard held back.

    The contour of a hotter seed that starts inside the contour of a colder one cannot leave it:
    its bound is higher. So, coldest first, what already lies in a contour needs no work.

    Args:
        seeds: the coldest first, from `find_seeds`.
        pet: SUV (k, j, i).
        spacing: mm along k, j, i.
        fraction: of a seed's SUVmax, down to which its contour reaches.
        limits: the guard.
    """
    drawn = np.zeros(padded_shape(pet.shape), bool)
    flat_drawn = drawn.reshape(-1)
    held_back = []
    for seed in seeds:
        bound = fraction * seed.suv_max
        core = seed.voxels[pet[unpadded(seed.voxels, pet.shape)] >= bound]
        core = core[~flat_drawn[core]]
        if not core.size:
            continue
        contour = _contour(seed, core, pet, spacing, bound, limits)
        if contour is None:
            held_back.append(core)
        else:
            flat_drawn[contour] = True
    if not held_back:
        return drawn, np.empty(0, np.int64)
    voxels = np.concatenate(held_back)
    flat_drawn[voxels] = True
    return drawn, voxels


def contour_round(
    pet: NDArray[Any],
    spacing: tuple[float, ...],
    voxel: tuple[int, int, int],
    bound: float,
    limits: GrowthLimits = THE_GUARD,
) -> Flat | None:
    """Padded positions of SUV >= bound connected to one voxel, or None where the guard strikes.

    Args:
        pet: SUV (k, j, i).
        spacing: mm along k, j, i.
        voxel: (k, j, i); its SUV reaches the bound.
        bound: g/ml.
        limits: the guard.
    """
    position = np.array([np.ravel_multi_index(voxel, padded_shape(pet.shape))])
    seed = Seed(position, np.float32(pet[voxel]), voxel, voxel)
    return _contour(seed, position, pet, spacing, np.float32(bound), limits)


def _contour(
    seed: Seed,
    core: Flat,
    pet: NDArray[np.float32],
    spacing: tuple[float, ...],
    bound: np.float32,
    limits: GrowthLimits,
) -> Flat | None:
    """Padded positions of SUV >= bound connected to `core`, or None where the guard strikes."""
    shape = pet.shape
    voxel_ml = math.prod(spacing) / 1000.0
    most_ml = limits.volume_ml + limits.seed_volumes * seed.voxels.size * voxel_ml
    reach = [
        min(shape[axis], math.floor(min(limits.distance_mm / spacing[axis], 1e9)))
        for axis in range(3)
    ]
    core_kji = unpadded(core, shape)
    margin = FIRST_MARGIN
    while True:
        # One voxel past the reach, so that a contour which goes beyond it is seen to do so.
        low = [max(0, seed.low[a] - min(margin, reach[a] + 1)) for a in range(3)]
        high = [min(shape[a] - 1, seed.high[a] + min(margin, reach[a] + 1)) for a in range(3)]
        box = tuple(slice(low[a], high[a] + 1) for a in range(3))
        labels, count = ndimage.label(pet[box] >= bound, NEIGHBOURS_26)
        own = np.zeros(count + 1, bool)
        own[labels[tuple(core_kji[a] - low[a] for a in range(3))]] = True
        size = int(np.bincount(labels.reshape(-1), minlength=count + 1)[own].sum())
        if size * voxel_ml > most_ml:
            return None
        kji = [position + low[a] for a, position in enumerate(np.nonzero(own[labels]))]
        first = [int(kji[a].min()) for a in range(3)]
        last = [int(kji[a].max()) for a in range(3)]
        if any(
            first[a] < seed.low[a] - reach[a] or last[a] > seed.high[a] + reach[a] for a in range(3)
        ):
            return None
        cut = any((first[a] == low[a] > 0) or (last[a] == high[a] < shape[a] - 1) for a in range(3))
        if not cut:
            return np.ravel_multi_index(tuple(kji), padded_shape(shape))
        margin *= WIDENING

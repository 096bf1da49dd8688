"""From an anomaly map to findings: threshold, grow each seed to 40 % of its SUVmax, merge.

A *seed* is a 26-connected component of `score > threshold` inside the model's field of view. A seed
says where; the uptake itself says how far: the seed becomes the voxels with
`SUV >= fraction * (the seed's SUVmax)` that are 26-connected to it. Contours that overlap or touch
in the 26-neighbourhood become one finding (DESIGN section 3; the fixed 40 % contour is paper 1's).

The guard. Beside a hot organ the 40 % contour of a weak seed runs through the bladder, the heart
or the whole trunk. A contour that leaves the box round its seed, widened by
`GrowthLimits.distance_mm`, or encloses more than `GrowthLimits.volume_ml` and
`GrowthLimits.seed_volumes` times the volume of the seed on top, is not the contour of this seed.
The seed is then not grown at all: the finding keeps those voxels of it that reach the fraction, as
the map drew it, and is marked `growth_limited`, and so is every finding that it is part of. A bound
that clips instead would hand back a ball cut out of the organ, with an MTV that means nothing.
Seeds are grown from the coldest to the hottest; one that lies within the contour of a colder one is
part of that finding and needs no bound of its own.

Arithmetic. SUV, score, threshold and fraction are compared in float32, the precision of the images:
`pet >= np.float32(fraction) * pet[seed].max()` and `score > np.float32(threshold)`.

Speed. Voxels of interest are few, so nothing walks the volume more than a few times: components are
found on runs of voxels, growing happens in boxes that widen only as far as the contour does. The
panel moves a slider over this: `Delineator` holds what is prepared once, `at` is cheap.

NumPy, SciPy and SimpleITK only: this file runs inside Slicer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from PETAnomalyLib.engine.runtime.errors import InputError

FIRST_MARGIN = 4  # voxels round a seed in the first try: most 40 % contours end within them
WIDENING = 3  # a leak is met in the second box, which it fills beyond the volume bound
NEIGHBOURS_26 = np.ones((3, 3, 3), bool)
MOST_FINDINGS = np.iinfo(np.uint16).max

Flat = NDArray[np.int64]


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


UNLIMITED = GrowthLimits(math.inf, math.inf, 0.0)


@dataclass(frozen=True)
class Delineation:
    """Findings drawn on the PET's grid.

    Attributes:
        labels: uint16 image; 0 is background, 1 the finding with the highest score, and so on
            (ties: the larger first, then the one that comes first in the array).
        growth_limited: for labels 1, 2, ... whether a contour in it was held back by the guard.
    """

    labels: sitk.Image
    growth_limited: tuple[bool, ...]


@dataclass(frozen=True)
class _Seed:
    voxels: Flat  # padded flat positions
    suv_max: np.float32
    low: tuple[int, int, int]  # first (k, j, i)
    high: tuple[int, int, int]  # last (k, j, i)


class Delineator:
    """One study, prepared once, drawn at any threshold.

    Args:
        score: anomaly map, larger is more anomalous, on the PET's grid.
        pet: SUVbw (g/ml).
        scored_mask: non-zero where the map is valid; None means everywhere. Only seeds are held to
            it: uptake is real outside the model's view as well, so a contour may leave it.

    Raises:
        InputError: grids that differ, a map or PET that is not 3-D or holds NaN or infinity.

    Example:
        delineator = Delineator(kde, pet, scored)
        findings = delineator.at(3.0)                  # paper 1: 40 % contours
        seeds = delineator.at(2.5, grow=None)          # the map's own contour
    """

    def __init__(
        self, score: sitk.Image, pet: sitk.Image, scored_mask: sitk.Image | None = None
    ) -> None:
        _require_same_grid(score, pet, "anomaly map")
        self._grid = pet
        self._score_image = _as_float32(score)  # kept: the arrays below are views of these
        self._pet_image = _as_float32(pet)
        self._score = sitk.GetArrayViewFromImage(self._score_image)
        self._pet = sitk.GetArrayViewFromImage(self._pet_image)
        _require_finite(self._score, "anomaly map")
        _require_finite(self._pet, "PET")
        self._scored: NDArray[np.bool_] | None = None
        if scored_mask is not None:
            _require_same_grid(scored_mask, pet, "scored mask")
            self._scored = sitk.GetArrayViewFromImage(scored_mask) != 0
        self._spacing = tuple(reversed(pet.GetSpacing()))  # (k, j, i), mm
        self._voxel_ml = math.prod(self._spacing) / 1000.0

    def at(
        self,
        threshold: float,
        grow: float | None = 0.4,
        min_volume_ml: float = 0.0,
        limits: GrowthLimits = GrowthLimits(),
    ) -> Delineation:
        """Draw the findings at a threshold; see the module's description.

        Args:
            threshold: in the map's unit; seeds lie strictly above it.
            grow: fraction of the seed's SUVmax, 0 < grow <= 1; None or 0 keeps the seeds.
            min_volume_ml: smaller findings are left out, after growing and merging.
            limits: the guard; `UNLIMITED` for none.

        Raises:
            InputError: a setting out of range, or more than 65,535 findings.
        """
        _check_settings(threshold, grow, min_volume_ml)
        above = _padded(self._score > np.float32(threshold))
        if self._scored is not None:
            above[:, :-1, :-1] &= self._scored
        drawn, held_back = above, np.empty(0, np.int64)
        if grow:
            seeds = self._seeds(above)
            drawn, held_back = self._grow(seeds, np.float32(grow), limits)
        return self._number(drawn, held_back, min_volume_ml)

    def _seeds(self, above: NDArray[np.bool_]) -> list[_Seed]:
        """The components of a padded mask, the coldest SUVmax first."""
        voxels, labels, count = _components(above)
        order = np.argsort(labels, kind="stable")
        voxels = voxels[order]
        starts = np.searchsorted(labels[order], np.arange(count + 1))
        seeds = []
        if count:
            k, j, i = self._unpadded(voxels)
            suv_max = np.maximum.reduceat(self._pet[k, j, i], starts[:-1])
            low = [np.minimum.reduceat(axis, starts[:-1]) for axis in (k, j, i)]
            high = [np.maximum.reduceat(axis, starts[:-1]) for axis in (k, j, i)]
            seeds = [
                _Seed(
                    voxels[starts[n] : starts[n + 1]],
                    suv_max[n],
                    (int(low[0][n]), int(low[1][n]), int(low[2][n])),
                    (int(high[0][n]), int(high[1][n]), int(high[2][n])),
                )
                for n in range(count)
            ]
        return sorted(seeds, key=lambda seed: float(seed.suv_max))

    def _grow(
        self, seeds: list[_Seed], fraction: np.float32, limits: GrowthLimits
    ) -> tuple[NDArray[np.bool_], Flat]:
        """All contours in one padded mask, and the voxels of seeds that the guard held back.

        The contour of a hotter seed that starts inside the contour of a colder one cannot leave it:
        its bound is higher. So, coldest first, what already lies in a contour needs no work.
        """
        drawn = np.zeros(_padded_shape(self._pet.shape), bool)
        flat_drawn = drawn.reshape(-1)
        held_back = []
        for seed in seeds:
            bound = fraction * seed.suv_max
            core = seed.voxels[self._pet[self._unpadded(seed.voxels)] >= bound]
            core = core[~flat_drawn[core]]
            if not core.size:
                continue
            contour = self._contour(seed, core, bound, limits)
            if contour is None:
                held_back.append(core)
            else:
                flat_drawn[contour] = True
        if not held_back:
            return drawn, np.empty(0, np.int64)
        voxels = np.concatenate(held_back)
        flat_drawn[voxels] = True
        return drawn, voxels

    def _contour(
        self, seed: _Seed, core: Flat, bound: np.float32, limits: GrowthLimits
    ) -> Flat | None:
        """Padded positions of SUV >= bound connected to `core`, or None where the guard strikes."""
        shape = self._pet.shape
        most_ml = limits.volume_ml + limits.seed_volumes * seed.voxels.size * self._voxel_ml
        reach = [
            min(shape[axis], math.floor(min(limits.distance_mm / self._spacing[axis], 1e9)))
            for axis in range(3)
        ]
        core_kji = self._unpadded(core)
        margin = FIRST_MARGIN
        while True:
            # One voxel past the reach, so that a contour which goes beyond it is seen to do so.
            low = [max(0, seed.low[a] - min(margin, reach[a] + 1)) for a in range(3)]
            high = [min(shape[a] - 1, seed.high[a] + min(margin, reach[a] + 1)) for a in range(3)]
            box = tuple(slice(low[a], high[a] + 1) for a in range(3))
            labels, count = ndimage.label(self._pet[box] >= bound, NEIGHBOURS_26)
            own = np.zeros(count + 1, bool)
            own[labels[tuple(core_kji[a] - low[a] for a in range(3))]] = True
            size = int(np.bincount(labels.reshape(-1), minlength=count + 1)[own].sum())
            if size * self._voxel_ml > most_ml:
                return None
            kji = [position + low[a] for a, position in enumerate(np.nonzero(own[labels]))]
            first = [int(kji[a].min()) for a in range(3)]
            last = [int(kji[a].max()) for a in range(3)]
            if any(
                first[a] < seed.low[a] - reach[a] or last[a] > seed.high[a] + reach[a]
                for a in range(3)
            ):
                return None
            cut = any(
                (first[a] == low[a] > 0) or (last[a] == high[a] < shape[a] - 1) for a in range(3)
            )
            if not cut:
                return np.ravel_multi_index(tuple(kji), _padded_shape(shape))
            margin *= WIDENING

    def _number(
        self, drawn: NDArray[np.bool_], held_back: Flat, min_volume_ml: float
    ) -> Delineation:
        """Components of the drawn mask, small ones left out, numbered by their highest score."""
        voxels, labels, count = _components(drawn)
        size = np.bincount(labels, minlength=count)
        kji = self._unpadded(voxels)
        highest = np.full(count, -np.inf, np.float32)
        np.maximum.at(highest, labels, self._score[kji])
        limited = np.zeros(count, bool)
        limited[labels[np.searchsorted(voxels, held_back)]] = True

        kept = np.flatnonzero(size * self._voxel_ml >= min_volume_ml)
        if kept.size > MOST_FINDINGS:
            raise InputError(
                f"The threshold leaves {kept.size} separate findings; {MOST_FINDINGS} is the most "
                "that a label image can hold.",
                "Raise the threshold or the minimum volume.",
            )
        kept = kept[np.lexsort((kept, -size[kept], -highest[kept]))]
        number = np.zeros(count, np.uint16)
        number[kept] = np.arange(1, kept.size + 1)

        array = np.zeros(self._pet.shape, np.uint16)
        array[kji] = number[labels]
        image = sitk.GetImageFromArray(array)
        image.CopyInformation(self._grid)
        return Delineation(image, tuple(bool(flag) for flag in limited[kept]))

    def _unpadded(self, positions: Flat) -> tuple[Flat, Flat, Flat]:
        """Padded flat positions as (k, j, i)."""
        return np.unravel_index(positions, _padded_shape(self._pet.shape))  # type: ignore[return-value]  # NumPy: intp


def delineate(
    score: sitk.Image,
    pet: sitk.Image,
    threshold: float,
    *,
    grow: float | None = 0.4,
    min_volume_ml: float = 0.0,
    scored_mask: sitk.Image | None = None,
    limits: GrowthLimits = GrowthLimits(),
) -> Delineation:
    """`Delineator(score, pet, scored_mask).at(...)`, for a study that is drawn once."""
    return Delineator(score, pet, scored_mask).at(threshold, grow, min_volume_ml, limits)


def _padded_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return shape[0], shape[1] + 1, shape[2] + 1


def _padded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask (k, j, i) with one empty row and column at the end of each slice.

    In its flat order no row touches the next one's start and no slice the next slice's, so that a
    neighbour is a fixed distance away, without a look at the borders.
    """
    padded = np.zeros(_padded_shape(mask.shape), bool)
    padded[:, :-1, :-1] = mask
    return padded


def _components(padded: NDArray[np.bool_]) -> tuple[Flat, NDArray[np.int32], int]:
    """26-connected components of a padded mask (k, j + 1, i + 1).

    Returns:
        Flat positions of its voxels, ascending; the component 0, 1, ... of each; their number.

    Voxels are gathered into runs along i; runs are joined with those of the four neighbouring rows
    that come later in the array. Work grows with the runs, not with the volume.
    """
    voxels = np.flatnonzero(padded)
    if not voxels.size:
        return voxels, np.empty(0, np.int32), 0
    gap = np.flatnonzero(np.diff(voxels) != 1) + 1
    first = np.concatenate(([0], gap))  # index into voxels
    length = np.diff(np.append(first, voxels.size))
    start = voxels[first]  # flat positions
    end = start + length - 1
    row = padded.shape[2]
    plane = padded.shape[1] * row
    run = np.arange(start.size)
    pairs = []
    for offset in (row, plane - row, plane, plane + row):
        # Runs that overlap [start - 1, end + 1] one row or slice on: `since` up to before `until`.
        since = np.searchsorted(end, start + (offset - 1), side="left")
        until = np.searchsorted(start, end + (offset + 1), side="right")
        number = np.maximum(until - since, 0)
        source = np.repeat(run, number)
        step = np.arange(source.size) - np.repeat(np.cumsum(number) - number, number)
        pairs.append((source, np.repeat(since, number) + step))
    source = np.concatenate([pair[0] for pair in pairs])
    target = np.concatenate([pair[1] for pair in pairs])
    graph = coo_matrix(
        (np.ones(source.size, np.int8), (source, target)), shape=(run.size, run.size)
    )
    count, labels = connected_components(graph, directed=False)
    return voxels, np.repeat(labels, length), int(count)


def _as_float32(image: sitk.Image) -> sitk.Image:
    return image if image.GetPixelID() == sitk.sitkFloat32 else sitk.Cast(image, sitk.sitkFloat32)


def _check_settings(threshold: float, grow: float | None, min_volume_ml: float) -> None:
    if not math.isfinite(threshold):
        raise InputError(f"The threshold is {threshold}.", "Give a number in the map's unit.")
    if grow is not None and not 0 <= grow <= 1:
        raise InputError(
            f"The growth fraction is {grow}.",
            "Give a fraction of SUVmax from 0 (no growing) to 1; 0.4 is the default.",
        )
    if not (math.isfinite(min_volume_ml) and min_volume_ml >= 0):
        raise InputError(f"The minimum volume is {min_volume_ml} ml.", "Give 0 ml or more.")


def _require_finite(array: NDArray[np.float32], what: str) -> None:
    # A sum is finite only if all its terms are (SUVs and nats are far from overflowing a float64),
    # and takes no array of flags as large as the study.
    if not np.isfinite(array.sum(dtype=np.float64)):
        raise InputError(
            f"The {what} holds voxels that are not numbers (NaN) or infinite.",
            "Export the image again without them.",
        )


def _require_same_grid(image: sitk.Image, pet: sitk.Image, what: str) -> None:
    if pet.GetDimension() != 3:
        raise InputError(
            f"The PET has {pet.GetDimension()} dimensions, not 3.", "Give one 3-D volume."
        )
    same = image.GetSize() == pet.GetSize() and all(
        np.allclose(getattr(image, get)(), getattr(pet, get)(), rtol=0, atol=1e-3)
        for get in ("GetSpacing", "GetOrigin", "GetDirection")
    )
    if not same:
        raise InputError(
            f"The {what} does not lie on the PET's grid: {image.GetSize()} voxels of "
            f"{tuple(round(s, 3) for s in image.GetSpacing())} mm against {pet.GetSize()} of "
            f"{tuple(round(s, 3) for s in pet.GetSpacing())} mm, or another origin or direction.",
            f"Resample the {what} to the PET's grid.",
        )

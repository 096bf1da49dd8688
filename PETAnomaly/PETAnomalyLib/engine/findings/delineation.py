"""From an anomaly map to findings: threshold, grow each seed to 40 % of its SUVmax, merge.

A *seed* is a 26-connected component of `score > threshold` inside the model's field of view. Each
is grown to its contour, or held back by the guard (`growing.py`). Contours that overlap or touch in
the 26-neighbourhood become one finding (DESIGN section 3); a finding is marked `growth_limited`
when any seed that it is part of was held back.

Arithmetic. SUV, score, threshold and fraction are compared in float32, the precision of the images:
`pet >= np.float32(fraction) * pet[seed].max()` and `score > np.float32(threshold)`.

Speed. Voxels of interest are few, so nothing walks the volume more than a few times
(`components.py`). The panel moves a slider over this: `Delineator` holds what is prepared once,
`at` is cheap.

NumPy, SciPy and SimpleITK only: this file runs inside Slicer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.components import Flat, components, padded, unpadded
from PETAnomalyLib.engine.findings.growing import THE_GUARD, GrowthLimits, find_seeds, grow_seeds
from PETAnomalyLib.engine.runtime.errors import InputError

MOST_FINDINGS = np.iinfo(np.uint16).max


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
        limits: GrowthLimits = THE_GUARD,
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
        above = padded(self._score > np.float32(threshold))
        if self._scored is not None:
            above[:, :-1, :-1] &= self._scored
        drawn, held_back = above, np.empty(0, np.int64)
        if grow:
            seeds = find_seeds(above, self._pet)
            drawn, held_back = grow_seeds(seeds, self._pet, self._spacing, np.float32(grow), limits)
        return self._number(drawn, held_back, min_volume_ml)

    def _number(
        self, drawn: NDArray[np.bool_], held_back: Flat, min_volume_ml: float
    ) -> Delineation:
        """Components of the drawn mask, small ones left out, numbered by their highest score."""
        voxels, labels, count = components(drawn)
        size = np.bincount(labels, minlength=count)
        kji = unpadded(voxels, self._pet.shape)
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


def delineate(
    score: sitk.Image,
    pet: sitk.Image,
    threshold: float,
    *,
    grow: float | None = 0.4,
    min_volume_ml: float = 0.0,
    scored_mask: sitk.Image | None = None,
    limits: GrowthLimits = THE_GUARD,
) -> Delineation:
    """`Delineator(score, pet, scored_mask).at(...)`, for a study that is drawn once."""
    return Delineator(score, pet, scored_mask).at(threshold, grow, min_volume_ml, limits)


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

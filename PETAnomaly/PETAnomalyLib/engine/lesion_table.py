"""Which lesions a reader would have seen: one line a true lesion, with its size and uptake."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.evaluation import FindingCounts, Labels

# What a department would not forgive to miss (issue: 10 mm and more with SUV >= 4).
CLEAR_DIAMETER_MM = 10.0
CLEAR_SUV = 4.0


@dataclass
class Lesion:
    """One true lesion.

    Attributes:
        study: its study's name.
        number: in that study.
        volume_ml: of the true mask.
        suv_max: g/ml, inside the true mask.
        hit: by a row's name, whether one of its findings overlaps the lesion.
    """

    study: str
    number: int
    volume_ml: float
    suv_max: float
    hit: dict[str, bool] = field(default_factory=dict)

    @property
    def diameter_mm(self) -> float:
        """Of the sphere with the same volume."""
        return 10.0 * (6.0 * self.volume_ml / math.pi) ** (1.0 / 3.0)

    @property
    def is_clear(self) -> bool:
        """Whether it is large and hot enough that it must not be missed."""
        return self.diameter_mm >= CLEAR_DIAMETER_MM and self.suv_max >= CLEAR_SUV


def lesions_of(study: str, pet: sitk.Image, truth: Labels) -> list[Lesion]:
    """The true lesions of a study.

    Args:
        study: its name.
        pet: SUV, g/ml.
        truth: lesion numbers on the PET's grid, 0 outside.
    """
    voxel_ml = math.prod(pet.GetSpacing()) / 1000.0
    inside = truth > 0
    of_voxel, suv = truth[inside], sitk.GetArrayViewFromImage(pet)[inside]
    numbers = np.arange(1, int(of_voxel.max(initial=0)) + 1)
    voxels = np.bincount(of_voxel, minlength=len(numbers) + 1)[1:]
    suv_max = np.full(len(numbers), -np.inf)
    np.maximum.at(suv_max, of_voxel - 1, suv)  # SciPy's maximum fails where there is no lesion
    return [
        Lesion(study, int(number), float(count) * voxel_ml, float(highest))
        for number, count, highest in zip(numbers, voxels, suv_max)
    ]


def mark_hits(lesions: Sequence[Lesion], row: str, counts: FindingCounts) -> None:
    """Note which lesions of one study the findings of a row overlap."""
    for lesion in lesions:
        lesion.hit[row] = counts.ranks[lesion.number - 1] > 0


def clear_sensitivity(lesions: Sequence[Lesion], row: str) -> tuple[int, int]:
    """How many of the clear lesions a row hits, and how many there are."""
    clear = [lesion for lesion in lesions if lesion.is_clear]
    return sum(lesion.hit[row] for lesion in clear), len(clear)


def write_lesions(lesions: Sequence[Lesion], out: Path) -> None:
    """One CSV line a lesion: study, number, volume, diameter, SUVmax, and 1 or 0 for each row."""
    rows = sorted({row for lesion in lesions for row in lesion.hit})
    with out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["study", "lesion", "volume_ml", "diameter_mm", "suv_max", *rows])
        for x in lesions:
            values = [round(x.volume_ml, 3), round(x.diameter_mm, 1), round(x.suv_max, 2)]
            table.writerow([x.study, x.number, *values, *(int(x.hit[row]) for row in rows)])

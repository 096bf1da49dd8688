"""Which lesions a reader would have seen: one line a true lesion, with its size and uptake."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.evaluation.metrics import FindingCounts, Labels

# What a department would not forgive to miss (issue: 10 mm and more with SUV >= 4).
CLEAR_DIAMETER_MM = 10.0
CLEAR_SUV = 4.0

SIZE_LIMITS_MM = (10.0, 20.0, 30.0)
SIZE_CLASSES = ("under 10 mm", "10 to 20 mm", "20 to 30 mm", "30 mm and more")


@dataclass
class Lesion:
    """One true lesion.

    Attributes:
        study: its study's name.
        number: in that study.
        volume_ml: of the true mask.
        suv_max: g/ml, inside the true mask.
        centre_lps_mm: of its voxels.
        site: the kind of place it sits at, empty where nobody has said.
        rank: by a row's name, the number of the first of its findings that overlaps the lesion; 1
            has the study's highest score, 0 means that none does.
    """

    study: str
    number: int
    volume_ml: float
    suv_max: float
    centre_lps_mm: tuple[float, float, float]
    site: str = ""
    rank: dict[str, int] = field(default_factory=dict)

    @property
    def diameter_mm(self) -> float:
        """Of the sphere with the same volume."""
        return 10.0 * (6.0 * self.volume_ml / math.pi) ** (1.0 / 3.0)

    @property
    def size_class(self) -> str:
        """Which of `SIZE_CLASSES` its diameter lies in."""
        return SIZE_CLASSES[int(np.searchsorted(SIZE_LIMITS_MM, self.diameter_mm, "right"))]

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
    middles = [
        np.bincount(of_voxel, axis, len(numbers) + 1)[1:] / voxels for axis in np.nonzero(inside)
    ]
    return [
        Lesion(
            study,
            number=int(number),
            volume_ml=float(count) * voxel_ml,
            suv_max=float(highest),
            centre_lps_mm=pet.TransformContinuousIndexToPhysicalPoint(
                (float(i), float(j), float(k))
            ),
        )
        for number, count, highest, k, j, i in zip(numbers, voxels, suv_max, *middles)
    ]


def mark_hits(lesions: Sequence[Lesion], row: str, counts: FindingCounts) -> None:
    """Note which lesions of one study the findings of a row overlap, and at which rank."""
    for lesion in lesions:
        lesion.rank[row] = counts.ranks[lesion.number - 1]


def clear_sensitivity(lesions: Sequence[Lesion], row: str) -> tuple[int, int]:
    """How many of the clear lesions a row hits, and how many there are."""
    return _hits([lesion for lesion in lesions if lesion.is_clear], row)


def by_size(lesions: Sequence[Lesion], row: str) -> dict[str, tuple[int, int]]:
    """By size class, how many lesions a row hits, and how many there are."""
    classes = {name: [x for x in lesions if x.size_class == name] for name in SIZE_CLASSES}
    return {name: _hits(members, row) for name, members in classes.items() if members}


def by_site(lesions: Sequence[Lesion], row: str) -> dict[str, tuple[int, int]]:
    """By site, how many lesions a row hits, and how many there are; without those of no site."""
    names = sorted({lesion.site for lesion in lesions if lesion.site})
    return {name: _hits([x for x in lesions if x.site == name], row) for name in names}


def write_lesions(lesions: Sequence[Lesion], out: Path) -> None:
    """One CSV line a lesion: where, how large, how hot, and for each row the rank of its finding.

    The rank is 1 for the finding with the study's highest score, 0 for a lesion that is missed.
    """
    rows = list(dict.fromkeys(row for lesion in lesions for row in lesion.rank))
    with out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["study", "lesion", "site", "volume_ml", "diameter_mm", "suv_max", *rows])
        for x in lesions:
            values = [round(x.volume_ml, 3), round(x.diameter_mm, 1), round(x.suv_max, 2)]
            table.writerow([x.study, x.number, x.site, *values, *(x.rank[row] for row in rows)])


def _hits(lesions: Sequence[Lesion], row: str) -> tuple[int, int]:
    return sum(lesion.rank[row] > 0 for lesion in lesions), len(lesions)

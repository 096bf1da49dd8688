"""Which organ a finding lies in, or nearest to, when somebody has segmented the organs.

The organs' names are those of whoever segmented them (TotalSegmentator, MOOSE, a person). Where FDG
collects without disease (Shreve et al., RadioGraphics 1999;19:61) a finding is *suggested* to be
physiological, never set to it: lesions lie there too.

NumPy, SciPy and SimpleITK only: this file runs inside Slicer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from PETAnomalyLib.engine.findings.measures import bounding_boxes
from PETAnomalyLib.engine.findings.verdict import PHYSIOLOGICAL

COLUMNS = ("organ", "organ_distance_mm", "suggestion")
"""Of findings.csv, after the measures, where organs were given."""

MOST_ORGANS = int(np.iinfo(np.uint16).max)
_WORD = re.compile(r"[a-z]+")
_TELLS_NOTHING = frozenset({
    "ct", "label", "mask", "nii", "gz", "nrrd", "organ", "seg", "segmentation", "whole",
})  # fmt: skip
_NONE = np.zeros(0, np.bool_)
_PHYSIOLOGICAL = frozenset({
    "bladder", "kidney", "kidneys", "ureter", "ureters", "brain", "heart", "bowel", "bowels",
    "intestine", "intestines", "colon", "rectum", "sigmoid", "duodenum", "jejunum", "ileum",
    "caecum", "cecum",
})  # fmt: skip
# Words of a name that make it another thing: the gall bladder, a cyst of the kidney.
_SOMETHING_ELSE = frozenset({
    "gall", "cyst", "tumor", "tumour", "lesion", "lesions", "cancer", "metastasis",
})  # fmt: skip


@dataclass(frozen=True)
class Organs:
    """Organs on a PET's grid.

    Attributes:
        labels: uint16, D x H x W; 0 is no organ, otherwise the organ's place in `names` plus 1.
        names: as whoever segmented them calls them.
    """

    labels: NDArray[np.uint16]
    names: tuple[str, ...]

    def mask(self, *names: str) -> NDArray[np.bool_] | None:
        """Voxels of the first organ that is called so; None without any.

        Capitals, numbers, the order of words and what stands between them do not matter, nor words
        that tell nothing: "Liver", "liver_1.nii.gz", "CT liver mask".

        Args:
            names: words in small letters, the best one first.
        """
        own = [_told(name) for name in self.names]
        for name in names:
            for number, words in enumerate(own, 1):
                mask: NDArray[np.bool_] = self.labels == number if words == _told(name) else _NONE
                if mask.any():
                    return mask
        return None


@dataclass(frozen=True)
class Place:
    """Where a finding lies.

    Attributes:
        organ: that has most of the finding's voxels, else the nearest; empty without any organ.
        distance_mm: 0 where the finding has voxels in it, else from voxel centre to voxel centre.
        suggestion: `physiological` where more than half of the finding lies in an organ that FDG
            collects in without disease, else empty.
    """

    organ: str
    distance_mm: float
    suggestion: str

    def cells(self) -> tuple[str, float | str, str]:
        """The values of `COLUMNS`."""
        return self.organ, self.distance_mm if self.organ else "", self.suggestion


def _told(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.lower())) - _TELLS_NOTHING


def painted(
    shape: tuple[int, int, int], masks: Sequence[tuple[str, NDArray[np.integer]]]
) -> Organs:
    """Organs from masks that may overlap: a voxel belongs to the smallest of its organs.

    Args:
        shape: D x H x W of the PET.
        masks: name and flat indices of the voxels of each organ.
    """
    labels = np.zeros(shape, np.uint16)
    flat = labels.reshape(-1)
    largest_first = sorted(range(len(masks)), key=lambda n: (-len(masks[n][1]), n))
    for number in largest_first:
        flat[masks[number][1]] = number + 1
    return Organs(labels, tuple(name for name, _ in masks))


def is_physiological(name: str) -> bool:
    """Whether FDG collects in an organ without disease, by its name."""
    words = set(_WORD.findall(name.lower()))
    return bool(words & _PHYSIOLOGICAL) and not words & _SOMETHING_ELSE


def places(labels: sitk.Image, organs: Organs) -> list[Place]:
    """Where each finding lies, in the order of the labels, as `measure` gives them.

    Args:
        labels: the findings' numbers, 0 is background.
        organs: on the same grid.
    """
    found = sitk.GetArrayViewFromImage(labels)
    locator = Locator(organs, labels.GetSpacing()[::-1])
    return [
        locator.place(np.argwhere(found[box] == number) + [part.start for part in box])
        for number, box in bounding_boxes(found)
    ]


class Locator:
    """Says where voxels lie among organs, again and again.

    The voxel of an organ that is nearest to one outside has a neighbour outside: a step along an
    axis on which they lie apart comes nearer. So the organs' surfaces are all that is looked at.

    Args:
        organs: on some grid.
        spacing_kji_mm: of that grid.
    """

    def __init__(self, organs: Organs, spacing_kji_mm: Sequence[float]) -> None:
        self.organs = organs
        self._physiological = [n + 1 for n, name in enumerate(organs.names)
                               if is_physiological(name)]  # fmt: skip
        self._spacing = np.asarray(spacing_kji_mm)
        occupied = organs.labels > 0
        surface = occupied & ~binary_erosion(occupied)
        self._labels = organs.labels[surface]
        self._surface = cKDTree(np.argwhere(surface) * self._spacing)

    def place(self, voxels: NDArray[np.integer]) -> Place:
        """Where a finding lies whose voxels these are, (n, 3) as k, j, i."""
        organs = self.organs
        counts = np.bincount(organs.labels[tuple(voxels.T)], minlength=len(organs.names) + 1)
        counts[0] = 0
        label = int(counts.argmax())
        if counts[label]:
            name = organs.names[label - 1]
            mostly_inside = 2 * counts[self._physiological].sum() > len(voxels)
            suggestion = PHYSIOLOGICAL if label in self._physiological and mostly_inside else ""
            return Place(name, 0.0, suggestion)
        label, distance = self._nearest(voxels)
        return Place(organs.names[label - 1] if label else "", distance, "")

    def _nearest(self, voxels: NDArray[np.integer]) -> tuple[int, float]:
        """Label and distance (mm) from voxels outside all organs; 0 without organs. Of two that are
        as near, the lower label.
        """
        if not len(self._labels):
            return 0, 0.0
        points = voxels * self._spacing
        distances, _ = self._surface.query(points)
        least = float(distances.min())
        closest = points[distances <= least * (1 + 1e-9)]
        reached = np.concatenate(self._surface.query_ball_point(closest, least * (1 + 1e-9)))
        return int(self._labels[reached.astype(int)].min()), least

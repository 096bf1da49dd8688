"""Where in the body a finding lies: head and neck, thorax, abdomen, pelvis or limb, left or right.

A bundle may carry a label image on its template's grid, made with phantoms (`petanomaly calibrate
--regions`); a study reaches it through its alignment. Left and right are the patient's: x grows to
the left (LPS). Along the midline, where not nine in ten of the phantoms agree on a side, the atlas
names none; a limb has one always.

NumPy and SimpleITK only: this file runs inside Slicer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.measures import bounding_boxes
from PETAnomalyLib.engine.frame.measured_regions import REGIONS, SIDES
from PETAnomalyLib.engine.study.image_file import read_image_file

COLUMN = "site"
"""Of findings.csv, after the measures, where the model has an atlas."""

_TITLES = {"head": "head and neck", "limbs": "limb"}
_SAME_SIDE = 0.9


@dataclass(frozen=True)
class RegionAtlas:
    """The regions of a model's frame.

    Attributes:
        labels: `code` of each voxel, 0 for none; uint8, on the template's grid (LPS).
    """

    labels: sitk.Image

    @classmethod
    def read(cls, path: Path) -> RegionAtlas:
        """From a bundle's file, which was checked with the bundle."""
        return cls(sitk.Cast(read_image_file(path)[0], sitk.sitkUInt8))

    def codes_at(
        self, points: NDArray[np.floating], to_study: sitk.Euler3DTransform
    ) -> NDArray[np.uint8]:
        """Codes of the voxels nearest to points of a study; beyond the frame, of its edge.

        Args:
            points: (n, 3) LPS mm in the study.
            to_study: maps the model's frame to the study, see `alignment.Alignment`.
        """
        centre = np.array(to_study.GetCenter())
        matrix = np.reshape(to_study.GetMatrix(), (3, 3))
        # (p - centre - translation) times the rotation, from the right: its inverse.
        in_frame = (points - centre - np.array(to_study.GetTranslation())) @ matrix + centre
        steps = (in_frame - self.labels.GetOrigin()) / self.labels.GetSpacing()
        nearest = np.clip(np.rint(steps), 0, np.array(self.labels.GetSize()) - 1).astype(int)
        codes: NDArray[np.uint8] = sitk.GetArrayViewFromImage(self.labels)[tuple(nearest.T[::-1])]
        return codes

    def site(self, points: NDArray[np.floating], to_study: sitk.Euler3DTransform) -> str:
        """Where a finding lies that has voxels at these points; empty where there is no region."""
        return site_of(self.codes_at(points, to_study))


def sites(labels: sitk.Image, atlas: RegionAtlas, to_study: sitk.Euler3DTransform) -> Sequence[str]:
    """Where each finding lies, in the order of the labels, as `measure` gives them.

    Args:
        labels: the findings' numbers on the study's grid, 0 is background.
        atlas: of the model.
        to_study: maps the model's frame to the study.
    """
    found = sitk.GetArrayViewFromImage(labels)
    steps = np.reshape(labels.GetDirection(), (3, 3)) * np.array(labels.GetSpacing())
    return [
        atlas.site(
            (np.argwhere(found[box] == number) + [part.start for part in box])[:, ::-1] @ steps.T
            + np.array(labels.GetOrigin()),
            to_study,
        )
        for number, box in bounding_boxes(found)
    ]


def code(region: int, side: int) -> int:
    """In an atlas, of a region by its place in `REGIONS` and a side by its place in `SIDES`."""
    return 1 + region * len(SIDES) + side


def site_of(codes: NDArray[np.uint8]) -> str:
    """The region that most of the voxels lie in, and the side that more than half of these do.

    Of two regions with as many voxels the first of `REGIONS` counts.

    Args:
        codes: of a finding's voxels.
    """
    inside = codes[codes > 0].astype(int) - 1
    if not inside.size:
        return ""
    region = int(np.bincount(inside // len(SIDES)).argmax())
    on = inside[inside // len(SIDES) == region] % len(SIDES)
    counts = np.bincount(on, minlength=len(SIDES))
    side = SIDES[int(counts.argmax())] if 2 * counts.max() > on.size else ""
    title = _TITLES.get(REGIONS[region], REGIONS[region])
    return f"{side} {title}".strip()


def voted(region_votes: NDArray[np.integer], left_votes: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Codes from what studies say of each voxel, 0 where none says anything.

    Args:
        region_votes: (regions, D, H, W) how many have each of `REGIONS` there; of as many the
            first counts.
        left_votes: D x H x W, how many of all these say that it is the left.
    """
    total = region_votes.sum(axis=0)
    region = region_votes.argmax(axis=0)
    left = left_votes / np.maximum(total, 1)
    side = np.select([left >= _SAME_SIDE, left <= 1 - _SAME_SIDE],
                     [SIDES.index("left"), SIDES.index("right")], SIDES.index(""))  # fmt: skip
    of_limb = np.where(2 * left_votes > total, SIDES.index("left"), SIDES.index("right"))
    side = np.where(region == REGIONS.index("limbs"), of_limb, side)
    codes = code(0, 0) + region * len(SIDES) + side
    return np.where(total > 0, codes, 0).astype(np.uint8)

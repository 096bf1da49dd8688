"""A finding that the software missed: the contour of the hot spot that a reader points at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.hot_spot import NEARBY_MM, Index, hottest_near, spot_contour
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.parameters import CONTOURS
from PETAnomalyLib.panel.scene import findings_segmentation
from PETAnomalyLib.panel.scene.label_block import shared
from PETAnomalyLib.panel.scene.volume_files import ijkToRas


@dataclass(frozen=True)
class Spot:
    """Where the reader points at, on the PET's grid.

    Attributes:
        hottest: index (k, j, i) of the hottest voxel nearby.
        mask: (k, j, i) of its contour.
        start: the mask's first index.
    """

    hottest: Index
    mask: np.ndarray
    start: Index


def spotAt(pet: Any, ras: np.ndarray, contour: str) -> Spot:
    """The contour of the hottest voxel within `NEARBY_MM` of a point.

    Args:
        pet: the PET's node.
        ras: (R, A, S) mm.
        contour: one of `parameters.CONTOURS`.

    Raises:
        InputError: nothing is there, it does not reach the fixed SUV, or its contour leaks.
    """
    suv = slicer.util.arrayFromVolume(pet)
    spacing = tuple(reversed(pet.GetSpacing()))
    point = (np.linalg.inv(ijkToRas(pet)) @ [*ras, 1.0])[2::-1]
    hottest = hottest_near(suv, spacing, tuple(point))
    if hottest is None:
        raise InputError(_("This is outside the PET."), _("Click on a hot spot in a slice view."))
    highest = float(suv[hottest])
    share, fixed = CONTOURS[contour]
    bound = fixed if fixed is not None else share * highest
    if highest < bound or highest <= 0.0:
        raise InputError(
            _("The hottest voxel within {mm:g} mm has SUV {suv:.1f}.").format(
                mm=NEARBY_MM, suv=highest
            ),
            _("Click nearer to the hot spot, or choose another contour."),
        )
    drawn = spot_contour(suv, spacing, hottest, bound)
    if drawn is None:
        raise InputError(
            _("The contour at SUV {bound:.1f} runs far into its surroundings.").format(bound=bound),
            _("Choose a higher contour, or draw the finding in the Segment Editor."),
        )
    return Spot(hottest, *drawn)


def segmentAt(segmentation: Any, pet: Any, voxel: Index) -> str:
    """The segment that holds a voxel (k, j, i) of the PET's grid; empty when none does."""
    for identifier in findings_segmentation.segmentIds(segmentation):
        part = findings_segmentation.partOnGrid(segmentation, identifier, pet)
        if part is None:
            continue
        mask, start = part
        place = tuple(v - s for v, s in zip(voxel, start))
        if all(0 <= p < n for p, n in zip(place, mask.shape)) and mask[place]:
            return identifier
    return ""


def withoutOthers(segmentation: Any, pet: Any, spot: Spot) -> np.ndarray:
    """The spot's mask less what other findings hold: findings never overlap."""
    mask = spot.mask.copy()
    for identifier in findings_segmentation.segmentIds(segmentation):
        part = findings_segmentation.partOnGrid(segmentation, identifier, pet)
        if part is None:
            continue
        other, start = part
        common = shared(spot.start, mask.shape, start, other.shape)
        if common is not None:
            own, theirs = common
            mask[own] &= ~other[theirs]
    return mask

"""Where the regions of a frame are, told from its template."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_patient import ORGANS, filled, grid, motion, patient_on
from PETAnomalyLib.engine.frame import measured_regions
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.body_regions import RegionBorders
from PETAnomalyLib.engine.frame.field_of_view import marked_foreign, scored_mask
from PETAnomalyLib.engine.frame.measured_regions import REGIONS

TEMPLATE = patient_on(grid((76, 48, 150), (6, 6, 8), (0, 0, 130)))
LIVER_CENTRE, LIVER_HALF, _ = ORGANS[8]
BORDERS = RegionBorders.of_template(TEMPLATE)


def test_the_liver_lies_in_the_abdomen_and_its_top_is_the_diaphragm() -> None:
    assert BORDERS.diaphragm == pytest.approx(LIVER_CENTRE[2] + LIVER_HALF[2], abs=16)
    assert BORDERS.region_at(np.array(LIVER_CENTRE)) == REGIONS.index("abdomen")
    for number, region in ((2, "head"), (7, "thorax"), (11, "pelvis")):  # head, heart, bladder
        assert BORDERS.region_at(np.array(ORGANS[number][0])) == REGIONS.index(region)


def test_without_a_liver_the_regions_still_follow_one_another() -> None:
    cold = RegionBorders.of_template(filled(TEMPLATE, 0.3 * sitk.GetArrayFromImage(TEMPLATE)))
    assert cold.shoulders > cold.diaphragm > cold.pelvis


def test_borders_survive_a_manifest() -> None:
    assert tuple(BORDERS.values()) == measured_regions.BORDERS
    assert RegionBorders.from_values(BORDERS.values()).values() == BORDERS.values()


def test_what_is_foreign_is_scored_still() -> None:
    pet = patient_on(grid((60, 40, 140), (7, 7, 9), (5, 5, 100)))
    alignment = Alignment(motion((0, 0, 0), (10, -8, 20)), 1.0)
    scored = scored_mask(pet, TEMPLATE, alignment)
    marked = marked_foreign(scored, TEMPLATE, alignment, BORDERS, ("thorax",))
    before, after = sitk.GetArrayFromImage(scored), sitk.GetArrayFromImage(marked)
    assert np.array_equal(before > 0, after > 0)
    assert set(np.unique(after)) == {0, 1, 2}
    slices = [marked.TransformIndexToPhysicalPoint((0, 0, int(k)))[2]
              for k in np.flatnonzero((after == 2).any(axis=(1, 2)))]  # fmt: skip
    assert min(slices) == pytest.approx(BORDERS.diaphragm + 20, abs=14)
    assert max(slices) == pytest.approx(BORDERS.shoulders + 20, abs=14)

"""The scored voxels and the unscored body, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_patient import filled, grid, motion, points_of
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.field_of_view import scored_mask, unscored_body
from PETAnomalyLib.engine.runtime.errors import InputError


def test_scored_is_what_lies_within_the_models_outer_faces() -> None:
    model = grid((10, 12, 14), (6, 6, 6), (3, -4, 5))
    axes = np.reshape(motion((20, 10, -30)).GetMatrix(), (3, 3))
    pet = grid((30, 28, 26), (4.1, 3.7, 5.3), (60, 10, -20), axes)
    alignment = Alignment(motion((7, -3, 11), (55, 15, -25)), 1.0)
    found = scored_mask(pet, model, alignment)
    assert found.GetPixelID() == sitk.sitkUInt8

    matrix = np.reshape(alignment.transform.GetMatrix(), (3, 3))
    in_model = (points_of(pet) - np.array(alignment.transform.GetTranslation())) @ matrix
    index = (in_model - np.array(model.GetOrigin())) / 6.0
    expected = ((index >= -0.5) & (index < np.array(model.GetSize()) - 0.5)).all(-1)
    assert 0.05 < expected.mean() < 0.95
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), expected.astype(np.uint8))


def test_the_unscored_share_is_counted_over_the_body_alone() -> None:
    values = np.zeros((10, 10, 10))
    values[:8, 2:4, 2:4] = 1.0
    pet = filled(grid((10, 10, 10), (5, 5, 5)), values)
    seen = np.ones((10, 10, 10))
    seen[6:] = 0
    scored = sitk.Cast(filled(pet, seen), sitk.sitkUInt8)
    share, warnings = unscored_body(pet, scored)
    assert share == pytest.approx(2 / 8)
    assert warnings[0].startswith("25 % of the body")
    assert unscored_body(pet, scored * 0 + 1) == (0.0, ())


def test_a_body_outside_the_models_view_is_refused() -> None:
    pet = filled(grid((10, 10, 10), (5, 5, 5)), np.ones((10, 10, 10)))
    with pytest.raises(InputError, match=r"100 % of the body .* outside the model's field of view"):
        unscored_body(pet, sitk.Cast(pet * 0, sitk.sitkUInt8))

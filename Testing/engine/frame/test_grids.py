"""Images carried between grids, against formulas and what must survive the way there and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_patient import IDENTITY, filled, grid, motion, patient_on, points_of
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.grids import to_model_frame, to_study_grid


@pytest.fixture(scope="module")
def template() -> sitk.Image:
    return patient_on(grid((88, 68, 144), (6, 6, 6)))


def test_there_and_back_keeps_a_blob_in_place_and_its_height() -> None:
    model = grid((40, 40, 40), (6, 6, 6))
    pet = grid((70, 70, 90), (4.07, 4.07, 3.0), (30, -20, 100))
    alignment = Alignment(motion((5, -4, 8), (30, -20, 100)), 1.0)
    centre = np.array((41.3, -12.7, 93.1))
    squared = ((points_of(pet) - centre) ** 2).sum(-1)
    blob = filled(pet, 8.0 * np.exp(-squared / (2 * 18.0**2)))
    back = to_study_grid(to_model_frame(blob, model, alignment, 0.0), pet, alignment, 0.0)
    assert back.GetSize() == pet.GetSize()
    assert back.GetOrigin() == pet.GetOrigin()
    assert back.GetDirection() == pet.GetDirection()
    values = sitk.GetArrayFromImage(back)
    found = (points_of(pet) * values[..., None]).sum((0, 1, 2)) / values.sum()
    assert np.linalg.norm(found - centre) < 1.0
    assert values.max() == pytest.approx(8.0, rel=0.05)


def test_a_study_already_on_the_models_grid_passes_unchanged(template: sitk.Image) -> None:
    np.testing.assert_allclose(
        sitk.GetArrayFromImage(to_model_frame(template, template, IDENTITY, 0.0)),
        sitk.GetArrayFromImage(template),
        atol=1e-6,
    )


def test_structure_finer_than_the_models_voxels_is_averaged_not_aliased() -> None:
    fine = grid((97, 97, 97), (1.5, 1.5, 1.5))  # every fourth voxel's centre is a model voxel's
    stripes = filled(fine, 5.0 + 5.0 * (-1.0) ** np.indices((97, 97, 97))[0])
    model = grid((20, 20, 20), (6, 6, 6))
    seen = sitk.GetArrayFromImage(to_model_frame(stripes, model, IDENTITY, 0.0))
    np.testing.assert_allclose(seen, 5.0, atol=0.3)
    naive = sitk.GetArrayFromImage(sitk.Resample(stripes, model, sitk.Transform(), sitk.sitkLinear))
    assert np.abs(naive - 5.0).max() > 2.0  # the trap is real


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 2.0, 3.0), (1.0, 2.0, 5.0)])
def test_smoothing_widens_by_the_difference_of_the_two_voxel_sizes(
    spacing: tuple[float, float, float],
) -> None:
    # A Gaussian of 10 mm, sampled finely; variance must grow by (6^2 - s^2) / (8 ln 2) along each
    # axis; linear interpolation between fine samples adds a little, at most s^2 / 4.
    image = grid([int(108 / s) for s in spacing], spacing)
    blob = filled(image, np.exp(-(points_of(image) ** 2).sum(-1) / (2 * 10.0**2)))
    model = grid((17, 17, 17), (6, 6, 6))
    values = sitk.GetArrayFromImage(to_model_frame(blob, model, IDENTITY, 0.0))
    variance = (points_of(model) ** 2 * values[..., None]).sum((0, 1, 2)) / values.sum()
    expected = 10.0**2 + (36 - np.array(spacing) ** 2) / (8 * math.log(2))
    np.testing.assert_allclose(variance, expected, atol=3.0)


def test_what_was_not_measured_takes_the_value_asked_for(template: sitk.Image) -> None:
    ct = filled(grid((40, 40, 40), (4, 4, 4)), np.full((40, 40, 40), 55.0))
    values = sitk.GetArrayFromImage(to_model_frame(ct, template, IDENTITY, -1000.0))
    assert set(np.unique(values)) == {-1000.0, 55.0}


def test_nearest_carries_labels_back_without_inventing_any() -> None:
    model = grid((20, 20, 20), (6, 6, 6))
    labels = sitk.Cast(filled(model, np.indices((20, 20, 20)).sum(0) % 3 * 7), sitk.sitkUInt8)
    pet = grid((50, 50, 50), (2.9, 3.1, 2.7))
    back = to_study_grid(labels, pet, Alignment(motion((9, 9, 9)), 1.0), 0, nearest=True)
    assert back.GetPixelID() == sitk.sitkUInt8
    assert set(np.unique(sitk.GetArrayFromImage(back))) <= {0, 7, 14}

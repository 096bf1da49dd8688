"""Known motions are found again, whatever the grid; what is no patient is refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_patient import IDENTITY, filled, grid, motion, patient_on, points_of
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.field_of_view import scored_mask, unscored_body
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.phantom import generate
from PETAnomalyLib.engine.runtime.errors import InputError
from repository import SHARED_DATA
from scipy import ndimage


def largest_error_mm(found: sitk.Transform, true: sitk.Transform) -> float:
    corners = [(x, y, z) for x in (-150, 150) for y in (-90, 90) for z in (-350, 350)]
    return max(
        float(np.linalg.norm(np.subtract(found.TransformPoint(p), true.TransformPoint(p))))
        for p in corners
    )


@pytest.fixture(scope="module")
def template() -> sitk.Image:
    return patient_on(grid((88, 68, 144), (6, 6, 6)))


@pytest.mark.parametrize(
    ("rotation_deg", "shift_mm"),
    [((0, 0, 0), (0, 0, 0)), ((3, -5, 8), (20, -35, 60)), ((-9, 4, -7), (-45, 10, -110))],
)
def test_a_known_rigid_motion_is_recovered_within_a_voxel(
    template: sitk.Image, rotation_deg: Sequence[float], shift_mm: Sequence[float]
) -> None:
    true = motion(rotation_deg, shift_mm)
    pet = patient_on(grid((96, 84, 180), (6.5, 6.5, 5.7), shift_mm), true)
    found = align(pet, template)
    assert largest_error_mm(found.transform, true) < 6.0
    assert found.quality > 0.95
    assert found.warnings == ()


def test_a_scan_from_head_to_feet_finds_its_place(template: sitk.Image) -> None:
    true = motion((2, 3, -4), (15, -120, -740))
    pet = patient_on(grid((84, 70, 260), (7, 7, 6.7), (15, -120, -840)), true)
    found = align(pet, template)
    assert largest_error_mm(found.transform, true) < 6.0
    share, warnings = unscored_body(pet, scored_mask(pet, template, found))
    assert share > 0.15
    assert "not scored" in warnings[0]


@pytest.mark.parametrize("middle_mm", [-200, 150])
def test_a_scan_of_a_third_of_the_trunk_finds_its_place_and_says_so(
    template: sitk.Image, middle_mm: float
) -> None:
    pet = patient_on(grid((80, 70, 50), (6, 6, 6), (0, 0, middle_mm)))
    found = align(pet, template)
    assert largest_error_mm(found.transform, motion()) < 10.0
    assert any("shows only" in warning for warning in found.warnings)


def test_the_order_in_which_voxels_are_stored_changes_nothing(template: sitk.Image) -> None:
    pet = patient_on(grid((70, 60, 120), (7, 7, 7), (12, 0, 20)), motion((2, 0, 3), (12, 0, 20)))
    turned = sitk.Flip(sitk.PermuteAxes(pet, [2, 0, 1]), [True, False, True])
    first, second = align(pet, template), align(turned, template)
    assert first.transform.GetParameters() == second.transform.GetParameters()
    np.testing.assert_allclose(
        sitk.GetArrayFromImage(to_model_frame(pet, template, first, 0.0)),
        sitk.GetArrayFromImage(to_model_frame(turned, template, second, 0.0)),
        atol=1e-3,
    )


def test_an_oblique_scan_is_aligned_by_its_own_directions(template: sitk.Image) -> None:
    axes = np.reshape(motion((12, -8, 5)).GetMatrix(), (3, 3))
    pet = patient_on(grid((80, 70, 140), (7, 7, 7), direction=axes))
    assert largest_error_mm(align(pet, template).transform, motion()) < 6.0


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes_with_any_number_of_threads(
    template: sitk.Image,
) -> None:
    pet = patient_on(grid((70, 60, 120), (7, 7, 7)), motion((0, 4, 2), (5, 5, 5)))
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    found = []
    try:
        for threads in (1, 4, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.append(align(pet, template).transform.GetParameters())
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert len(set(found)) == 1


def test_noise_is_refused_and_the_quality_named(template: sitk.Image) -> None:
    rng = np.random.default_rng(1)
    image = grid((100, 100, 150), (5, 5, 5))
    pet = filled(image, rng.uniform(0, 5, (150, 100, 100)))
    with pytest.raises(InputError, match=r"could not be aligned.*correlation"):
        align(pet, template)


def test_a_hot_ball_in_air_is_refused(template: sitk.Image) -> None:
    image = grid((100, 100, 150), (5, 5, 5))
    pet = filled(image, 5.0 * (np.linalg.norm(points_of(image), axis=-1) < 100))
    with pytest.raises(InputError, match=r"could not be aligned|shows only"):
        align(pet, template)


@pytest.mark.parametrize("suv", [0.0, 0.05])
def test_an_empty_study_is_refused_as_empty(template: sitk.Image, suv: float) -> None:
    image = grid((60, 60, 60), (6, 6, 6))
    with pytest.raises(InputError, match="no patient in the PET"):
        align(filled(image, np.full((60, 60, 60), suv)), template)


def test_a_constant_study_is_refused(template: sitk.Image) -> None:
    image = grid((60, 60, 60), (6, 6, 6))
    with pytest.raises(InputError, match="could not be aligned"):
        align(filled(image, np.ones((60, 60, 60))), template)


@pytest.mark.slow
def test_two_random_patients_come_to_lie_lung_on_lung() -> None:
    first, second = generate(seed=1_000_500), generate(seed=1_000_501)
    model = grid((88, 68, 144), (6, 6, 6), list(_lungs_mm(first.ct) - (0, 0, 100)))
    found = align(second.suv, to_model_frame(first.suv, model, IDENTITY, 0.0))
    apart = np.array(found.transform.TransformPoint(_lungs_mm(first.ct))) - _lungs_mm(second.ct)
    assert np.linalg.norm(apart) < 35.0  # patients differ in size by as much


def _lungs_mm(ct: sitk.Image) -> np.ndarray:
    """Centre of the air enclosed in the body."""
    air = sitk.GetArrayFromImage(ct)[:, ::2, ::2] < -500
    regions, count = ndimage.label(air)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    sizes[0] = 0
    sizes[np.unique(regions[:, 0, :])] = 0  # the air around
    k, j, i = ndimage.center_of_mass(regions == sizes.argmax())
    return np.array(ct.TransformContinuousIndexToPhysicalPoint((2 * i, 2 * j, k)))


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the real scans are not here")
def test_real_scans_cropped_to_a_thigh_are_refused_or_doubted() -> None:
    whole = sitk.ReadImage(
        str(SHARED_DATA / "wholebody-pet-sts001" / "SUVbw.nii.gz"), sitk.sitkFloat32
    )
    middle = whole.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in whole.GetSize()])
    model = to_model_frame(whole, grid((88, 68, 144), (6, 6, 6), middle), IDENTITY, 0.0)
    assert align(whole, model).warnings == ()
    for patient in ("STS_002", "STS_006", "STS_031"):
        path = SHARED_DATA / "regional-petct-ibsi" / patient / "PET_image.nii.gz"
        try:
            warnings = align(sitk.ReadImage(str(path), sitk.sitkFloat32), model).warnings
        except InputError as error:
            warnings = (error.message,)
        assert any("%" in warning or "correlation" in warning for warning in warnings)

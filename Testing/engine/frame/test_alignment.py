from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.frame.alignment import (
    Alignment,
    align,
    scored_mask,
    to_model_frame,
    to_study_grid,
    unscored_body,
)
from PETAnomalyLib.engine.phantom import generate
from PETAnomalyLib.engine.runtime.errors import InputError
from repository import SHARED_DATA
from scipy import ndimage, special

# Centre (mm), half-axes (mm) and SUV of a patient made of ellipsoids; z is up, 0 the middle.
ORGANS = [
    ((0, 0, 0), (170, 105, 430), 0.6),  # trunk
    ((0, -15, 480), (60, 70, 90), 0.6),  # neck
    ((0, -20, 640), (80, 95, 110), 5.0),  # head
    ((-85, 10, -620), (70, 75, 400), 0.5),  # legs
    ((85, 10, -620), (70, 75, 400), 0.5),
    ((-75, 0, 220), (60, 75, 110), -0.35),  # lungs: less than the trunk around
    ((75, 0, 220), (60, 75, 110), -0.35),
    ((40, -40, 170), (40, 40, 45), 3.0),  # heart
    ((-75, -10, 50), (75, 75, 65), 1.8),  # liver
    ((-60, 60, -40), (25, 25, 50), 3.0),  # kidneys
    ((60, 60, -20), (25, 25, 50), 3.0),
    ((0, -40, -330), (40, 35, 35), 12.0),  # bladder
]


def body_at(points: np.ndarray) -> np.ndarray:
    """SUV of the patient at points (..., 3), LPS mm, with edges about 8 mm wide."""
    suv = np.zeros(points.shape[:-1], dtype=np.float32)
    for centre, half_axes, uptake in ORGANS:
        scaled = (points - np.array(centre, np.float32)) / np.array(half_axes, np.float32)
        radius = np.sqrt(np.einsum("...i,...i", scaled, scaled))
        suv += uptake * special.expit((1 - radius) * min(half_axes) / 4)
    return np.maximum(suv, 0)


def grid(
    size: Sequence[int],
    spacing: Sequence[float],
    centre: Sequence[float] = (0, 0, 0),
    direction: np.ndarray | None = None,
) -> sitk.Image:
    axes = np.eye(3) if direction is None else direction
    image = sitk.Image(list(size), sitk.sitkFloat32)
    image.SetSpacing(list(spacing))
    image.SetDirection([float(x) for x in axes.ravel()])
    half = axes @ [(n - 1) / 2 * s for n, s in zip(size, spacing)]
    image.SetOrigin([float(c - h) for c, h in zip(centre, half)])
    return image


def points_of(image: sitk.Image) -> np.ndarray:
    """LPS mm of every voxel's centre: (k, j, i, 3)."""
    k, j, i = np.indices(sitk.GetArrayViewFromImage(image).shape)
    index = np.stack([i, j, k], axis=-1) * np.array(image.GetSpacing())
    axes = np.reshape(image.GetDirection(), (3, 3))
    return index @ axes.T + np.array(image.GetOrigin())


def filled(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    result = sitk.GetImageFromArray(values.astype(np.float32))
    result.CopyInformation(image)
    return result


def motion(
    rotation_deg: Sequence[float] = (0, 0, 0), shift_mm: Sequence[float] = (0, 0, 0)
) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*(math.radians(angle) for angle in rotation_deg))
    transform.SetTranslation([float(mm) for mm in shift_mm])
    return transform


def patient_on(image: sitk.Image, moved_by: sitk.Euler3DTransform | None = None) -> sitk.Image:
    """The patient, moved rigidly, as a scanner with this grid would see them."""
    points = points_of(image)
    if moved_by is not None:
        matrix = np.reshape(moved_by.GetMatrix(), (3, 3))
        points = (points - np.array(moved_by.GetTranslation())) @ matrix
    return filled(image, body_at(points.astype(np.float32)))


def largest_error_mm(found: sitk.Transform, true: sitk.Transform) -> float:
    corners = [(x, y, z) for x in (-150, 150) for y in (-90, 90) for z in (-350, 350)]
    return max(
        float(np.linalg.norm(np.subtract(found.TransformPoint(p), true.TransformPoint(p))))
        for p in corners
    )


@pytest.fixture(scope="module")
def template() -> sitk.Image:
    return patient_on(grid((88, 68, 144), (6, 6, 6)))


IDENTITY = Alignment(motion(), 1.0)


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

"""How far a seed grows, and what holds it back."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from flood_fill import components, flood, image, reference, spot, studies
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.growing import GrowthLimits


@settings(max_examples=80, deadline=None)
@given(studies(), st.integers(6, 9), st.floats(2, 8), st.floats(0.01, 0.2))
def test_a_finding_that_is_not_marked_as_limited_is_the_whole_contour(
    study: tuple[np.ndarray, np.ndarray], threshold: int, distance: float, volume: float
) -> None:
    score, pet = study
    limits = GrowthLimits(distance, volume, 0.0)
    result = delineate(image(score), image(pet), threshold, limits=limits)
    array = sitk.GetArrayFromImage(result.labels)
    whole = np.zeros(pet.shape, bool)
    for finding in reference(score, pet, threshold, 0.4):
        for voxel in finding:
            whole[voxel] = True
    for seed in components(score > np.float32(threshold)):
        suv_max = max(pet[voxel] for voxel in seed)
        contour = flood(pet >= np.float32(0.4) * suv_max, set(seed))
        numbers = {int(array[voxel]) for voxel in contour}
        owner = {int(array[voxel]) for voxel in contour if voxel in seed}
        assert 0 not in owner  # the seed's own hot voxels are always drawn
        if not any(result.growth_limited[number - 1] for number in owner):
            assert numbers == owner
    assert whole[array > 0].all()  # and the guard only ever takes away


def test_a_seed_of_one_voxel_grows_to_its_whole_lesion_and_a_second_lesion_is_left_alone() -> None:
    shape = (40, 40, 40)
    lesion, other = spot(shape, (12, 12, 12), 5, 8), spot(shape, (30, 30, 30), 4, 9)
    score = np.zeros(shape, np.float32)
    score[12, 12, 12] = 5
    labels = delineate(image(score), image(lesion + other), 3.0).labels
    assert np.array_equal(sitk.GetArrayFromImage(labels) == 1, lesion > 0)


def test_a_voxel_that_equals_the_fraction_belongs_to_the_finding() -> None:
    pet = np.array([[[10, 4.1, 4.0999]]], np.float32)
    score = np.array([[[1, 0, 0]]], np.float32)
    labels = sitk.GetArrayFromImage(delineate(image(score), image(pet), 0.5, grow=0.41).labels)
    assert labels.ravel().tolist() == [1, 1, 0]


def test_a_leak_along_a_vessel_is_struck_by_distance_measured_in_millimetres() -> None:
    pet = np.zeros((3, 3, 60), np.float32)
    pet[1, 1, 5:25] = 5  # 20 voxels in line, the seed is the first
    score = np.zeros_like(pet)
    score[1, 1, 5] = 1
    limits = GrowthLimits(distance_mm=19.0 * 3.0, volume_ml=1000.0)
    near = delineate(image(score, (3, 1, 1)), image(pet, (3, 1, 1)), 0.5, limits=limits)
    far = delineate(image(score, (3.1, 1, 1)), image(pet, (3.1, 1, 1)), 0.5, limits=limits)
    assert near.growth_limited == (False,)
    assert (sitk.GetArrayFromImage(near.labels) > 0).sum() == 20
    assert far.growth_limited == (True,)
    assert (sitk.GetArrayFromImage(far.labels) > 0).sum() == 1


def test_a_leak_into_a_hot_organ_is_struck_by_volume_and_keeps_the_seed() -> None:
    shape = (50, 50, 50)
    pet = np.maximum(spot(shape, (25, 25, 25), 15, 30), spot(shape, (25, 25, 7), 3, 6))
    score = np.where(spot(shape, (25, 25, 7), 2, 1) > 0, np.float32(5), np.float32(0))
    result = delineate(image(score), image(pet), 1.0)
    assert result.growth_limited == (True,)
    assert np.array_equal(sitk.GetArrayFromImage(result.labels) > 0, score > 0)


def test_the_volume_bound_counts_the_seed_of_the_contour() -> None:
    pet = np.full((1, 1, 100), 4, np.float32)  # 0.8 ml
    score = np.zeros_like(pet)
    score[..., :10] = 1  # 0.08 ml
    ten = delineate(image(score), image(pet), 0.5, limits=GrowthLimits(1000, 0.0, 10.0))
    nine = delineate(image(score), image(pet), 0.5, limits=GrowthLimits(1000, 0.0, 9.0))
    assert (ten.growth_limited, nine.growth_limited) == ((False,), (True,))

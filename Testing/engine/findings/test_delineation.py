"""Delineation against a flood fill in plain Python, and what must hold of any result."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.findings.delineation import UNLIMITED, Delineator, GrowthLimits, delineate
from PETAnomalyLib.engine.runtime.errors import InputError
from scipy import ndimage

STEPS = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]


def image(array: np.ndarray, spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> sitk.Image:
    result = sitk.GetImageFromArray(array)
    result.SetSpacing(spacing)
    return result


def flood(allowed: np.ndarray, start: set[tuple[int, int, int]]) -> frozenset:
    """The allowed voxels that can be reached from `start` through allowed 26-neighbours."""
    reached = {voxel for voxel in start if allowed[voxel]}  # (k, j, i)
    front = list(reached)
    while front:
        here = front.pop()
        for step in STEPS:
            there = (here[0] + step[0], here[1] + step[1], here[2] + step[2])
            if there in reached or any(p < 0 or p >= n for p, n in zip(there, allowed.shape)):
                continue
            if allowed[there]:
                reached.add(there)
                front.append(there)
    return frozenset(reached)


def components(mask: np.ndarray) -> list[frozenset]:
    left = {(int(k), int(j), int(i)) for k, j, i in np.argwhere(mask)}
    found = []
    while left:
        found.append(flood(mask, {min(left)}))
        left -= found[-1]
    return found


def reference(
    score: np.ndarray, pet: np.ndarray, threshold: float, grow: float | None
) -> set[frozenset]:
    """Grow every seed by itself; then what overlaps or touches is one finding."""
    drawn = np.zeros(score.shape, bool)
    for seed in components(score > np.float32(threshold)):
        suv_max = max(pet[voxel] for voxel in seed)
        contour = flood(pet >= np.float32(grow) * suv_max, set(seed)) if grow else seed
        for voxel in contour:
            drawn[voxel] = True
    return set(components(drawn))


def drawn_sets(labels: sitk.Image) -> set[frozenset]:
    array = sitk.GetArrayFromImage(labels)
    return {
        frozenset(tuple(int(p) for p in voxel) for voxel in np.argwhere(array == number))
        for number in range(1, int(array.max()) + 1)
    }


@st.composite
def studies(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A map and a PET of a few voxels; coarse values, so that plateaus and ties are common."""
    shape = draw(st.tuples(*[st.integers(2, 7)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.integers(2, 30))
    pet = (rng.integers(1, levels + 1, shape) / np.float32(4)).astype(np.float32)
    if draw(st.booleans()):
        pet = np.exp(rng.standard_normal(shape)).astype(np.float32)
    score = rng.integers(0, 10, shape).astype(np.float32)
    return score, pet


@settings(max_examples=150, deadline=None)
@given(studies(), st.integers(4, 9), st.sampled_from([None, 0.25, 0.4, 0.41, 0.5, 1.0]))
def test_findings_equal_a_flood_fill_voxel_for_voxel(
    study: tuple[np.ndarray, np.ndarray], threshold: int, grow: float | None
) -> None:
    score, pet = study
    result = delineate(image(score), image(pet), threshold, grow=grow, limits=UNLIMITED)
    assert drawn_sets(result.labels) == reference(score, pet, threshold, grow)
    assert result.growth_limited == (False,) * len(result.growth_limited)


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


@settings(max_examples=60, deadline=None)
@given(studies(), st.integers(2, 6))
def test_a_higher_threshold_never_adds_a_voxel_without_growing(
    study: tuple[np.ndarray, np.ndarray], threshold: int
) -> None:
    delineator = Delineator(image(study[0]), image(study[1]))
    lower = sitk.GetArrayFromImage(delineator.at(threshold, grow=None).labels) > 0
    higher = sitk.GetArrayFromImage(delineator.at(threshold + 2, grow=None).labels) > 0
    assert not (higher & ~lower).any()


@settings(max_examples=60, deadline=None)
@given(studies())
def test_findings_are_numbered_from_the_highest_score_down(
    study: tuple[np.ndarray, np.ndarray],
) -> None:
    score, pet = study
    array = sitk.GetArrayFromImage(delineate(image(score), image(pet), 6, grow=0.6).labels)
    keys = [
        (-score[array == number].max(), -(array == number).sum())
        for number in range(1, int(array.max()) + 1)
    ]
    assert keys == sorted(keys)


def spot(
    shape: tuple[int, int, int], centre: tuple[int, int, int], radius: float, suv: float
) -> np.ndarray:
    k, j, i = np.indices(shape)
    away = np.sqrt((k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2)
    return np.where(away <= radius, np.float32(suv), np.float32(0))


def test_a_seed_of_one_voxel_grows_to_its_whole_lesion_and_a_second_lesion_is_left_alone() -> None:
    shape = (40, 40, 40)
    lesion, other = spot(shape, (12, 12, 12), 5, 8), spot(shape, (30, 30, 30), 4, 9)
    score = np.zeros(shape, np.float32)
    score[12, 12, 12] = 5
    labels = delineate(image(score), image(lesion + other), 3.0).labels
    assert np.array_equal(sitk.GetArrayFromImage(labels) == 1, lesion > 0)


def test_contours_that_touch_at_a_corner_are_one_finding_and_a_gap_of_one_voxel_keeps_two() -> None:
    def count(step: int) -> int:
        pet = np.zeros((12, 12, 12), np.float32)
        pet[2:4, 2:4, 2:4] = 10
        start = 3 + step
        pet[start : start + 2, start : start + 2, start : start + 2] = 2
        return len(delineate(image(pet), image(pet), 1.0).growth_limited)

    assert (count(1), count(2)) == (1, 2)


def test_a_merged_finding_keeps_what_both_seeds_drew() -> None:
    pet = np.array([[[10, 5, 3, 2, 1.9, 1]]], np.float32)
    score = np.array([[[9, 0, 0, 9, 0, 0]]], np.float32)
    labels = sitk.GetArrayFromImage(delineate(image(score), image(pet), 5.0).labels)
    # 10 draws to 4, so the voxels 10, 5; 2 draws to 0.8 and so runs over all of the row.
    assert labels.ravel().tolist() == [1, 1, 1, 1, 1, 1]


def test_a_voxel_that_equals_the_fraction_belongs_to_the_finding() -> None:
    pet = np.array([[[10, 4.1, 4.0999]]], np.float32)
    score = np.array([[[1, 0, 0]]], np.float32)
    labels = sitk.GetArrayFromImage(delineate(image(score), image(pet), 0.5, grow=0.41).labels)
    assert labels.ravel().tolist() == [1, 1, 0]


def test_a_score_that_equals_the_threshold_is_no_seed() -> None:
    score = np.full((3, 3, 3), 0.1, np.float32)
    pet = np.ones((3, 3, 3), np.float32)
    assert delineate(image(score), image(pet), 0.1).growth_limited == ()


def test_an_empty_map_gives_empty_labels_on_the_pets_own_grid() -> None:
    pet = image(np.ones((4, 5, 6), np.float32), (1.5, 2.5, 3.5))
    pet.SetOrigin((-10, 20, 30))
    pet.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    score = sitk.Image(pet) * 0
    labels = delineate(score, pet, 1.0).labels
    assert labels.GetPixelID() == sitk.sitkUInt16
    assert sitk.GetArrayFromImage(labels).sum() == 0
    for get in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(labels, get)() == getattr(pet, get)()


def test_seeds_start_only_inside_the_scored_mask_and_contours_may_leave_it() -> None:
    pet = np.array([[[5, 5, 5, 0, 5]]], np.float32)
    score = np.full(pet.shape, 9, np.float32)
    scored = image(np.array([[[1, 0, 0, 0, 0]]], np.uint8))
    labels = delineate(image(score), image(pet), 1.0, scored_mask=scored).labels
    assert sitk.GetArrayFromImage(labels).ravel().tolist() == [1, 1, 1, 0, 0]


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


def test_findings_below_the_minimum_volume_are_left_out_after_merging() -> None:
    pet = np.array([[[5, 5, 5, 0, 5, 5]]], np.float32)
    kept = delineate(image(pet, (10, 10, 10)), image(pet, (10, 10, 10)), 1.0, min_volume_ml=3.0)
    labels = sitk.GetArrayFromImage(kept.labels)
    assert labels.ravel().tolist() == [1, 1, 1, 0, 0, 0]


def test_flags_follow_their_findings_when_numbers_change() -> None:
    pet = np.zeros((1, 1, 200), np.float32)
    pet[..., 0:100] = 5  # leaks
    pet[..., 150:153] = 5  # does not
    score = np.zeros_like(pet)
    score[..., 0], score[..., 151] = 3, 9
    result = delineate(image(score), image(pet), 1.0, limits=GrowthLimits(20.0, 1000.0))
    assert result.growth_limited == (False, True)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": 1.0, "grow": 1.5}, "growth fraction"),
        ({"threshold": 1.0, "grow": -0.1}, "growth fraction"),
        ({"threshold": 1.0, "min_volume_ml": -1.0}, "minimum volume"),
    ],
)
def test_a_setting_out_of_range_is_named(setting: dict, word: str) -> None:
    pet = image(np.ones((3, 3, 3), np.float32))
    with pytest.raises(InputError, match=word):
        delineate(pet, pet, **setting)


def test_a_map_on_another_grid_or_with_nan_is_refused_by_name() -> None:
    pet = image(np.ones((3, 3, 3), np.float32))
    with pytest.raises(InputError, match="anomaly map does not lie on the PET's grid"):
        Delineator(image(np.ones((3, 3, 3), np.float32), (2, 2, 2.5)), pet)
    bad = np.ones((3, 3, 3), np.float32)
    bad[1, 1, 1] = np.nan
    with pytest.raises(InputError, match="anomaly map holds voxels that are not numbers"):
        Delineator(image(bad), pet)
    with pytest.raises(InputError, match="PET holds voxels that are not numbers"):
        Delineator(pet, image(bad))


def test_more_findings_than_labels_are_refused_with_what_to_do() -> None:
    score = np.zeros((84, 84, 84), np.float32)
    score[::2, ::2, ::2] = 1
    with pytest.raises(InputError, match="74088 separate findings") as caught:
        delineate(image(score), image(score), 0.5, grow=None)
    assert "threshold" in caught.value.hint


def test_a_hundred_findings_are_redrawn_in_less_time_than_one_labelling_of_the_volume() -> None:
    rng = np.random.default_rng(5)
    pet = np.full((150, 400, 400), 0.5, np.float32)
    score = np.zeros_like(pet)
    for _ in range(100):
        k, j, i = (int(rng.integers(10, n - 20)) for n in pet.shape)
        pet[k : k + 6, j : j + 8, i : i + 8] = 6
        score[k + 2 : k + 5, j + 2 : j + 6, i + 2 : i + 6] = 4
    delineator = Delineator(image(score), image(pet))
    redraw = min(_cpu_seconds(lambda: delineator.at(3.0)) for _ in range(3))
    assert redraw < _cpu_seconds(lambda: ndimage.label(score > 3.0, np.ones((3, 3, 3))))


def _cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin

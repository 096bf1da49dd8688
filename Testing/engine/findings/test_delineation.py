"""Delineation against a flood fill in plain Python, and what must hold of any result."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from flood_fill import image, reference, studies
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.findings.delineation import Delineator, delineate
from PETAnomalyLib.engine.findings.growing import UNLIMITED, GrowthLimits
from PETAnomalyLib.engine.runtime.errors import InputError
from scipy import ndimage


def drawn_sets(labels: sitk.Image) -> set[frozenset]:
    array = sitk.GetArrayFromImage(labels)
    return {
        frozenset(tuple(int(p) for p in voxel) for voxel in np.argwhere(array == number))
        for number in range(1, int(array.max()) + 1)
    }


@settings(max_examples=150, deadline=None)
@given(studies(), st.integers(4, 9), st.sampled_from([None, 0.25, 0.4, 0.41, 0.5, 1.0]))
def test_findings_equal_a_flood_fill_voxel_for_voxel(
    study: tuple[np.ndarray, np.ndarray], threshold: int, grow: float | None
) -> None:
    score, pet = study
    result = delineate(image(score), image(pet), threshold, grow=grow, limits=UNLIMITED)
    assert drawn_sets(result.labels) == reference(score, pet, threshold, grow)
    assert result.growth_limited == (False,) * len(result.growth_limited)


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

"""The steps of papers 2 and 3 against what they say, pixel by pixel."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.scoring.postprocessing import (
    PostProcessing,
    eroded,
    postprocessed,
    scaled,
    without_small_regions,
)
from scipy import ndimage

SHAPE = (4, 9, 8)


def a_study(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A signed map, and a brain with a ragged edge that touches the border of the picture."""
    rng = np.random.default_rng(seed)
    score = rng.normal(0.4, 1.0, SHAPE).round(1).astype(np.float32)
    brain = ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.0) > -0.1
    return score, brain


def planes(volume: np.ndarray, axis: int) -> list[np.ndarray]:
    return [volume.take(n, axis) for n in range(volume.shape[axis])]


def by_the_papers(
    score: np.ndarray, brain: np.ndarray, axis: int, window: int, percentile: float, steps: int
) -> np.ndarray:
    """Equations 2 and 3, one pixel after the other."""
    half = window // 2
    smooth = []
    for x, b in zip(planes(score, axis), planes(brain, axis)):
        inside = np.pad(b, 1)
        for _ in range(steps):
            up, down = np.roll(inside, 1, 0), np.roll(inside, -1, 0)
            inside = inside & up & down & np.roll(inside, 1, 1) & np.roll(inside, -1, 1)
        inside = inside[1:-1, 1:-1]
        positive = np.pad(np.where(inside & (x > 0), x, 0), half)
        plane = np.zeros_like(x)
        for i, j in np.argwhere(inside):
            plane[i, j] = np.median(positive[i : i + window, j : j + window])
        smooth.append(plane)
    whole = np.stack(smooth, axis)
    if (whole > 0).any():
        whole[whole < np.percentile(whole[whole > 0], percentile)] = 0
    return whole


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(0, 2),
    st.sampled_from([1, 3, 5, 9]),
    st.sampled_from([0.0, 1.0, 30.0]),
    st.integers(0, 2),
)
def test_equations_2_and_3(
    seed: int, axis: int, window: int, percentile: float, steps: int
) -> None:
    score, brain = a_study(seed)
    found = postprocessed(score, brain, axis, window, percentile, steps)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        found, by_the_papers(score, brain, axis, window, percentile, steps)
    )
    assert not found[~eroded(brain, axis, steps)].any()


def test_the_lowest_percent_is_of_the_positive_values() -> None:
    score = np.zeros((1, 40, 40), np.float32)
    score.ravel()[:200] = np.arange(1, 201)  # 1,400 zeros beside them
    found = postprocessed(score, np.ones(score.shape, bool), 0, 1, 1.0, 0)
    assert sorted(set(range(1, 201)) - set(found.ravel().tolist())) == [1, 2]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_regions_are_counted_in_their_own_slice(axis: int) -> None:
    taken = np.zeros((3, 12, 12), bool)
    taken[1, 2:5, 2:4] = True  # six pixels
    taken[1, 5, 4] = True  # the seventh, at a corner
    taken[0:3, 9, 9] = True  # three voxels, one in each slice
    taken[2, 7, 0:7] = True
    expected = taken.copy()
    expected[0:3, 9, 9] = False
    turned = np.moveaxis(taken, 0, axis)
    found = without_small_regions(turned, axis, 7)
    np.testing.assert_array_equal(np.moveaxis(found, axis, 0), expected)
    expected[1] = False
    smaller = turned.copy()
    np.moveaxis(smaller, axis, 0)[1, 5, 4] = False
    np.testing.assert_array_equal(
        np.moveaxis(without_small_regions(smaller, axis, 7), axis, 0), expected
    )


def test_kernels_at_another_size() -> None:
    paper_3 = PostProcessing(9, 0.0, 3, 7)
    assert scaled(paper_3, 1.0, 1.0) == paper_3
    assert scaled(paper_3, 1.0, 2.0) == PostProcessing(5, 0.0, 2, 2)
    assert scaled(PostProcessing(5, 1.0, 0, 1), 1.0, 2.0) == PostProcessing(3, 1.0, 0, 1)
    assert scaled(PostProcessing(1, 0.0, 0, 1), 1.0, 3.0) == PostProcessing(1, 0.0, 0, 1)
    assert scaled(paper_3, 1.0, 100.0) == PostProcessing(3, 0.0, 1, 1)
    for mm in np.linspace(0.4, 6, 57):
        window = scaled(paper_3, 1.0, float(mm)).median_voxels
        assert window % 2 == 1
        assert window == 3 or abs(window - 9 / mm) <= 1 + 1e-9


def test_a_whole_head_takes_no_time() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=(100, 128, 128)).astype(np.float32)
    z, y, x = np.ogrid[-1:1:100j, -1:1:128j, -1:1:128j]
    brain = z**2 + (y / 0.9) ** 2 + (x / 0.8) ** 2 < 1
    start = time.process_time()
    postprocessed(score, brain, 0, 5, 1.0, 1)
    assert time.process_time() - start < 1.5

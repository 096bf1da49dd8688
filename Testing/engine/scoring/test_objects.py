"""The steps of paper 4 against what it says, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from absent_package import make_absent
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.known_error import MissingPackageError
from PETAnomalyLib.engine.scoring.objects import (
    MASSES,
    PLAQUES,
    ObjectSteps,
    combined_map,
    filtered,
    objects_of,
    refined,
    shown,
    tissue_classes,
)
from scipy import ndimage

SHAPE = (3, 9, 8)
TILES = np.repeat(np.repeat([[0, 1], [2, 3]], [4, 5], 0), [5, 3], 1)


def a_map(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).random(SHAPE).astype(np.float32)
    return (0.4 * noise + 0.6 * ndimage.maximum_filter(noise > 0.96, 3)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0, 1, 2]), st.booleans())
def test_each_positions_residual_is_scaled_and_all_are_added(
    seed: int, axis: int, of_volume: bool
) -> None:
    rng = np.random.default_rng(seed)
    slices = rng.normal(0.3, 1.0, SHAPE).astype(np.float32)
    brain = rng.random(SHAPE) > 0.2
    expected = np.zeros(SHAPE)
    for number in range(4):
        masked = np.where(brain & (number == TILES), np.maximum(slices, 0), 0)
        largest = masked.max() if of_volume else masked.max((1, 2), keepdims=True)
        expected += masked / np.where(largest > 0, largest, 1)
    found = combined_map(
        np.moveaxis(slices, 0, axis), np.moveaxis(brain, 0, axis), axis, of_volume, TILES
    )
    assert np.moveaxis(found, axis, 0) == pytest.approx(expected, abs=1e-6)
    assert found.max() <= 1


def test_without_positions_a_slice_is_one() -> None:
    residual = np.array([[[1.0, -3.0], [2.0, 8.0]], [[0.0, 0.0], [0.0, 0.0]]], np.float32)
    brain = np.array([[[1, 1], [1, 0]], [[1, 1], [1, 1]]], bool)
    assert combined_map(residual, brain, 0, False).tolist() == [[[0.5, 0], [1, 0]], [[0, 0]] * 2]


def by_the_paper(plane: np.ndarray, steps: ObjectSteps) -> np.ndarray:
    """Erosion, threshold, components by mean, dilation: one pixel after the other."""
    half = steps.eroded_edge // 2
    wide = np.pad(plane, half)
    rows, columns = plane.shape
    windows = steps.eroded_edge
    eroded = [[wide[i : i + windows, j : j + windows].min() for j in range(columns)]
              for i in range(rows)]  # fmt: skip
    left = {(int(i), int(j)) for i, j in np.argwhere(np.array(eroded) > steps.threshold)}
    parts = []
    while left:
        part, todo = set(), [left.pop()]
        while todo:
            i, j = todo.pop()
            part.add((i, j))
            near = {(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & left
            left -= near
            todo += near
        parts.append(part)
    parts.sort(key=lambda part: np.mean([plane[at] for at in part]), reverse=True)
    kept = np.zeros(plane.shape, bool)
    for part in parts[: steps.kept]:
        for i, j in part:
            reach = steps.dilated_edge // 2
            kept[max(0, i - reach) : i + reach + 1, max(0, j - reach) : j + reach + 1] = True
    return kept


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([MASSES, PLAQUES]), st.integers(1, 3))
def test_objects_are_eroded_ranked_and_dilated_as_the_paper_says(
    seed: int, steps: ObjectSteps, kept: int
) -> None:
    steps = replace(steps, kept=kept, classes=0)
    score = a_map(seed)
    brain = np.ones(SHAPE, bool)
    drawn = objects_of(score, score, brain, 0, steps)
    for plane, found in zip(score, drawn):
        assert np.array_equal(found, by_the_paper(plane, steps))
    turned = np.moveaxis(score, 0, 1)
    assert np.array_equal(
        objects_of(turned, turned, np.moveaxis(brain, 0, 1), 1, steps), np.moveaxis(drawn, 0, 1)
    )


def test_of_a_volume_the_best_of_all_slices_are_kept() -> None:
    score = np.zeros((5, 12, 12), np.float32)
    for n, value in enumerate((0.6, 0.9, 0.7, 0.8, 0.0)):
        score[n, 2 * n : 2 * n + 2, 2 * n : 2 * n + 2] = value
    score[0] = 0.0
    score[2:4, 9:11, 0:2] = 0.95  # one object through two slices
    steps = ObjectSteps(eroded_edge=1, threshold=0.5, kept=2, dilated_edge=1, of_volume=True)
    labels = filtered(score, steps)
    assert np.array_equal(labels == 1, score == np.float32(0.95))
    assert labels[1, 2, 2] == 2
    assert labels.max() == 2
    each = objects_of(score, score, score >= 0, 0, replace(steps, of_volume=False, classes=0))
    assert np.array_equal(each, score > 0)


def test_the_mixture_finds_what_an_image_was_made_of() -> None:
    """By hand: three tissues of 0.1, 0.5 and 0.9, sd 0.02; the best border is the middle."""
    rng = np.random.default_rng(4)
    truth = rng.integers(1, 4, (2, 40, 40))
    image = (np.array([0.0, 0.1, 0.5, 0.9])[truth] + rng.normal(0, 0.02, truth.shape)).astype(
        np.float32
    )
    brain = np.ones(truth.shape, bool)
    brain[:, :5] = False
    found = tissue_classes(image, brain, 3)
    assert np.array_equal(found, np.where(brain, truth, 0))
    assert not tissue_classes(image, np.zeros_like(brain), 3).any()
    assert not tissue_classes(np.full_like(image, 0.5), brain, 3).any()


def test_of_two_normal_distributions_the_border_is_where_their_densities_meet() -> None:
    """w1 N(x; m1, s) = w2 N(x; m2, s): x = (m1 + m2)/2 + s^2 ln(w1/w2)/(m2 - m1)."""
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0.3, 0.05, 18_000), rng.normal(0.6, 0.05, 2_000)])
    image = values.astype(np.float32)[None, None]
    classes = tissue_classes(image, np.ones(image.shape, bool), 2)
    border = image[classes == 1].max()
    expected = 0.45 + 0.05**2 * np.log(9) / 0.3
    assert border == pytest.approx(expected, abs=0.006)
    assert border < image[classes == 2].min()


def test_an_object_takes_the_edges_of_the_class_it_shares_most_with() -> None:
    """By hand: of class 1 four pixels shared, of class 2 two; class 1 far away is not taken."""
    classes = np.zeros((1, 6, 20), np.int32)
    classes[0, :, 10:] = 3
    classes[0, 1:5, 0:3] = 1
    classes[0, 1:5, 3:6] = 2
    classes[0, 1:5, 8:10] = 1
    objects = np.zeros_like(classes)
    objects[0, 2:4, 1:4] = 1
    expected = np.zeros(classes.shape, bool)
    expected[0, 1:5, 0:3] = True
    assert np.array_equal(refined(objects, classes), expected)
    tie = np.zeros_like(classes)
    tie[0, 2, 2:4] = 1
    classes[0, 4, 3:6] = 0  # class 2 has become the smaller one
    assert np.array_equal(refined(tie, classes), classes == 2)
    tissue = np.zeros_like(classes)
    tissue[0, 2:4, 9:13] = 1  # in class 3, most of the brain: six pixels, of 20 x 6
    assert np.array_equal(refined(tissue, classes), tissue > 0)
    nothing = np.zeros_like(classes)
    assert np.array_equal(refined(objects, nothing), objects > 0)


def test_a_map_above_one_half_is_the_objects_and_order_stays() -> None:
    score = a_map(7)
    drawn = np.random.default_rng(8).random(SHAPE) > 0.7
    written = shown(score, drawn)
    assert np.array_equal(written > 0.5, drawn)
    outside = np.argsort(score[~drawn], kind="stable")
    assert (np.diff(written[~drawn][outside]) >= 0).all()
    assert (written >= 0).all()
    assert (written <= 1).all()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.linspace(0, 1, 1000, dtype=np.float32).reshape(1, 10, 100)
    make_absent("sklearn", (), monkeypatch)
    with pytest.raises(MissingPackageError, match="scikit-learn"):
        tissue_classes(image, image >= 0, 5)

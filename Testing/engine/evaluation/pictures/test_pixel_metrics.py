"""AUROC and AUPRO against scikit-learn's curves, region by region, as anomalib computes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.evaluation.pictures.pixel_metrics import aupro, auroc
from scipy import ndimage
from sklearn.metrics import roc_auc_score, roc_curve


def random_pictures(seed: int, levels: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Maps with ties, more of them where there are few levels, and blobs as truth."""
    random = np.random.default_rng(seed)
    maps, truths = [], []
    for _ in range(3):
        truth = ndimage.gaussian_filter(random.normal(size=(17, 13)), 1.5) > 0.25
        score = random.normal(size=truth.shape) + truth * random.uniform(0, 2)
        maps.append(np.round(score * levels).astype(np.float32))
        truths.append(truth)
    return maps, truths


def brute_force_aupro(maps: list[np.ndarray], truths: list[np.ndarray], limit: float) -> float:
    """anomalib's: the ROC curve of every region against the background, cut at the limit."""
    background = np.concatenate([m[~t] for m, t in zip(maps, truths)])
    areas = []
    for score, truth in zip(maps, truths):
        regions, count = ndimage.label(truth, np.ones((3, 3)))
        for number in range(1, count + 1):
            inside = score[regions == number]
            labels = np.r_[np.zeros(len(background)), np.ones(len(inside))]
            fpr, tpr, _ = roc_curve(labels, np.r_[background, inside], drop_intermediate=False)
            below = fpr <= limit
            x, y = fpr[below], tpr[below]
            if x[-1] < limit:
                x, y = np.r_[x, limit], np.r_[y, np.interp(limit, fpr, tpr)]
            areas.append(np.trapezoid(y, x) / limit)
    return float(np.mean(areas))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 100]), st.sampled_from([0.05, 0.3, 1.0]))
def test_aupro_is_the_mean_area_of_the_regions_curves(seed: int, levels: int, limit: float) -> None:
    maps, truths = random_pictures(seed, levels)
    if any(truth.any() for truth in truths):
        expected = brute_force_aupro(maps, truths, limit)
        assert aupro(maps, truths, limit) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 100]))
def test_auroc_is_scikit_learns(seed: int, levels: int) -> None:
    maps, truths = random_pictures(seed, levels)
    truth, score = (np.concatenate([x.ravel() for x in of]) for of in (truths, maps))
    if truth.any():
        assert auroc(maps, truths) == pytest.approx(roc_auc_score(truth, score))


def test_a_perfect_map_has_1_and_a_constant_one_half_of_what_it_may() -> None:
    truth = np.zeros((20, 20), bool)
    truth[4:9, 4:9] = True
    perfect = truth.astype(np.float32)
    assert auroc([perfect], [truth]) == aupro([perfect], [truth]) == 1.0
    constant = np.zeros((20, 20), np.float32)
    assert auroc([constant], [truth]) == 0.5
    assert aupro([constant], [truth]) == pytest.approx(0.15)  # 0.3 x 0.3 / 2, over 0.3


def test_a_small_region_counts_as_much_as_a_large_one() -> None:
    truth = np.zeros((40, 40), bool)
    truth[:20, :20] = truth[30, 30] = True
    score = np.zeros((40, 40), np.float32)
    score[:20, :20] = 1.0
    assert aupro([score], [truth]) == pytest.approx((1.0 + 0.15) / 2)
    assert auroc([score], [truth]) > 0.99


def test_without_a_defect_there_is_no_figure() -> None:
    score, truth = np.ones((5, 5), np.float32), np.zeros((5, 5), bool)
    assert np.isnan(auroc([score], [truth]))
    assert np.isnan(aupro([score], [truth]))

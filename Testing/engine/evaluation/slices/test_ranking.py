"""Areas and Dice of resampled cohorts, against scikit-learn on the cohort itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.evaluation.slices.ranking import Ranking
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score


def studies(seed: int, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Few values, so that there are ties, and half of them 0."""
    rng = np.random.default_rng(seed)
    truths = [rng.random(rng.integers(5, 40)) < 0.3 for _ in range(count)]
    truths[0][:2] = [True, False]
    scores = [np.maximum(0, rng.integers(-3, 4, len(t)) + t).astype(np.float32) for t in truths]
    return scores, truths


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_a_cohort_is_its_studies_as_often_as_it_has_them(seed: int, often: list[int]) -> None:
    often[0] += 1
    scores, truths = studies(seed, 3)
    ranking = Ranking.of(scores, truths)
    score, truth = (
        np.concatenate([np.tile(part, n) for part, n in zip(parts, often)])
        for parts in (scores, truths)
    )
    times = np.array([often], float)
    assert ranking.auroc(times)[0] == pytest.approx(roc_auc_score(truth, score))
    assert ranking.auprc(times)[0] == pytest.approx(average_precision_score(truth, score))
    # Only the scores of something anomalous are thresholds.
    best = max(f1_score(truth, score >= t) for t in np.unique(score[truth]))
    assert ranking.best_dice(times)[0] == pytest.approx(best)


def test_the_best_threshold_is_that_of_all_studies_once() -> None:
    scores, truths = studies(3, 4)
    ranking = Ranking.of(scores, truths)
    score, truth = np.concatenate(scores), np.concatenate(truths)
    at_best = f1_score(truth, score >= ranking.best_threshold)
    assert at_best == pytest.approx(ranking.best_dice(np.ones((1, 4)))[0])


def test_cohorts_of_one_kind_have_no_area() -> None:
    ranking = Ranking.of(
        [np.array([1, 2], np.float32)] * 2, [np.array([True, False]), np.array([False, False])]
    )
    none, only = ranking.auroc(np.array([[0.0, 2.0], [1.0, 0.0]]))
    assert np.isnan(none)
    assert only == 0
    assert np.isnan(ranking.auprc(np.array([[0.0, 1.0]]))[0])

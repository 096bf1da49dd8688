"""Tests and intervals over studies, against formulas and cases with a known answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PETAnomalyLib.engine.evaluation.comparison import between, compare, measure, paired_t_test
from PETAnomalyLib.engine.evaluation.metrics import (
    VoxelCounts,
    count_voxels,
    stacked,
    thresholds_of,
)
from scipy import stats
from sklearn.metrics import average_precision_score, f1_score


def cohort(seed: int, studies: int, signal: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores and truths; lesions score higher by `signal`."""
    rng = np.random.default_rng(seed)
    truths = [rng.random(200) < 0.2 for _ in range(studies)]
    return [((rng.normal(size=200) + signal * t).astype(np.float32), t) for t in truths]


def counted(studies: list[tuple[np.ndarray, np.ndarray]]) -> VoxelCounts:
    thresholds = thresholds_of(np.concatenate([score[truth] for score, truth in studies]))
    return stacked([count_voxels(score, truth, thresholds) for score, truth in studies])


def test_estimates_are_sklearns_of_the_pool_and_of_each_study() -> None:
    studies = cohort(0, 5, 1.0)
    found = measure(counted(studies)).estimates
    score, truth = (np.concatenate(arrays) for arrays in zip(*studies))
    assert found["auprc"].value == pytest.approx(average_precision_score(truth, score))
    for (s, t), own in zip(studies, found["auprc"].by_study):
        assert own == pytest.approx(average_precision_score(t, s))
    best = max(np.unique(score), key=lambda level: f1_score(truth, score >= level))
    for (s, t), own in zip(studies, found["dice"].by_study):
        assert own == pytest.approx(f1_score(t, s >= best))


def test_the_interval_of_two_studies_spans_all_their_cohorts() -> None:
    # Resampled cohorts are AA, AB and BB with 1/4, 1/2 and 1/4: each weighs more than 2.5 %.
    studies = cohort(1, 2, 1.0)
    found = measure(counted(studies)).estimates["auprc"]
    cohorts = [average_precision_score(t, s) for s, t in studies] + [found.value]
    assert found.low == pytest.approx(min(cohorts))
    assert found.high == pytest.approx(max(cohorts))


def test_cohorts_without_lesions_are_left_out_of_the_interval() -> None:
    # Of 27 cohorts of these three studies 8 have no lesion; the lesions' own study thrice is one,
    # and once beside another one twice three, of the 19 that are left.
    (score, truth), *others = cohort(6, 3, 0.5)
    none = np.zeros(200, bool)
    found = measure(counted([(score, truth), *((s, none) for s, _ in others)]))
    assert np.isnan(found.resampled["auprc"]).mean() == pytest.approx(8 / 27, abs=0.05)
    hidden = [
        average_precision_score(np.concatenate([truth, none, none]), np.concatenate([score, s, s]))
        for s, _ in others
    ]
    assert found.estimates["auprc"].low == pytest.approx(min(hidden))
    assert found.estimates["auprc"].high == pytest.approx(average_precision_score(truth, score))


def test_a_study_without_lesions_lowers_the_pool_and_has_no_value_of_its_own() -> None:
    studies = cohort(2, 3, 1.0)
    healthy = (studies[0][0], np.zeros(200, bool))
    alone, together = measure(counted(studies)), measure(counted([*studies, healthy]))
    assert together.estimates["auprc"].value < alone.estimates["auprc"].value
    assert together.estimates["auprc"].by_study[3] is None
    assert together.estimates["dice"].by_study[3] is None
    (one, _) = compare({"a": together, "b": together})
    assert one.studies == 3


def test_the_better_map_is_better_and_the_same_map_is_no_different() -> None:
    good, poor = (measure(counted(cohort(3, 12, signal))) for signal in (2.0, 0.5))
    found = compare({"poor": poor, "good": good, "again": good})
    auprc = between(found, "good", "poor", "auprc")
    assert auprc.difference > 0
    assert auprc.low is not None
    assert auprc.low > 0
    assert auprc.p is not None
    assert auprc.p < 0.001
    same = between(found, "good", "again", "dice")
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, None)


def test_turning_a_comparison_round_turns_its_signs() -> None:
    one, other = (measure(counted(cohort(4, 6, signal))) for signal in (1.5, 0.5))
    found = compare({"one": one, "other": other})
    ahead, back = between(found, "one", "other", "dice"), between(found, "other", "one", "dice")
    assert ahead.low is not None
    assert (back.difference, back.high) == (-ahead.difference, -ahead.low)
    assert (back.p, back.mean_difference) == (ahead.p, -ahead.mean_difference)


def test_the_paired_t_test_is_students_formula() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(0.5, 1, 9), rng.normal(0, 1, 9)
    d = x - y
    t = d.mean() / (d.std(ddof=1) / math.sqrt(len(d)))
    assert paired_t_test(x, y) == pytest.approx(2 * stats.t.sf(abs(t), len(d) - 1))
    assert paired_t_test(x[:1], y[:1]) is None

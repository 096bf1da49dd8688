"""Dice and average precision against scikit-learn and against counting."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.evaluation.froc import operating_curve
from PETAnomalyLib.engine.evaluation.metrics import (
    MOST_THRESHOLDS,
    count_findings,
    count_voxels,
    finding_quality,
    map_quality,
    stacked,
    thresholds_of,
)
from PETAnomalyLib.engine.study.lesion_mask import number_lesions
from sklearn.metrics import average_precision_score, f1_score


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60).filter(
        lambda pairs: any(truth for _, truth in pairs)
    )
)
def test_map_quality_is_sklearns_average_precision_and_the_best_f1(
    pairs: list[tuple[int, bool]],
) -> None:
    score = np.array([s for s, _ in pairs], np.float32)  # few values: ties are the hard part
    truth = np.array([t for _, t in pairs])
    cut = len(pairs) // 2
    thresholds = thresholds_of(score[truth])
    halves = [(score[:cut], truth[:cut]), (score[cut:], truth[cut:])]
    found = map_quality(thresholds, stacked([count_voxels(*half, thresholds) for half in halves]))
    assert np.isclose(found.auprc, average_precision_score(truth, score))
    best = max(f1_score(truth, score >= t) for t in np.unique(score))
    assert np.isclose(found.best_dice, best)
    assert np.isclose(f1_score(truth, score >= found.best_threshold), best)


def test_fewer_thresholds_than_lesion_voxels_change_no_third_decimal() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200_000) < 0.1
    score = (rng.normal(size=len(truth)) + 1.5 * truth).astype(np.float32)
    thresholds = thresholds_of(score[truth])
    assert len(thresholds) == MOST_THRESHOLDS < truth.sum()
    found = map_quality(thresholds, stacked([count_voxels(score, truth, thresholds)]))
    assert abs(found.auprc - average_precision_score(truth, score)) < 5e-4


def test_findings_are_counted_lesion_by_lesion() -> None:
    truth = np.zeros((4, 8, 8), bool)
    truth[0, 0, :2] = True  # hit by finding 1
    truth[2, 4, 4] = truth[3, 5, 5] = True  # one lesion: they touch at a corner; missed
    label = np.zeros((4, 8, 8), np.uint16)
    label[0, 0, 1:4] = 1
    label[3, 0, 0] = 2  # hits nothing
    counts = count_findings(label, number_lesions(truth))
    assert (counts.ranks, counts.false_positives) == ((1, 0), (2,))
    found = finding_quality([counts])
    assert (found.lesions, found.lesions_hit, found.false_positives) == (2, 1, 1)
    assert np.isclose(found.dice, 2 * 1 / (4 + 4))
    assert (found.precision, found.recall) == (1 / 4, 1 / 4)


def test_a_study_without_lesions_counts_by_its_false_positives() -> None:
    truth = nothing = np.zeros((2, 2, 2), np.uint16)
    one = nothing.copy()
    one[0, 0, 0] = 1
    counts = [count_findings(labels, truth) for labels in (nothing, one)]
    assert finding_quality(counts).false_positives == 1


def test_a_lesions_rank_is_its_first_finding() -> None:
    truth = np.array([[[1, 1, 1, 0, 2, 2]]])
    label = np.array([[[3, 2, 0, 1, 0, 0]]], np.uint16)
    assert count_findings(label, truth).ranks == (2, 0)


def test_the_operating_curve_counts_at_every_threshold() -> None:
    truth = np.zeros((1, 1, 6), bool)
    truth[0, 0, [0, 1, 4]] = True
    score = np.array([[[5.0, 1.0, 0.0, 3.0, 2.0, 0.0]]])

    thresholds = [0.5, 4.0]
    counts = [count_findings(number_lesions(score > t), number_lesions(truth)) for t in thresholds]
    low, high = operating_curve(thresholds, [counts])
    # Above 0.5: voxels 0-1 (a hit) and 3-4 (touching the second lesion). Above 4: voxel 0 alone.
    assert (low.sensitivity, low.false_positives_a_scan, low.recall) == (1.0, 0.0, 1.0)
    assert (low.precision, low.dice) == (3 / 4, 6 / 7)
    assert (high.sensitivity, high.false_positives_a_scan) == (0.5, 0.0)
    assert (high.precision, high.recall, high.dice) == (1.0, 1 / 3, 0.5)

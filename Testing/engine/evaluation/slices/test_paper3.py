"""Paper 3's measures against scikit-learn, against counting, and on heads with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from heads_of_noise import a_head
from PETAnomalyLib.engine.evaluation.slices import paper3
from PETAnomalyLib.engine.evaluation.slices.head import HealedHead
from PETAnomalyLib.engine.scoring.postprocessing import (
    PostProcessing,
    postprocessed,
    without_small_regions,
)
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

STEPS = PostProcessing(3, 0.0, 1, 4)
HEADS = [a_head(seed, axis=1) for seed in range(5)]
VALIDATION, TEST = HEADS[:2], HEADS[2:]


def difference(head: HealedHead) -> np.ndarray:
    return np.abs(head.residual)


def test_errors_are_means_over_brain_lesion_and_slices() -> None:
    head = HEADS[0]
    found = paper3.errors_of(head)
    size = np.abs(head.residual)
    inside, outside = head.lesions, head.brain & ~head.lesions
    assert found.l1 == pytest.approx((size[outside].mean(), size[inside].mean()), rel=1e-5)
    assert found.l2 == pytest.approx(
        ((size[outside] ** 2).mean(), (size[inside] ** 2).mean()), rel=1e-5
    )
    expected = [
        (size.take(n, 1)[b].mean(), head.lesions.take(n, 1).any())
        for n in range(size.shape[1])
        if (b := head.brain.take(n, 1)).any()
    ]
    np.testing.assert_allclose(found.slices, [mean for mean, _ in expected], rtol=1e-5)
    assert found.anomalous.tolist() == [lesion for _, lesion in expected]
    assert found.sample == pytest.approx(np.mean(found.slices))


def test_samples_are_ranked_by_their_error() -> None:
    healthy = [paper3.errors_of(a_head(seed, healthy=True)) for seed in range(10, 18)]
    anomalous = [paper3.errors_of(a_head(seed)) for seed in range(20, 26)]
    assert np.isnan(healthy[0].l1[1])
    found = paper3.by_sample(healthy, anomalous).estimates
    score = [one.sample for one in (*healthy, *anomalous)]
    truth = [False] * len(healthy) + [True] * len(anomalous)
    assert found["auroc"].value == pytest.approx(roc_auc_score(truth, score))
    assert found["auprc"].value == pytest.approx(average_precision_score(truth, score))
    assert found["auroc"].by_study == [None] * 14
    assert found["auroc"].low is not None


def test_slices_are_ranked_within_heads_with_lesions() -> None:
    errors = [paper3.errors_of(head) for head in HEADS]
    found = paper3.by_slice(errors).estimates
    score = np.concatenate([one.slices for one in errors])
    truth = np.concatenate([one.anomalous for one in errors])
    assert found["auroc"].value == pytest.approx(roc_auc_score(truth, score))
    assert found["auprc"].value == pytest.approx(average_precision_score(truth, score))
    first = errors[0]
    assert found["auroc"].by_study[0] == pytest.approx(roc_auc_score(first.anomalous, first.slices))


def drawn(head: HealedHead, threshold: float) -> np.ndarray:
    score = postprocessed(np.abs(head.residual), head.brain, head.axis, 3, 0.0, 1)
    return without_small_regions(score >= threshold, head.axis, 4)


def total_dice(heads: list[HealedHead], threshold: float) -> float:
    taken = np.concatenate([drawn(head, threshold).ravel() for head in heads])
    return float(f1_score(np.concatenate([head.lesions.ravel() for head in heads]), taken))


def test_pixels_are_judged_at_the_threshold_of_the_validation_heads() -> None:
    found = paper3.by_pixel(lambda: VALIDATION, lambda: TEST, difference, STEPS)
    assert found.validation_dice == pytest.approx(total_dice(VALIDATION, found.threshold))
    highest = max(
        postprocessed(np.abs(h.residual), h.brain, 1, 3, 0.0, 1).max() for h in VALIDATION
    )
    # What the search looks at first is no better than what it ends with.
    for quarter in (0.25, 0.75):
        assert found.validation_dice >= total_dice(VALIDATION, quarter * highest) - 1e-12
    estimates = found.measured.estimates
    assert estimates["dice_t"].value == pytest.approx(total_dice(TEST, found.threshold))
    subjects = [total_dice([head], found.threshold) for head in TEST]
    assert estimates["dice_s"].value == pytest.approx(np.mean(subjects))
    assert estimates["dice_s"].by_study == pytest.approx(subjects)
    assert found.spread == pytest.approx(np.std(subjects))


def test_auprc_of_pixels_is_of_what_the_median_leaves() -> None:
    found = paper3.by_pixel(lambda: VALIDATION, lambda: TEST, difference, STEPS).measured
    score = [postprocessed(np.abs(h.residual), h.brain, 1, 3, 0.0, 1)[h.brain] for h in TEST]
    truth = [head.lesions[head.brain] for head in TEST]
    assert found.estimates["auprc"].value == pytest.approx(
        average_precision_score(np.concatenate(truth), np.concatenate(score))
    )


def test_a_model_that_marks_the_lesions_alone_is_perfect() -> None:
    heads = [a_head(seed, residual=None) for seed in range(3)]
    found = paper3.by_pixel(
        lambda: heads[:1], lambda: heads[1:], difference, PostProcessing(1, 0.0, 0, 1)
    )
    for estimate in found.measured.estimates.values():
        assert estimate.value == pytest.approx(1)
    dark = [HealedHead(h.name, h.image, -h.residual, h.brain, h.lesions, h.axis) for h in heads]
    again = paper3.by_pixel(
        lambda: dark[:1], lambda: dark[1:], difference, PostProcessing(1, 0.0, 0, 1)
    )
    assert again.measured.estimates["dice_t"].value == pytest.approx(1)


def test_a_model_that_marks_nothing_has_no_dice() -> None:
    heads = [HealedHead(h.name, h.image, 0 * h.residual, h.brain, h.lesions, h.axis) for h in HEADS]
    found = paper3.by_pixel(lambda: heads[:2], lambda: heads[2:], difference, STEPS)
    assert found.measured.estimates["dice_t"].value == 0
    truth = np.concatenate([head.lesions[head.brain] for head in TEST])
    assert found.measured.estimates["auprc"].value == pytest.approx(truth.mean())

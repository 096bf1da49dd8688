"""Paper 2's measures against scikit-learn, MONAI, SSIM's own formula and known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from heads_of_noise import a_head
from monai.metrics.meandice import compute_dice
from PETAnomalyLib.engine.evaluation.slices import paper2
from PETAnomalyLib.engine.evaluation.slices.head import HealedHead
from PETAnomalyLib.engine.scoring.postprocessing import PostProcessing, postprocessed
from scipy.ndimage import correlate1d
from sklearn.metrics import average_precision_score, roc_auc_score

STEPS = PostProcessing(3, 1.0, 0, 1)


def residual(head: HealedHead) -> np.ndarray:
    return head.residual


def scored(head: HealedHead) -> np.ndarray:
    return postprocessed(head.residual, head.brain, head.axis, 3, 1.0, 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pixels_of_all_brains_are_one_ranking(axis: int) -> None:
    heads = [a_head(seed, axis=axis) for seed in range(3)]
    found = paper2.judge(heads, residual, STEPS).measured.estimates
    score = np.concatenate([scored(head)[head.brain] for head in heads])
    truth = np.concatenate([head.lesions[head.brain] for head in heads])
    assert found["auroc"].value == pytest.approx(roc_auc_score(truth, score))
    assert found["auprc"].value == pytest.approx(average_precision_score(truth, score))
    for head, own in zip(heads, found["auroc"].by_study):
        inside = head.brain
        assert own == pytest.approx(roc_auc_score(head.lesions[inside], scored(head)[inside]))


@pytest.mark.parametrize("axis", [0, 2])
def test_dice_of_slices_and_subjects_is_monais(axis: int) -> None:
    heads = [a_head(seed, axis=axis) for seed in range(3)]
    found = paper2.judge(heads, residual, STEPS)
    with_lesion, with_brain, subjects = [], [], []
    for head in heads:
        above = (scored(head) >= found.threshold) & head.brain
        taken, truth = (
            torch.from_numpy(np.ascontiguousarray(head.slices(part)).astype(np.float32))
            for part in (above, head.lesions)
        )
        filled = torch.from_numpy(np.asarray(head.slices(head.brain).any(axis=(1, 2))))
        one, other = taken[filled][:, None], truth[filled][:, None]
        with_lesion.append(compute_dice(one, other, ignore_empty=True).numpy().ravel())
        with_brain.append(compute_dice(one, other, ignore_empty=False).numpy().ravel())
        subjects.append(compute_dice(taken[None, None], truth[None, None]).item())
    slices = np.concatenate(with_lesion)
    slices = slices[~np.isnan(slices)]
    estimates = found.measured.estimates
    assert estimates["dice_of_slices"].value == pytest.approx(slices.mean(), rel=1e-5)
    assert found.spread_of_slices == pytest.approx(slices.std(), rel=1e-5)
    everywhere = np.concatenate(with_brain)
    assert estimates["dice_of_all_slices"].value == pytest.approx(everywhere.mean(), rel=1e-5)
    assert estimates["dice_of_subjects"].value == pytest.approx(np.mean(subjects), rel=1e-5)
    assert estimates["dice"].by_study == pytest.approx(subjects, rel=1e-5)
    assert found.spread_of_subjects == pytest.approx(np.std(subjects), rel=1e-5)


def test_a_model_that_marks_the_lesions_alone_is_perfect() -> None:
    heads = [a_head(seed, residual=None) for seed in range(2)]
    found = paper2.judge(heads, residual, PostProcessing(1, 0.0, 0, 1))
    values = {name: one.value for name, one in found.measured.estimates.items()}
    assert values == pytest.approx(dict.fromkeys(values, 1.0))
    assert (found.spread_of_slices, found.spread_of_subjects) == (0, 0)


def test_a_lesion_beyond_the_mask_has_been_missed() -> None:
    head = a_head(0, residual=None)
    cut = HealedHead(
        head.name, head.image, head.residual, head.brain & ~head.lesions, head.lesions, head.axis
    )
    found = paper2.judge([cut], residual, PostProcessing(1, 0.0, 0, 1))
    assert found.measured.estimates["auroc"].value == pytest.approx(0.5)


def by_wang(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM of two pictures as the 2004 paper has it, window by window, no padding."""
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()

    def mean(picture: np.ndarray) -> np.ndarray:
        for axis in (0, 1):
            picture = correlate1d(picture, weights, axis)
        return picture[5:-5, 5:-5]

    x, y = x.astype(float), y.astype(float)
    a, b = mean(x), mean(y)
    var_x, var_y, cov = mean(x * x) - a * a, mean(y * y) - b * b, mean(x * y) - a * b
    c1, c2 = 0.01**2, 0.03**2
    ratio = (2 * a * b + c1) * (2 * cov + c2) / ((a**2 + b**2 + c1) * (var_x + var_y + c2))
    return float(ratio.mean())


@pytest.mark.parametrize("axis", [0, 1])
def test_ssim_is_the_mean_over_slices_with_brain(axis: int) -> None:
    head = a_head(1, axis=axis, shape=(20, 22, 24))
    expected = [
        by_wang(x, y)
        for x, y, b in zip(*map(head.slices, (head.image, head.reconstruction, head.brain)))
        if b.any()
    ]
    assert 1 < len(expected) < head.image.shape[axis]
    assert paper2.ssim_of(head) == pytest.approx(np.mean(expected), abs=1e-4)


def test_a_copy_has_ssim_one() -> None:
    head = a_head(1, shape=(4, 9, 9))  # smaller than the window
    same = HealedHead(head.name, head.image, 0 * head.residual, head.brain, head.lesions, head.axis)
    assert paper2.ssim_of(same) == pytest.approx(1)
    found = paper2.fidelity([0.5, 0.7]).estimates["ssim"]
    assert (found.value, found.low, found.high) == pytest.approx((0.6, 0.5, 0.7))

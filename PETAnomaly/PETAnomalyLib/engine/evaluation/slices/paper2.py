"""How paper 2 judges: AUROC, AUPRC and the best possible Dice of pixels, SSIM of healthy heads.

Decided where the paper is silent:

- All pixels of the brains of all studies are one ranking. What lies beside the brain is 0 by
  equation 2 and counts nowhere: pictures with more air would only raise the AUROC.
- [DSC], the theoretically best possible Dice, is that of the one threshold that is best over the
  pixels of all studies. Its mean and spread over slices are of the slices with a lesion; a slice
  without has no Dice. With those too, 1 where nothing is taken, it is given beside.
- SSIM is of whole slices that hold brain, as the paper's are, Gaussian of 1.5 pixels in 11 x 11.

References:
    A. Ghorbel et al., Transformer based Models for Unsupervised Anomaly Segmentation in Brain MR
    Images, 2022, sections 3.1, 4.1 and 4.3, Table 2.
    Z. Wang et al., Image quality assessment, IEEE TIP 13:600, 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from monai.metrics.regression import SSIMMetric

from PETAnomalyLib.engine.evaluation.comparison import Measured, Values
from PETAnomalyLib.engine.evaluation.metrics import Scores, Truth
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.evaluation.slices.ranking import Ranking
from PETAnomalyLib.engine.evaluation.slices.resampling import Measure, mean_of, measured
from PETAnomalyLib.engine.scoring.postprocessing import PostProcessing, postprocessed

STEPS = PostProcessing(5, 1.0, 0, 1)
"""Equations 2 and 3."""
PIXEL_MM = 1.0
"""Of the paper's slices, 256 x 256: those of BraTS are 240 x 240 of 1 mm."""

SSIM_WINDOW = 11
SLICES_AT_ONCE = 16

AUROC, AUPRC, DICE, SSIM = "auroc", "auprc", "dice", "ssim"
DICE_OF_SLICES, DICE_OF_SUBJECTS = "dice_of_slices", "dice_of_subjects"
DICE_OF_ALL_SLICES = "dice_of_all_slices"

ScoreOf = Callable[[HealedHead], Array]


@dataclass(frozen=True)
class Judgement:
    """One way of scoring pixels, over the heads of one disease.

    Attributes:
        measured: AUROC, AUPRC, best Dice over all pixels, and its means.
        threshold: that of the best Dice.
        spread_of_slices, spread_of_subjects: standard deviations of Dice at that threshold.
    """

    measured: Measured
    threshold: float
    spread_of_slices: float
    spread_of_subjects: float


@dataclass(frozen=True)
class _Pixels:
    """Those that are judged of one head: score, whether in a lesion, and in which slice."""

    score: Scores
    truth: Truth
    place: npt.NDArray[np.intp]


def judge(heads: Iterable[HealedHead], score_of: ScoreOf, steps: PostProcessing) -> Judgement:
    """Judge a score, post-processed.

    Args:
        heads: with lesions; each is looked at once.
        score_of: a head, D x H x W, larger where more anomalous; what is negative is healthy.
        steps: equations 2 and 3, at the size of these pixels.

    Raises:
        InputError: there is no lesion.
    """
    pixels = [_pixels(head, score_of, steps) for head in heads]
    ranking = Ranking.of([one.score for one in pixels], [one.truth for one in pixels])
    threshold = ranking.best_threshold
    with_lesions, with_brain = (
        [_slice_dice(one, threshold, everywhere) for one in pixels] for everywhere in (False, True)
    )
    subjects = np.array([_dice(one.score >= threshold, one.truth) for one in pixels])
    measures = {
        AUROC: Measure(ranking.auroc, ranking.auroc(ranking.alone)),
        AUPRC: Measure(ranking.auprc, ranking.auprc(ranking.alone)),
        DICE: Measure(ranking.best_dice, subjects),
        DICE_OF_SLICES: mean_of_parts(with_lesions),
        DICE_OF_ALL_SLICES: mean_of_parts(with_brain),
        DICE_OF_SUBJECTS: mean_of(subjects),
    }
    return Judgement(
        measured=measured(measures, [len(pixels)]),
        threshold=threshold,
        spread_of_slices=float(np.std(np.concatenate(with_lesions))),
        spread_of_subjects=float(np.nanstd(subjects)),
    )


def ssim_of(head: HealedHead) -> float:
    """Mean structural similarity of the slices that hold brain with their reconstructions."""
    filled = head.slices(head.brain).any(axis=(1, 2))
    images, made = (
        torch.from_numpy(np.ascontiguousarray(head.slices(volume)[filled], np.float32))[:, None]
        for volume in (head.image, head.reconstruction)
    )
    # MONAI's window may not be larger than the picture.
    window = min(SSIM_WINDOW, *(n - 1 + n % 2 for n in images.shape[2:]))
    metric = SSIMMetric(spatial_dims=2, data_range=1.0, win_size=window)
    for one, other in zip(images.split(SLICES_AT_ONCE), made.split(SLICES_AT_ONCE)):
        metric(other, one)
    return float(np.mean(np.asarray(metric.aggregate())))


def fidelity(values: list[float]) -> Measured:
    """SSIM over healthy heads, one value each."""
    return measured({SSIM: mean_of(np.array(values))}, [len(values)])


def mean_of_parts(parts: list[Values]) -> Measure:
    """The mean over the slices of all studies; a study counts by how many it has.

    Args:
        parts: the values of each study's slices.
    """
    sums = np.array([part.sum() for part in parts])
    counts = np.array([len(part) for part in parts])

    def of(times: Values) -> Values:
        with np.errstate(invalid="ignore"):
            return np.asarray(times @ sums / (times @ counts))

    return Measure(of, np.array([part.mean() if len(part) else np.nan for part in parts]))


def _pixels(head: HealedHead, score_of: ScoreOf, steps: PostProcessing) -> _Pixels:
    score = postprocessed(
        score_of(head),
        head.brain,
        head.axis,
        steps.median_voxels,
        steps.squash_percentile,
        steps.eroded_voxels,
    )
    judged = head.judged
    return _Pixels(score[judged], head.lesions[judged], np.nonzero(judged)[head.axis])


def _dice(taken: Truth, truth: Truth) -> float:
    return float(2 * (taken & truth).sum() / (taken.sum() + truth.sum())) if truth.any() else np.nan


def _slice_dice(pixels: _Pixels, threshold: float, everywhere: bool) -> Values:
    """Of the slices with a lesion; or of all, 1 where nothing is and nothing is taken."""
    taken = pixels.score >= threshold
    slices = int(pixels.place.max()) + 1
    drawn, true, both, judged = (
        np.bincount(pixels.place[which], minlength=slices)
        for which in (taken, pixels.truth, taken & pixels.truth, slice(None))
    )
    with np.errstate(invalid="ignore"):
        dice = np.where(drawn + true > 0, 2 * both / (drawn + true), 1.0)
    return np.asarray(dice[judged > 0 if everywhere else true > 0], float)

"""How paper 3 judges: samples and slices by their error, pixels at a threshold of validation heads.

Decided where the paper is silent or says two things:

- The error of a slice is the mean of |x - x_hat| over its pixels of brain, that of a sample the
  mean over its slices with brain: neither says how large a brain is.
- Slices are told apart within heads with lesions, as section 4.2.4 has it: with the slices of 477
  healthy heads beside them an AUPRC of 0.83 at an AUROC of 0.84 cannot be.
- "Positive difference images" are |x - x_hat|. In T1w tumours and infarcts are dark: of max(x -
  x_hat, 0), as in paper 2, little of them would be left.
- DICE_T is of the pixels of all slices of all samples, counted together (equation 4.3); DICE_S is
  the mean over samples.
- The eroded rim is three pixels at 1 mm. The scores there are 0, and lesions there are missed.
- The threshold is sought with small regions dropped, as it is used, between the lowest and the
  highest score of the validation heads.

Heads are judged in the model's frame. Where its pixels are not the paper's 1 mm, median, erosion
and smallest region are scaled (`scoring/postprocessing.py`): the paper makes its reconstructions
larger instead, which changes what a median sees, and little else.

References:
    Paper 3 (Reddipalli, 2022), section 4.2.4, equations 4.1 to 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from PETAnomalyLib.engine.evaluation.comparison import Measured, Values
from PETAnomalyLib.engine.evaluation.slices.halving import best_by_halving
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead, Mask
from PETAnomalyLib.engine.evaluation.slices.ranking import Ranking
from PETAnomalyLib.engine.evaluation.slices.resampling import Measure, mean_of, measured
from PETAnomalyLib.engine.scoring.postprocessing import (
    PostProcessing,
    postprocessed,
    without_small_regions,
)

STEPS = PostProcessing(9, 0.0, 3, 7)
SMALLER_MEDIAN = replace(STEPS, median_voxels=5)
"""Tables 5.1 to 5.3, and the other half of Table 5.4."""
PIXEL_MM = 1.0

AUROC, AUPRC = "auroc", "auprc"
DICE_T, DICE_S = "dice_t", "dice_s"
ERRORS = ("l1_healthy", "l1_anomalous", "l2_healthy", "l2_anomalous")

ScoreOf = Callable[[HealedHead], Array]
Heads = Callable[[], Iterable[HealedHead]]
"""Gives the same heads each time it is asked: they are read again, not kept."""


@dataclass(frozen=True)
class Errors:
    """How well one head is reconstructed.

    Attributes:
        slices: mean |x - x_hat| of each slice with brain.
        anomalous: which of these slices hold a lesion.
        l1, l2: mean |x - x_hat| and (x - x_hat)^2 of the healthy and of the anomalous pixels; NaN
            without any.
    """

    slices: Values
    anomalous: Mask
    l1: tuple[float, float]
    l2: tuple[float, float]

    @property
    def sample(self) -> float:
        """The anomaly score of the whole head."""
        return float(self.slices.mean())


@dataclass(frozen=True)
class Pixels:
    """Pixels of the heads of one disease, at the threshold of its validation heads.

    Attributes:
        measured: DICE_T, DICE_S and AUPRC.
        threshold: found by ten halvings.
        validation_dice: DICE_T of the validation heads there.
        spread: standard deviation of Dice over samples.
    """

    measured: Measured
    threshold: float
    validation_dice: float
    spread: float


def errors_of(head: HealedHead) -> Errors:
    """Of one head, before any post-processing."""
    size = np.abs(head.residual)
    brain = head.slices(head.brain)
    filled = brain.any(axis=(1, 2))
    inside = np.where(brain, head.slices(size), 0)[filled].sum(axis=(1, 2), dtype=float)
    lesions = np.asarray(head.slices(head.lesions)[filled].any(axis=(1, 2)))
    healthy, anomalous = size[head.brain & ~head.lesions], size[head.lesions]

    def both(values: Callable[[Array], Array]) -> tuple[float, float]:
        of_healthy, of_lesions = (
            float(values(part).mean(dtype=float)) if len(part) else np.nan
            for part in (healthy, anomalous)
        )
        return of_healthy, of_lesions

    return Errors(
        slices=inside / brain[filled].sum(axis=(1, 2)),
        anomalous=lesions,
        l1=both(lambda part: part),
        l2=both(np.square),
    )


def by_sample(healthy: Sequence[Errors], anomalous: Sequence[Errors]) -> Measured:
    """AUROC and AUPRC of heads with a disease among healthy ones, by their mean error."""
    heads = [*healthy, *anomalous]
    truths = [np.array([place >= len(healthy)]) for place in range(len(heads))]
    ranking = Ranking.of([np.array([head.sample], np.float32) for head in heads], truths)
    measures = {AUROC: Measure(ranking.auroc), AUPRC: Measure(ranking.auprc)}
    return measured(measures, [len(healthy), len(anomalous)])


def by_slice(heads: Sequence[Errors]) -> Measured:
    """AUROC and AUPRC of slices with a lesion among the others of heads with a disease."""
    ranking = Ranking.of(
        [head.slices.astype(np.float32) for head in heads], [head.anomalous for head in heads]
    )
    measures = {
        AUROC: Measure(ranking.auroc, ranking.auroc(ranking.alone)),
        AUPRC: Measure(ranking.auprc, ranking.auprc(ranking.alone)),
    }
    return measured(measures, [len(heads)])


def errors_over(heads: Sequence[Errors]) -> Measured:
    """Means over heads of their l1 and l2 errors, in healthy and in anomalous pixels."""
    columns = np.array([[*head.l1, *head.l2] for head in heads]).T
    known = {
        name: mean_of(column)
        for name, column in zip(ERRORS, columns)
        if not np.isnan(column).all()  # healthy heads have no anomalous pixels
    }
    return measured(known, [len(heads)])


def by_pixel(validation: Heads, heads: Heads, score_of: ScoreOf, steps: PostProcessing) -> Pixels:
    """Judge a score at the threshold that the validation heads of the same disease give.

    Args:
        validation, heads: with lesions.
        score_of: a head, D x H x W, larger where more anomalous.
        steps: section 4.2.4, at the size of these pixels.

    Raises:
        InputError: there is no lesion.
    """
    threshold, validation_dice = _threshold_of(
        [_Scored.of(head, score_of, steps) for head in validation()], steps
    )
    counts, scores, truths = [], [], []
    for head in heads():
        one = _Scored.of(head, score_of, steps)
        counts.append(one.counts(threshold, steps))
        scores.append(one.score[one.judged])
        truths.append(one.lesions[one.judged])
    both, drawn, true = np.array(counts, float).reshape(-1, 3).T
    with np.errstate(invalid="ignore"):
        subjects = np.where(true > 0, 2 * both / (drawn + true), np.nan)

    def total(times: Values) -> Values:
        return np.asarray(2 * (times @ both) / np.maximum(times @ (drawn + true), 1))

    ranking = Ranking.of(scores, truths)
    measures = {
        DICE_T: Measure(total, subjects),
        DICE_S: mean_of(subjects),
        AUPRC: Measure(ranking.auprc, ranking.auprc(ranking.alone)),
    }
    return Pixels(
        measured=measured(measures, [len(counts)]),
        threshold=threshold,
        validation_dice=validation_dice,
        spread=float(np.nanstd(subjects)),
    )


@dataclass(frozen=True)
class _Scored:
    """What is left of a head to threshold: the box around its brain."""

    score: Array
    lesions: Mask
    judged: Mask
    axis: int

    @classmethod
    def of(cls, head: HealedHead, score_of: ScoreOf, steps: PostProcessing) -> _Scored:
        score = postprocessed(
            score_of(head),
            head.brain,
            head.axis,
            steps.median_voxels,
            steps.squash_percentile,
            steps.eroded_voxels,
        )
        judged = head.judged
        box = tuple(
            slice(int(places.min()), int(places.max()) + 1) if len(places) else slice(0, 0)
            for places in np.nonzero(judged)
        )
        return cls(score[box].copy(), head.lesions[box].copy(), judged[box].copy(), head.axis)

    def counts(self, threshold: float, steps: PostProcessing) -> tuple[int, int, int]:
        """Pixels that are drawn and true, drawn, true."""
        # 0 is what post-processing has found to be nothing, whatever the threshold.
        taken = without_small_regions(
            (self.score >= threshold) & (self.score > 0), self.axis, steps.smallest_region_pixels
        )
        return int((taken & self.lesions).sum()), int(taken.sum()), int(self.lesions.sum())


def _threshold_of(heads: Sequence[_Scored], steps: PostProcessing) -> tuple[float, float]:
    """By ten halvings, and DICE_T there."""
    highest = max((float(one.score.max(initial=0)) for one in heads), default=0.0)

    def dice_at(threshold: float) -> float:
        counts = [one.counts(threshold, steps) for one in heads]
        both, drawn, true = (sum(part) for part in zip(*counts))
        return 2 * both / max(1, drawn + true)

    return best_by_halving(dice_at, 0.0, highest)

"""How well a score tells what is anomalous from what is not: AUROC, AUPRC, Dice, over studies.

What is ranked may be the pixels of studies, their slices, or the studies themselves. A study counts
as often as a resampled cohort has it, so that each measure is known for a thousand cohorts at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.evaluation.metrics import (
    Scores,
    Shares,
    Truth,
    VoxelCounts,
    count_voxels,
    stacked,
    thresholds_of,
)


@dataclass(frozen=True)
class Ranking:
    """S studies at each of T falling thresholds.

    Attributes:
        thresholds: T.
        counts: `metrics.stacked`; its "voxels" are whatever is ranked.
        on_curve: the same above each threshold, then at it, S x 2T: recall changes at thresholds
            alone, the rate of false positives between them too.
        everything: how many are ranked, S.
    """

    thresholds: Scores
    counts: VoxelCounts
    on_curve: VoxelCounts
    everything: npt.NDArray[np.int64]

    @classmethod
    def of(cls, scores: Sequence[Scores], truths: Sequence[Truth]) -> Ranking:
        """Of the scores of each study, 1-D, and whether each is anomalous.

        Raises:
            InputError: nothing is.
        """
        scores = [np.asarray(score, np.float32) for score in scores]
        thresholds = thresholds_of(np.concatenate([s[t] for s, t in zip(scores, truths)]))
        above = np.nextafter(thresholds, np.float32(np.inf))
        above_and_at = np.stack([above, thresholds], axis=1).ravel()

        def counted(falling: Scores) -> VoxelCounts:
            return stacked([count_voxels(s, t, falling) for s, t in zip(scores, truths)])

        everything = np.array([len(score) for score in scores])
        return cls(thresholds, counted(thresholds), counted(above_and_at), everything)

    @property
    def studies(self) -> int:
        """S."""
        return len(self.everything)

    @property
    def alone(self) -> Shares:
        """Every study as a cohort of its own, S x S."""
        return np.eye(self.studies)

    def auroc(self, times: Shares) -> Shares:
        """Area under the receiver operating characteristic, ties half; B.

        Args:
            times: B x S, how often each study is in each cohort. NaN where one has but one kind.
        """
        cohorts = _summed(times, self.on_curve)
        anomalous = cohorts.in_lesions
        healthy = times @ self.everything - anomalous
        with np.errstate(invalid="ignore", divide="ignore"):
            found = cohorts.hits / anomalous[:, None]
            false = (cohorts.taken - cohorts.hits) / healthy[:, None]
        ends = np.ones((len(times), 1))
        x, y = (np.hstack([0 * ends, share, ends]) for share in (false, found))
        return np.asarray(np.sum(np.diff(x) * (y[:, 1:] + y[:, :-1]) / 2, axis=1))

    def auprc(self, times: Shares) -> Shares:
        """Average precision; B. NaN where a cohort has nothing anomalous."""
        return _summed(times, self.counts).auprc()

    def best_dice(self, times: Shares) -> Shares:
        """The highest Dice that one threshold gives a cohort; B. NaN likewise."""
        cohorts = _summed(times, self.counts)
        return np.where(cohorts.in_lesions > 0, cohorts.dice().max(axis=-1), np.nan)

    @property
    def best_threshold(self) -> float:
        """That of the cohort that has every study once."""
        [dice] = _summed(np.ones((1, self.studies)), self.counts).dice()
        return float(self.thresholds[int(dice.argmax())])


def _summed(times: Shares, counts: VoxelCounts) -> VoxelCounts:
    """Of each cohort, B x T."""
    # Counts of whole studies, as floats for the fast product.
    summed: list[Any] = [
        times @ each.astype(float) for each in (counts.taken, counts.hits, counts.in_lesions)
    ]
    return VoxelCounts(*summed)

"""How good a model's maps and findings are where the lesions are known (paper 1, section 4).

Studies are counted one by one and pooled by adding the counts, as in a cohort's single
precision-recall curve: a study without lesions then counts by its false positives. Maps are judged
inside the scored mask, findings everywhere, both on the PET's own grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.lesion_mask import Labels

Scores = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

# With as many, a step of recall is 1/5,000: less than the third decimal of an area.
MOST_THRESHOLDS = 5_000


@dataclass(frozen=True)
class VoxelCounts:
    """The voxels of one study, or of several, at or above each of T falling thresholds.

    Attributes:
        taken: all of them, (..., T).
        hits: those that lie in a lesion, (..., T).
        in_lesions: voxels of lesions, whatever their score, (...).
    """

    taken: Counts
    hits: Counts
    in_lesions: Counts

    def dice(self) -> Shares:
        """At each threshold, (..., T); without lesions 0 wherever anything is taken."""
        return 2 * self.hits / np.maximum(self.taken + self.in_lesions[..., None], 1)

    def auprc(self) -> Shares:
        """Area under the precision-recall curve as average precision, (...); NaN without lesions.

        The sum over the thresholds of the recall won at each times the precision there.
        """
        won = np.diff(self.hits, prepend=0, axis=-1)
        precision = self.hits / np.maximum(self.taken, 1)
        area = np.sum(won * precision, axis=-1)
        with_lesions = np.where(self.in_lesions > 0, self.in_lesions, np.nan)
        return np.asarray(area / with_lesions)


@dataclass(frozen=True)
class MapQuality:
    """How well a map separates lesions from all else.

    Attributes:
        best_dice: the highest Dice that any one threshold gives over all studies.
        best_threshold: that threshold; voxels above or equal to it count.
        auprc: area under the precision-recall curve, as average precision.
    """

    best_dice: float
    best_threshold: float
    auprc: float


@dataclass(frozen=True)
class FindingCounts:
    """The drawn findings of one study against its true lesions.

    Attributes:
        overlap, drawn, true: voxels in both, in findings, in lesions.
        ranks: for each lesion the number of the first finding that overlaps it, 0 for none; the
            finding with the highest score is number 1.
        false_positives: numbers of the findings that overlap no lesion.
    """

    overlap: int
    drawn: int
    true: int
    ranks: tuple[int, ...]
    false_positives: tuple[int, ...]

    @property
    def lesions_hit(self) -> int:
        """Lesions that a finding overlaps."""
        return sum(rank > 0 for rank in self.ranks)


@dataclass(frozen=True)
class FindingQuality:
    """How well drawn findings match the true lesions.

    Attributes:
        dice, precision, recall: over the voxels of all studies.
        lesions: true lesions.
        lesions_hit: those that a finding overlaps.
        false_positives: findings that overlap no lesion.
    """

    dice: float
    precision: float
    recall: float
    lesions: int
    lesions_hit: int
    false_positives: int


def thresholds_of(in_lesions: Scores) -> Scores:
    """The thresholds at which a curve changes: the scores of the lesions' voxels, falling.

    Recall only changes at the score of a lesion's voxel: no other threshold need be looked at.

    Raises:
        InputError: there is no such voxel.
    """
    if not len(in_lesions):
        raise InputError(
            "none of the studies has a lesion that a model can see",
            "precision and recall need lesions to be found",
        )
    thresholds = np.unique(in_lesions)[::-1]
    if len(thresholds) > MOST_THRESHOLDS:
        chosen = np.linspace(0, len(thresholds) - 1, MOST_THRESHOLDS).astype(np.int64)
        thresholds = thresholds[chosen]
    return thresholds


def count_voxels(score: Scores, truth: Truth, thresholds: Scores) -> VoxelCounts:
    """Count one study.

    Args:
        score: the map's values at its scored voxels, any shape.
        truth: whether those voxels lie in a lesion.
        thresholds: falling.
    """
    candidates = np.sort(score[score >= thresholds[-1]])
    in_lesions = np.sort(score[truth])
    return VoxelCounts(
        taken=len(candidates) - np.searchsorted(candidates, thresholds),
        hits=len(in_lesions) - np.searchsorted(in_lesions, thresholds),
        in_lesions=np.asarray(len(in_lesions)),
    )


def stacked(counts: Sequence[VoxelCounts]) -> VoxelCounts:
    """Those of S studies at the same thresholds: S x T, S x T and S."""
    return VoxelCounts(
        np.stack([one.taken for one in counts]),
        np.stack([one.hits for one in counts]),
        np.stack([one.in_lesions for one in counts]),
    )


def pooled(counts: VoxelCounts) -> VoxelCounts:
    """The sum over the studies of `stacked`."""
    return VoxelCounts(counts.taken.sum(0), counts.hits.sum(0), counts.in_lesions.sum(0))


def map_quality(thresholds: Scores, studies: VoxelCounts) -> MapQuality:
    """Judge a map at every threshold over all studies.

    Args:
        thresholds: falling.
        studies: `stacked`.

    References:
        Paper 1, section 4: best achievable Dice by a search over thresholds, and AUPRC.
    """
    everything = pooled(studies)
    dice = everything.dice()
    best = int(dice.argmax())
    return MapQuality(float(dice[best]), float(thresholds[best]), float(everything.auprc()))


def count_findings(labels: Labels, truth: Labels) -> FindingCounts:
    """Compare the findings of one study with its true lesions.

    Args:
        labels: D x H x W finding numbers, 0 for none.
        truth: D x H x W lesion numbers, as from `number_lesions`.
    """
    lesions = int(truth.max(initial=0))
    in_lesions = truth > 0
    lesion, finding = truth[in_lesions], labels[in_lesions]
    none = np.iinfo(np.int64).max
    first = np.full(lesions + 1, none, np.int64)
    np.minimum.at(first, lesion[finding > 0], finding[finding > 0])
    drawn = labels[labels > 0]
    false = set(np.unique(drawn).tolist()) - set(np.unique(finding).tolist())
    return FindingCounts(
        overlap=int(np.count_nonzero(finding)),
        drawn=len(drawn),
        true=len(lesion),
        ranks=tuple(0 if rank == none else int(rank) for rank in first[1:]),
        false_positives=tuple(sorted(false)),
    )


def finding_quality(studies: Sequence[FindingCounts]) -> FindingQuality:
    """The counts of all studies added up."""
    overlap, drawn, true = (
        sum(getattr(one, name) for one in studies) for name in ("overlap", "drawn", "true")
    )
    return FindingQuality(
        dice=2 * overlap / max(1, drawn + true),
        precision=overlap / max(1, drawn),
        recall=overlap / max(1, true),
        lesions=sum(len(one.ranks) for one in studies),
        lesions_hit=sum(one.lesions_hit for one in studies),
        false_positives=sum(len(one.false_positives) for one in studies),
    )

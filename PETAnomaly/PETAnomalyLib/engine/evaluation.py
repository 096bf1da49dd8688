"""How good a model's maps and findings are where the lesions are known (paper 1, section 4).

Voxels of all studies are pooled, as in a cohort's single precision-recall curve: a study without
lesions then counts by its false positives. All on the PET's own grid, inside the scored mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from PETAnomalyLib.engine.errors import InputError

Scores = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]
NEIGHBOURS_26 = np.ones((3, 3, 3), bool)


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
class FindingQuality:
    """How well drawn findings match the true lesions.

    Attributes:
        dice: over the voxels of all studies.
        lesions: true lesions.
        lesions_hit: those that a finding overlaps.
        false_positives: findings that overlap no lesion.
    """

    dice: float
    lesions: int
    lesions_hit: int
    false_positives: int


def map_quality(scores: Sequence[Scores], truths: Sequence[Truth]) -> MapQuality:
    """Pool the scored voxels of all studies and judge every threshold.

    Args:
        scores: for each study, the map's values at its scored voxels, any shape.
        truths: for each study, whether those voxels lie in a lesion.

    Raises:
        InputError: no study has a lesion.

    References:
        Paper 1, section 4: best achievable Dice by a search over thresholds, and AUPRC.
    """
    score = np.sort(np.concatenate([s.ravel() for s in scores]))
    lesion_score = np.sort(np.concatenate([s[t] for s, t in zip(scores, truths)]))
    if not len(lesion_score):
        raise InputError(
            "none of the studies has a lesion", "precision and recall need lesions to be found"
        )
    # Recall only changes at the score of a lesion's voxel: no other threshold need be looked at.
    thresholds = np.unique(lesion_score)[::-1]
    taken = len(score) - np.searchsorted(score, thresholds)
    hits = len(lesion_score) - np.searchsorted(lesion_score, thresholds)
    dice = 2 * hits / (taken + len(lesion_score))
    precision, recall = hits / taken, hits / len(lesion_score)
    best = int(dice.argmax())
    return MapQuality(
        best_dice=float(dice[best]),
        best_threshold=float(thresholds[best]),
        auprc=float(np.sum(np.diff(recall, prepend=0.0) * precision)),
    )


def finding_quality(
    labels: Sequence[npt.NDArray[np.integer]], truths: Sequence[Truth]
) -> FindingQuality:
    """Compare drawn findings with the true lesions of each study.

    Args:
        labels: for each study, D x H x W finding numbers, 0 for none.
        truths: for each study, D x H x W; its 26-connected parts are the lesions.
    """
    overlap = drawn = true = lesions = lesions_hit = false_positives = 0
    for label, truth in zip(labels, truths):
        overlap += int(np.count_nonzero((label > 0) & truth))
        drawn += int(np.count_nonzero(label))
        true += int(np.count_nonzero(truth))
        lesion, count = ndimage.label(truth, NEIGHBOURS_26)
        lesions += count
        lesions_hit += len(np.unique(lesion[(label > 0) & truth]))
        numbers = set(np.unique(label)) - {0}
        false_positives += len(numbers - set(np.unique(label[truth])))
    return FindingQuality(
        dice=2 * overlap / max(1, drawn + true),
        lesions=lesions,
        lesions_hit=lesions_hit,
        false_positives=false_positives,
    )

"""How good a model's maps and findings are where the lesions are known (paper 1, section 4).

Voxels of all studies are pooled, as in a cohort's single precision-recall curve: a study without
lesions then counts by its false positives. All on the PET's own grid, inside the scored mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from PETAnomalyLib.engine.errors import InputError

Scores = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.integer[Any]]
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


@dataclass(frozen=True)
class OperatingPoint:
    """What a reader gets at one threshold, growing included; all points together are the FROC.

    Attributes:
        threshold: of the map, in its unit.
        dice, precision, recall: over the voxels of all studies.
        sensitivity: share of the lesions that a finding overlaps.
        false_positives_a_scan: findings that overlap no lesion.
    """

    threshold: float
    dice: float
    precision: float
    recall: float
    sensitivity: float
    false_positives_a_scan: float


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


def finding_quality(labels: Sequence[Labels], truths: Sequence[Labels]) -> FindingQuality:
    """Compare drawn findings with the true lesions of each study.

    Args:
        labels: for each study, D x H x W finding numbers, 0 for none.
        truths: for each study, D x H x W lesion numbers, as from `number_lesions`.
    """
    overlap = drawn = true = lesions = lesions_hit = false_positives = 0
    for label, truth in zip(labels, truths):
        inside = truth > 0
        hits = label[inside]  # the findings' numbers at the lesions' voxels
        overlap += int(np.count_nonzero(hits))
        drawn += int(np.count_nonzero(label))
        true += len(hits)
        lesions += int(truth.max(initial=0))
        lesions_hit += len(np.unique(truth[inside][hits > 0]))
        numbers = set(np.unique(label)) - {0}
        false_positives += len(numbers - set(np.unique(hits)))
    return FindingQuality(
        dice=2 * overlap / max(1, drawn + true),
        precision=overlap / max(1, drawn),
        recall=overlap / max(1, true),
        lesions=lesions,
        lesions_hit=lesions_hit,
        false_positives=false_positives,
    )


def number_lesions(truth: npt.NDArray[np.bool_]) -> Labels:
    """Lesion numbers 1.. of a true mask, D x H x W: its 26-connected parts."""
    return ndimage.label(truth, NEIGHBOURS_26)[0]  # type: ignore[no-any-return]  # SciPy is untyped


def operating_curve(
    draw: Callable[[float], Sequence[Labels]], thresholds: Sequence[float], truths: Sequence[Labels]
) -> list[OperatingPoint]:
    """Findings against lesions at each threshold.

    Args:
        draw: the findings of all studies at a threshold, each D x H x W finding numbers.
        thresholds: in the map's unit.
        truths: for each study, D x H x W lesion numbers.
    """
    curve = []
    for threshold in thresholds:
        found = finding_quality(draw(threshold), truths)
        curve.append(
            OperatingPoint(
                threshold=float(threshold),
                dice=found.dice,
                precision=found.precision,
                recall=found.recall,
                sensitivity=found.lesions_hit / max(1, found.lesions),
                false_positives_a_scan=found.false_positives / len(truths),
            )
        )
    return curve

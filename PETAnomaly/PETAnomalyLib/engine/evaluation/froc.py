"""Findings at one threshold after the other: what a reader gets as the threshold is moved.

Sensitivity against false positives a scan is the free-response operating characteristic (FROC).
Findings grow and merge with the threshold, so they are drawn anew at each. MONAI's FROC counts
points that have one probability each: on the demo's KDE map it has other false positives at 9 of 19
thresholds, 2 for 3 for instance (Testing/benchmarks/bench_libraries.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.evaluation.metrics import (
    FindingCounts,
    Labels,
    Scores,
    VoxelCounts,
    count_findings,
    finding_quality,
)
from PETAnomalyLib.engine.findings.delineation import Delineator

# Of the lesions' own voxels: thresholds beyond that many of them lose the lesions.
LESION_QUANTILES = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class OperatingPoint:
    """What a reader gets at one threshold, growing included.

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


def thresholds_to_try(in_lesions: Scores) -> list[float]:
    """Those that quantiles of the lesions' own voxels lie at, rising.

    Args:
        in_lesions: the map's values at the lesions' voxels of all studies, at least one.
    """
    return np.unique(np.quantile(in_lesions, LESION_QUANTILES)).tolist()


def count_at_each(
    delineator: Delineator,
    truth: Labels,
    thresholds: Sequence[float],
    grow: float,
    min_volume_ml: float,
) -> list[FindingCounts]:
    """Draw one study at each threshold and compare with its lesions.

    Args:
        delineator: the study's map.
        truth: D x H x W lesion numbers.
        thresholds: in the map's unit.
        grow: fraction of a finding's own SUVmax that it grows to, 0 for none.
        min_volume_ml: smaller findings are left out.
    """
    return [
        count_findings(
            sitk.GetArrayFromImage(delineator.at(threshold, grow, min_volume_ml).labels), truth
        )
        for threshold in thresholds
    ]


def operating_curve(
    thresholds: Sequence[float], studies: Sequence[Sequence[FindingCounts]]
) -> list[OperatingPoint]:
    """Pool the studies.

    Args:
        thresholds: T of them.
        studies: for each study its T counts, as from `count_at_each`.
    """
    curve = []
    for threshold, counts in zip(thresholds, zip(*studies)):
        found = finding_quality(counts)
        curve.append(
            OperatingPoint(
                threshold=float(threshold),
                dice=found.dice,
                precision=found.precision,
                recall=found.recall,
                sensitivity=found.lesions_hit / max(1, found.lesions),
                false_positives_a_scan=found.false_positives / len(studies),
            )
        )
    return curve


def hits_at_each(
    studies: Sequence[Sequence[FindingCounts]], wanted: Sequence[Sequence[bool]]
) -> list[int]:
    """How many of the wanted lesions are hit at each threshold.

    Args:
        studies: for each study its counts, as from `count_at_each`.
        wanted: for each study, for each of its lesions.
    """
    return [
        sum(
            rank > 0 and counts
            for one, of_study in zip(at_threshold, wanted)
            for rank, counts in zip(one.ranks, of_study)
        )
        for at_threshold in zip(*studies)
    ]


def as_voxel_counts(studies: Sequence[Sequence[FindingCounts]]) -> VoxelCounts:
    """Findings at rising thresholds as counts at falling ones, S x T: for Dice and AUPRC.

    The area ends at the recall of the lowest threshold; beyond it nothing is won.
    """
    falling = [list(reversed(of_study)) for of_study in studies]
    return VoxelCounts(
        taken=np.array([[one.drawn for one in of_study] for of_study in falling]),
        hits=np.array([[one.overlap for one in of_study] for of_study in falling]),
        in_lesions=np.array([of_study[0].true for of_study in falling]),
    )

"""The curve of findings as the threshold moves."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.evaluation.froc import (
    as_voxel_counts,
    count_at_each,
    hits_at_each,
    operating_curve,
    thresholds_to_try,
)
from PETAnomalyLib.engine.evaluation.metrics import count_findings
from PETAnomalyLib.engine.findings.delineation import Delineator

SCORE = np.zeros((3, 3, 12), np.float32)
SCORE[1, 1, [1, 2, 5, 9]] = [5, 3, 4, 1]
TRUTH = np.zeros((3, 3, 12), np.int32)
TRUTH[1, 1, 1:3], TRUTH[1, 1, 9:11] = 1, 2


def at(threshold: float) -> tuple[int, int, int]:
    """Lesion 1 hit, lesion 2 hit, false positives, read off the line above."""
    return int(threshold < 5), int(threshold < 1), int(threshold < 4)


def test_every_threshold_is_drawn_and_counted() -> None:
    score = sitk.GetImageFromArray(SCORE)
    thresholds = [0.5, 2.0, 4.5]
    counts = count_at_each(Delineator(score, score), TRUTH, thresholds, 0.0, 0.0)
    for threshold, found, point in zip(thresholds, counts, operating_curve(thresholds, [counts])):
        first, second, false = at(threshold)
        assert ([rank > 0 for rank in found.ranks]) == [bool(first), bool(second)]
        assert len(found.false_positives) == false
        assert point.sensitivity == (first + second) / 2
    # Of the two lesions only the second is wanted.
    assert hits_at_each([counts], [[False, True]]) == [at(t)[1] for t in thresholds]


def test_the_area_of_findings_goes_from_high_thresholds_to_low() -> None:
    truth = np.array([[[1, 1, 0, 0]]])
    high, low = np.array([[[1, 0, 0, 0]]]), np.array([[[1, 1, 1, 1]]])
    counts = as_voxel_counts([[count_findings(low, truth), count_findings(high, truth)]])
    assert counts.hits.tolist() == [[1, 2]]
    # Half the recall at precision 1, the other half at 2 of 4.
    assert counts.auprc()[0] == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert counts.dice()[0].tolist() == [2 * 1 / (1 + 2), 2 * 2 / (4 + 2)]


def test_thresholds_to_try_rise_between_the_lesions_scores() -> None:
    scores = np.arange(101, dtype=np.float32)
    thresholds = thresholds_to_try(scores)
    assert thresholds == sorted(set(thresholds))
    assert (thresholds[0], thresholds[-1]) == (pytest.approx(5), pytest.approx(95))

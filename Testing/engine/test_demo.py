"""The demonstration's table: which finding hits which true lesion."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.demo import SEED, match_lesions


def test_a_finding_over_two_lesions_is_counted_for_both_and_a_missed_lesion_for_none() -> None:
    truth = np.zeros((1, 4, 10), np.uint16)
    findings = np.zeros_like(truth)
    suv = np.ones(truth.shape, np.float32)
    truth[0, 0, 0:4] = 1  # 4 voxels
    truth[0, 0, 5:7] = 2  # 2 voxels, the finding covers both and what is between
    truth[0, 2, 0:3] = 3  # missed
    suv[0, 0, 1] = 9
    findings[0, 0, 0:7] = 5
    findings[0, 3, :] = 8  # hits nothing
    matches = match_lesions(truth, findings, suv, voxel_ml=0.5)
    assert [match.lesion for match in matches] == [1, 3, 2]
    assert [match.findings for match in matches] == [(5,), (), (5,)]
    assert [match.volume_ml for match in matches] == [2, 1.5, 1]
    assert matches[0].suv_max == 9
    assert [match.dice for match in matches] == pytest.approx([8 / 11, 0, 4 / 9])


def test_a_healthy_patient_has_no_matches() -> None:
    nothing = np.zeros((2, 2, 2), np.uint8)
    assert match_lesions(nothing, nothing, nothing, 1.0) == []


def test_the_demonstrations_patient_is_kept_out_of_training_and_calibration() -> None:
    assert SEED > 1_000_000

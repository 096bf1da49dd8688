"""Lesions one by one: volume, diameter, uptake, and who sees them."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.evaluation.lesion_table import (
    by_site,
    by_size,
    clear_sensitivity,
    lesions_of,
    mark_hits,
    write_lesions,
)
from PETAnomalyLib.engine.evaluation.metrics import count_findings


def test_a_ball_has_its_own_diameter_and_is_hit_where_a_finding_touches_it(tmp_path: Path) -> None:
    z, y, x = np.mgrid[:40, :40, :40] * 2.0  # mm
    truth = np.zeros((40, 40, 40), np.int32)
    truth[(x - 20) ** 2 + (y - 20) ** 2 + (z - 20) ** 2 <= 12.0**2] = 1  # 24 mm
    truth[35, 35, 35] = 2  # a single voxel, 2.5 mm
    suv = np.where(truth == 1, 5.0, np.where(truth == 2, 9.0, 1.0)).astype(np.float32)
    pet = sitk.GetImageFromArray(suv)
    pet.SetSpacing((2.0, 2.0, 2.0))
    ball, speck = lesions_of("a", pet, truth)
    assert ball.volume_ml == pytest.approx(4 / 3 * math.pi * 1.2**3, rel=0.03)
    assert ball.diameter_mm == pytest.approx(24.0, rel=0.01)
    assert (ball.suv_max, speck.suv_max) == (5.0, 9.0)
    assert (ball.is_clear, speck.is_clear) == (True, False)

    labels = np.zeros(truth.shape, np.uint16)
    labels[10, 10, 15:30] = 7
    mark_hits([ball, speck], "row", count_findings(labels, truth))
    assert (ball.rank, speck.rank) == ({"row": 7}, {"row": 0})
    assert clear_sensitivity([ball, speck], "row") == (1, 1)
    assert by_size([ball, speck], "row") == {"under 10 mm": (0, 1), "20 to 30 mm": (1, 1)}
    assert ball.centre_lps_mm == pytest.approx((20.0, 20.0, 20.0))
    ball.site = "liver"
    assert by_site([ball, speck], "row") == {"liver": (1, 1)}
    write_lesions([ball, speck], tmp_path / "lesions.csv")
    with (tmp_path / "lesions.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == ["7", "0"]
    assert float(lines[0]["diameter_mm"]) == pytest.approx(24.0, abs=0.2)


def test_a_healthy_study_has_no_lesions() -> None:
    pet = sitk.GetImageFromArray(np.ones((4, 4, 4), np.float32))
    assert lesions_of("a", pet, np.zeros((4, 4, 4), np.int32)) == []

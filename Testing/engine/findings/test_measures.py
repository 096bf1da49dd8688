"""Measurements against formulas written out here, known volumes and a Monte Carlo sphere."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.findings.measures import (
    Finding,
    measure,
    sphere_coverage,
    total,
    write_csv,
)
from repository import SHARED_DATA

REAL = SHARED_DATA / "wholebody-pet-sts001"
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
COLUMNS = (
    "number,suv_max,suv_mean,suv_peak,mtv_ml,tlg_g,centroid_r_mm,centroid_a_mm,centroid_s_mm,"
    "score_max,score_mean,growth_limited,unfamiliar"
)


def image(array: np.ndarray, spacing: tuple[float, float, float] = (2.0, 3.0, 4.0)) -> sitk.Image:
    result = sitk.GetImageFromArray(array)
    result.SetSpacing(spacing)
    result.SetOrigin((-100.0, 50.0, 700.0))
    result.SetDirection(OBLIQUE)
    return result


def random_study() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    pet = rng.gamma(2.0, 2.0, (20, 22, 24)).astype(np.float32)
    score = rng.standard_normal(pet.shape).astype(np.float32)
    labels = np.zeros(pet.shape, np.uint16)
    labels[3:8, 4:9, 5:10] = 1
    labels[12:15, 12:20, 0:4] = 2
    labels[5, 6, 7] = 0
    return labels, pet, score


def test_every_number_equals_its_definition() -> None:
    labels, pet, score = random_study()
    found = measure(image(labels), image(pet), image(score), (False, True))
    assert [finding.number for finding in found] == [1, 2]
    for finding in found:
        inside = labels == finding.number
        ml = inside.sum() * 2.0 * 3.0 * 4.0 / 1000.0
        assert finding.suv_max == pet[inside].max()
        assert finding.suv_mean == pytest.approx(pet[inside].mean(dtype=np.float64))
        assert finding.mtv_ml == pytest.approx(ml)
        assert finding.tlg_g == pytest.approx(pet[inside].sum(dtype=np.float64) * 0.024)
        assert finding.score_max == score[inside].max()
        assert finding.score_mean == pytest.approx(score[inside].mean(dtype=np.float64))
    assert [finding.growth_limited for finding in found] == [False, True]


def test_the_centroid_is_in_ras_millimetres_for_an_oblique_grid() -> None:
    labels, pet, score = random_study()
    found = measure(image(labels), image(pet), image(score))
    for finding in found:
        k, j, i = np.argwhere(labels == finding.number).mean(axis=0)
        lps = np.array([-100.0, 50.0, 700.0]) + np.array(OBLIQUE).reshape(3, 3) @ (
            np.array([i, j, k]) * (2.0, 3.0, 4.0)
        )
        expected = (-lps[0], -lps[1], lps[2])
        got = (finding.centroid_r_mm, finding.centroid_a_mm, finding.centroid_s_mm)
        assert got == pytest.approx(expected)


@pytest.mark.parametrize(
    "spacing", [(1.0, 1.0, 1.0), (2.04, 2.04, 3.0), (4.07, 4.07, 5.0), (9, 9, 9)]
)
def test_the_peak_sphere_holds_one_millilitre(spacing: tuple[float, float, float]) -> None:
    weights = sphere_coverage(spacing[::-1])
    assert weights.sum() * math.prod(spacing) / 1000.0 == pytest.approx(1.0, rel=5e-3)
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_peak_weights_are_the_parts_of_the_voxels_inside_the_sphere() -> None:
    weights = sphere_coverage((3.0, 2.0, 4.0))
    rng = np.random.default_rng(0)
    radius = (3000.0 / (4.0 * math.pi)) ** (1 / 3)
    for index in np.ndindex(*weights.shape):
        middle = (np.array(index) - np.array(weights.shape) // 2) * (3.0, 2.0, 4.0)
        points = middle + (rng.random((4000, 3)) - 0.5) * (3.0, 2.0, 4.0)
        part = (np.linalg.norm(points, axis=1) <= radius).mean()
        assert weights[index] == pytest.approx(part, abs=0.04)


def test_suv_peak_is_the_largest_weighted_mean_over_the_findings_own_voxels() -> None:
    labels, pet, score = random_study()
    weights = sphere_coverage((4.0, 3.0, 2.0))
    reach = np.array(weights.shape) // 2
    for finding in measure(image(labels), image(pet), image(score)):
        means = []
        for centre in np.argwhere(labels == finding.number):
            value, weight = 0.0, 0.0
            for index in np.ndindex(*weights.shape):
                voxel = centre + np.array(index) - reach
                if (voxel >= 0).all() and (voxel < pet.shape).all():
                    value += float(weights[index]) * float(pet[tuple(voxel)])
                    weight += float(weights[index])
            means.append(value / weight)
        assert finding.suv_peak == pytest.approx(max(means), rel=1e-9)


def test_suv_peak_of_even_uptake_is_that_uptake_also_at_the_images_border() -> None:
    pet = np.full((6, 6, 6), 3.5, np.float32)
    labels = np.ones(pet.shape, np.uint8)
    (finding,) = measure(image(labels), image(pet), image(pet))
    assert finding.suv_peak == pytest.approx(3.5)


def test_suv_peak_counts_uptake_beyond_the_finding() -> None:
    pet = np.full((15, 15, 15), 4.0, np.float32)
    labels = np.zeros(pet.shape, np.uint8)
    labels[7, 7, 7] = 1
    (finding,) = measure(image(labels), image(pet), image(pet))
    assert finding.suv_peak == pytest.approx(4.0)


def test_a_label_that_was_deleted_leaves_the_other_numbers_alone() -> None:
    labels, pet, score = random_study()
    both = measure(image(labels), image(pet), image(score), (False, True))
    labels[labels == 1] = 0
    assert measure(image(labels), image(pet), image(score), (False, True)) == both[1:]


def test_a_finding_is_unfamiliar_where_most_of_it_is_unlike_what_the_model_knows() -> None:
    labels, pet, score = random_study()
    mask = np.ones(labels.shape, np.uint8)
    first = np.argwhere(labels == 1)
    for share, unfamiliar in ((0.4, False), (0.6, True)):
        mask[tuple(first[: round(share * len(first))].T)] = 2
        found = measure(image(labels), image(pet), image(score), (), image(mask))
        assert [finding.unfamiliar for finding in found] == [unfamiliar, False]


def test_a_flag_that_was_not_given_is_false() -> None:
    labels, pet, score = random_study()
    found = measure(image(labels), image(pet), image(score), (True,))
    assert [finding.growth_limited for finding in found] == [True, False]


def test_totals_are_the_sums_and_zero_without_findings() -> None:
    labels, pet, score = random_study()
    sums = total(measure(image(labels), image(pet), image(score)))
    assert sums.count == 2
    assert sums.tmtv_ml == pytest.approx((labels > 0).sum() * 0.024)
    assert sums.tlg_g == pytest.approx(pet[labels > 0].sum(dtype=np.float64) * 0.024)
    nothing = total(measure(image(labels * 0), image(pet), image(score)))
    assert dataclasses.astuple(nothing) == (0, 0.0, 0.0)


def test_the_csv_has_the_agreed_columns_and_reads_back(tmp_path: Path) -> None:
    labels, pet, score = random_study()
    found = measure(image(labels), image(pet), image(score), (False, True))
    path = tmp_path / "findings.csv"
    write_csv(path, found)
    assert path.read_bytes().decode("utf-8").splitlines()[0] == COLUMNS
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["growth_limited"] for row in rows] == ["false", "true"]
    for row, finding in zip(rows, found):
        for field in dataclasses.fields(Finding)[:-2]:
            assert float(row[field.name]) == pytest.approx(getattr(finding, field.name), abs=5.1e-5)
    assert rows[0]["number"] == "1"


def test_the_csv_has_its_header_without_findings(tmp_path: Path) -> None:
    path = tmp_path / "findings.csv"
    write_csv(path, [])
    assert path.read_bytes() == (COLUMNS + "\n").encode()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real scan is not here")
def test_the_published_figures_of_the_thigh_sarcoma_come_out() -> None:
    pet = sitk.ReadImage(str(REAL / "SUVbw.nii.gz"), sitk.sitkFloat32)
    labels = sitk.ReadImage(str(REAL / "SEG.nii.gz"), sitk.sitkUInt16)
    (finding,) = measure(labels, pet, pet)
    assert finding.mtv_ml == pytest.approx(366, abs=0.5)
    assert finding.suv_max == pytest.approx(7.911, abs=5e-4)
    assert finding.suv_mean < finding.suv_peak < finding.suv_max
    assert finding.centroid_r_mm < 0  # the left thigh

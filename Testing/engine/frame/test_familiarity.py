"""A study's place among those that a model knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.frame.body_regions import RegionBorders
from PETAnomalyLib.engine.frame.familiarity import (
    LIMIT_PERCENTILE,
    cell_regions,
    distribution,
    familiarity,
    measures_of,
)
from PETAnomalyLib.engine.frame.measured_regions import REGIONS

BORDERS = RegionBorders(shoulders=300.0, diaphragm=100.0, pelvis=-150.0, midline=0.0)


def studies(count: int, seed: int = 0) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    return [
        {
            **{f"{region}/log_likelihood": rng.normal(-2.0, 0.1) for region in (*REGIONS, "body")},
            "body/unlikely_share": rng.gamma(4.0, 0.01),
        }
        for _ in range(count)
    ]


KNOWN = distribution(studies(300))


def test_few_studies_of_the_known_kind_are_unfamiliar() -> None:
    alarms = sum(familiarity(study, KNOWN).unfamiliar for study in studies(2000, seed=1))
    assert alarms < 0.02 * 2000


def test_a_foreign_region_is_named_and_no_other() -> None:
    study = {**studies(1, seed=2)[0], "pelvis/log_likelihood": -5.0}
    found = familiarity(study, KNOWN)
    assert found.unfamiliar
    assert found.foreign_regions == ("pelvis",)
    assert found.percentiles["pelvis/log_likelihood"] == 100.0


def test_likelier_than_all_is_not_strange() -> None:
    best = {name: (-1.0 if "log" in name else 0.0) for name in studies(1)[0]}
    found = familiarity(best, KNOWN)
    assert not found.unfamiliar
    assert set(found.percentiles.values()) == {0.0}


@given(st.floats(-4, -1), st.floats(-4, -1))
def test_the_less_likely_of_two_studies_is_never_the_more_familiar(one: float, two: float) -> None:
    low, high = (familiarity({"body/log_likelihood": value}, KNOWN) for value in sorted((one, two)))
    assert low.percentiles["body/log_likelihood"] >= high.percentiles["body/log_likelihood"]
    assert low.strangeness >= high.strangeness


def test_the_limit_is_that_of_the_studies_measured_among_the_others() -> None:
    quantiles = KNOWN["strangeness"]
    assert quantiles == sorted(quantiles)
    in_sample = [familiarity(study, KNOWN).strangeness for study in studies(300)]
    assert quantiles[LIMIT_PERCENTILE] > np.percentile(in_sample, LIMIT_PERCENTILE) - 1e-6


def test_measures_are_means_over_the_body_of_each_region() -> None:
    rng = np.random.default_rng(0)
    body = rng.random((12, 6, 8)) > 0.3
    region = rng.integers(0, 5, body.shape).astype(np.uint8)
    log_p, error = rng.normal(-3, 1, body.shape), rng.random(body.shape)
    found = measures_of(body, region, log_p, error, threshold=0.05)
    assert found["body/unlikely_share"] == pytest.approx(np.mean(np.exp(log_p[body]) < 0.05))
    for number, name in enumerate(REGIONS):
        cells = body & (region == number)
        assert found[f"{name}/log_likelihood"] == pytest.approx(log_p[cells].mean())
        assert found[f"{name}/reconstruction_error"] == pytest.approx(error[cells].mean())


def test_a_region_that_is_hardly_shown_is_not_measured() -> None:
    body = np.zeros((12, 6, 8), bool)
    body[:2, :3, :4] = True
    region = np.full(body.shape, 3, np.uint8)
    region[0] = 0
    assert not any(
        name.startswith("head") for name in measures_of(body, region, None, body * 1.0, 1.0)
    )


def test_cells_lie_in_the_regions_of_their_middles() -> None:
    origin, spacing, size = (-261.0, -201.0, -429.0), (6.0, 6.0, 6.0), (88, 68, 144)
    region = cell_regions(BORDERS, origin, spacing, size, (36, 17, 22))
    middle_x = -261.0 + 6.0 * (4 * np.arange(22) + 1.5)
    middle_z = -429.0 + 6.0 * (4 * np.arange(36) + 1.5)
    limbs = REGIONS.index("limbs")
    assert np.array_equal((region[10] == limbs).all(axis=0), np.abs(middle_x) > BORDERS.trunk)
    trunk = region[:, 8, 11]
    assert np.array_equal(trunk == REGIONS.index("head"), middle_z > BORDERS.shoulders)
    assert np.array_equal(trunk == REGIONS.index("pelvis"), middle_z <= BORDERS.pelvis)

"""Phantoms' organs are as large, as avid and as dense as people's, and take nothing of each other.

Few patients are compared with what was drawn for them, many with the literature.
"""

from __future__ import annotations

import numpy as np
import organ_census as census
import pytest
from measured_organs import Measured, measure
from PETAnomalyLib.engine.phantom.organs import Organ, organ_name
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED

FEW, MANY = 6, 24
ENOUGH = 8  # values of a mean that is compared: of the few women with contrast medium, say, not
SEEDS_FROM = 300


@pytest.fixture(scope="module")
def few() -> list[Measured]:
    return [measure(seed) for seed in range(SEEDS_FROM, SEEDS_FROM + FEW)]


def test_organs_have_the_volume_that_was_drawn(few: list[Measured]) -> None:
    """Nothing painted later has taken a seventh of an organ."""
    lost = {
        f"{organ_name(row.organ)}, {row.who}": round(row.kept, 2)
        for row in census.volumes(few)
        if not 0.85 < row.kept < 1.15
    }
    assert not lost


@pytest.mark.parametrize("what", ["suv", "hu"])
def test_organs_are_painted_as_drawn(few: list[Measured], what: str) -> None:
    """Mottle, cortex and medulla, hearts' patterns and endometria keep an organ's mean."""
    off = {}
    for organ, known in PUBLISHED.items():
        drawn = np.array([getattr(p, f"drawn_{what}")[organ] for p in few])
        painted = np.array([getattr(p, what)[organ] for p in few])
        here = np.isfinite(painted)
        spread = known.suv.sd if what == "suv" else known.hu.sd
        apart = float(np.mean(painted[here] - drawn[here])) / spread if here.any() else 0.0
        if abs(apart) > 1:
            off[organ_name(organ)] = round(apart, 2)
    assert not off


def test_bodies_weigh_what_the_patient_weighs(few: list[Measured]) -> None:
    ratios = [p.mass_kg / p.weight_kg for p in few]
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)
    # About a sixth of what was injected is in urine or left.
    assert 0.6 < np.mean([p.mean_suv for p in few]) < 1.1


@pytest.mark.slow
def test_many_patients_are_as_published() -> None:
    patients = census.take(range(SEEDS_FROM, SEEDS_FROM + MANY), 1)
    rows = [*census.volumes(patients)]
    rows += [row for what in ("suv", "hu", "enhanced") for row in census.averages(patients, what)]
    assert {row.organ for row in rows} > {Organ.LIVER, Organ.BRAIN, Organ.TESTIS, Organ.OVARY}
    rows = [row for row in rows if row.values.size >= ENOUGH]
    off = {(organ_name(r.organ), r.who, r.known.mean): round(r.off, 2)
           for r in rows if abs(r.off) > 1}  # fmt: skip
    assert not off
    far = {(organ_name(r.organ), r.who, r.known.mean): r.far for r in rows if r.far > 0.15}
    assert not far

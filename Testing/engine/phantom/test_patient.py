"""Patients: what is drawn is what is published, and changes as the literature says."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient import standing, uptake
from PETAnomalyLib.engine.phantom.patient.conditions import SHARES
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.patient.ranges import Range
from PETAnomalyLib.engine.phantom.patient.references import REFERENCES, cited

COUNT = 700
OF_WOMEN = (Organ.UTERUS, Organ.OVARY, Organ.BREAST)


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return [draw_patient(seed) for seed in range(COUNT)]


def test_every_number_has_a_source_that_is_known() -> None:
    for organ, known in PUBLISHED.items():
        for field in fields(known):
            found = getattr(known, field.name)
            if isinstance(found, Range):
                assert set(cited(found.source)) <= set(REFERENCES), (organ, field.name)


@pytest.mark.parametrize("organ", list(PUBLISHED))
def test_the_mean_of_many_patients_is_the_published_one(
    patients: list[Patient], organ: Organ
) -> None:
    known = PUBLISHED[organ]
    for sex in "FM":
        found = known.volume(sex)
        if found:
            drawn = [p.volume_ml(organ) for p in patients if p.build.sex == sex]
            agrees(np.array(drawn), found)
    women = [p for p in patients if p.build.female]
    agrees(np.array([p.suv(organ) for p in (women if organ in OF_WOMEN else patients)]), known.suv)
    agrees(np.array([p.hu(organ) for p in patients if not p.conditions.contrast]), known.hu)


def agrees(drawn: np.ndarray, known: Range) -> None:
    assert drawn.mean() == pytest.approx(known.mean, abs=0.25 * known.sd)
    assert drawn.std() == pytest.approx(known.sd, rel=0.25)


def test_the_population_is_what_the_draws_are_standardised_by(patients: list[Patient]) -> None:
    stands = [standing.standing(p.build) for p in patients]
    for name in ("size", "bmi", "weight", "age"):
        z = np.array([getattr(one, name) for one in stands])
        assert abs(z.mean()) < 0.12
        assert z.std() == pytest.approx(1, abs=0.12)
    for values, (mean, sd) in (
        ([p.uptake.minutes for p in patients], uptake.LOG_MINUTES),
        ([p.uptake.glucose for p in patients], uptake.LOG_GLUCOSE),
    ):
        assert np.log(values).mean() == pytest.approx(mean, abs=0.03)
        assert np.log(values).std() == pytest.approx(sd, rel=0.12)


def test_nothing_explains_more_than_there_is(patients: list[Patient]) -> None:
    for organ, known in PUBLISHED.items():
        parts = patients[0].uptake._loadings(organ, standing.log_sd(known.suv))
        assert sum(part**2 for part in parts.values()) < 0.8, organ


def test_liver_spleen_and_blood_go_together_and_with_body_fat(patients: list[Patient]) -> None:
    liver, spleen, blood = (
        np.array([p.suv(organ) for p in patients])
        for organ in (Organ.LIVER, Organ.SPLEEN, Organ.BLOOD)
    )
    assert np.corrcoef(liver, spleen)[0, 1] > 0.5
    assert np.corrcoef(liver, blood)[0, 1] > 0.5
    bmi = np.array([p.build.bmi for p in patients])
    # Sarikaya 2020: 4.1 in the obese, 3.0 at a normal BMI.
    assert liver[bmi > 30].mean() / liver[bmi < 25].mean() == pytest.approx(1.37, abs=0.12)


def test_time_and_glucose_move_organs_apart() -> None:
    patient = draw_patient(1)
    usual = replace(patient.uptake, minutes=65.0, glucose=5.6)
    late = replace(usual, minutes=110.0)
    assert late.of(Organ.BLOOD) < 0.85 * usual.of(Organ.BLOOD)
    assert 0.85 * usual.of(Organ.LIVER) < late.of(Organ.LIVER) < usual.of(Organ.LIVER)
    assert late.of(Organ.COLON) > usual.of(Organ.COLON)
    assert usual.tumours == pytest.approx(1)
    assert late.tumours > 1.15
    sweet = replace(usual, glucose=10.0)
    assert sweet.of(Organ.BRAIN) < 0.8 * usual.of(Organ.BRAIN)
    assert sweet.of(Organ.MUSCLE) > 1.1 * usual.of(Organ.MUSCLE)
    assert sweet.of(Organ.SPLEEN) == pytest.approx(usual.of(Organ.SPLEEN))


def test_hearts_range_from_the_blood_pool_to_intense(patients: list[Patient]) -> None:
    hearts: dict[str, list[Patient]] = {}
    for patient in patients:
        if patient.conditions.exercised != "all":  # insulin
            hearts.setdefault(patient.conditions.heart, []).append(patient)
    for patient in hearts["none"]:
        ratio = patient.suv(Organ.MYOCARDIUM) / patient.suv(Organ.BLOOD)
        assert ratio == pytest.approx(1, abs=0.17)
    hot = [p.suv(Organ.MYOCARDIUM) for p in hearts["diffuse"]]
    assert 6.5 < np.mean(hot) < 9
    assert max(p.suv(Organ.MYOCARDIUM) for p in patients) <= uptake.HOTTEST_HEART


def test_organs_follow_size_age_and_the_cycle(patients: list[Patient]) -> None:
    men = [p for p in patients if not p.build.female]
    large = [p.volume_ml(Organ.KIDNEY) for p in men if p.build.surface_m2 > 2.2]
    small = [p.volume_ml(Organ.KIDNEY) for p in men if p.build.surface_m2 < 1.9]
    assert np.mean(large) > 1.12 * np.mean(small)
    for organ, grows in ((Organ.PROSTATE, True), (Organ.UTERUS, False), (Organ.OVARY, False)):
        sex = "M" if organ is Organ.PROSTATE else "F"
        old = [p.volume_ml(organ) for p in patients if p.build.sex == sex and p.build.age > 70]
        young = [p.volume_ml(organ) for p in patients if p.build.sex == sex and p.build.age < 40]
        assert (np.mean(old) > 1.4 * np.mean(young)) == grows
        assert (np.mean(old) < 0.6 * np.mean(young)) != grows
    by_phase = {
        phase: np.mean([p.suv(Organ.OVARY) for p in patients if p.conditions.cycle == phase])
        for phase in ("menstrual", "ovulatory")
    }
    assert by_phase["ovulatory"] > 1.3 * by_phase["menstrual"]  # Kim 2019: 2.2 and 1.2


def test_conditions_come_as_often_as_said(patients: list[Patient]) -> None:
    for name in ("port", "extravasation", "metformin", "missing kidney"):
        share = np.mean([getattr(p.conditions, name.replace(" ", "_")) != 0 for p in patients])
        assert share == pytest.approx(SHARES[name].drawn, abs=0.03), name
    brown = [p.conditions.brown_fat > 0 for p in patients if p.build.female]
    assert 0.04 < np.mean(brown) < 0.16


def test_the_same_seed_is_the_same_patient() -> None:
    one, two = draw_patient(7), draw_patient(7)
    assert one.conditions == two.conditions
    assert one.build == two.build
    assert all(one.suv(o) == two.suv(o) and one.hu(o) == two.hu(o) for o in PUBLISHED)

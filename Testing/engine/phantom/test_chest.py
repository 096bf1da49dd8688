"""Chest of a phantom: volumes, patterns of the heart, vessels, fluid and devices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML, Canvas
from PETAnomalyLib.engine.phantom.chest.breath import HIGHEST_MM, breathe
from PETAnomalyLib.engine.phantom.chest.chest import paint_chest
from PETAnomalyLib.engine.phantom.frame.envelope import paint_envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.conditions import HEARTS
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from seen_patient import seen_patient

BY_VOLUME = (Organ.MYOCARDIUM, Organ.OESOPHAGUS, Organ.THYMUS)
WELL = {"effusion_ml": (0.0, 0.0), "atelectasis": (0.0, 0.0), "pacemaker": 0, "port": 0,
        "vasculitis": 1.0}  # fmt: skip


def of(seed: int, bottom: float = 250, top: float = 680, **conditions: object) -> Patient:
    """The patient of a seed, seen from `bottom` to `top` (body z), well but for `conditions`."""
    return seen_patient(seed, bottom, top, **{**WELL, **conditions})


def painted(patient: Patient) -> Canvas:
    canvas = Canvas(patient.pose, (210, 170), patient.seed)
    paint_chest(canvas, patient, paint_envelope(canvas, patient))
    return canvas


@pytest.fixture(scope="module")
def chests() -> list[tuple[Patient, Canvas]]:
    return [(patient, painted(patient)) for patient in (of(seed) for seed in (3, 4, 5))]


def test_organs_have_the_drawn_volume(chests: list[tuple[Patient, Canvas]]) -> None:
    for patient, canvas in chests:
        for organ in BY_VOLUME:
            ml = float((canvas.organ == organ).sum()) * VOXEL_ML
            assert ml == pytest.approx(patient.volume_ml(organ), abs=4 * VOXEL_ML), organ


def test_the_diaphragm_stands_where_the_lungs_have_their_volume(
    chests: list[tuple[Patient, Canvas]],
) -> None:
    for patient, canvas in chests:
        bare = Canvas(patient.pose, (210, 170), patient.seed)
        before = paint_envelope(bare, patient).dome_right
        wanted = patient.volume_ml(Organ.LUNG)
        off = [
            abs(float((one.organ == Organ.LUNG).sum()) * VOXEL_ML - wanted)
            for one in (bare, canvas)
        ]
        assert off[1] < max(off[0], 0.12 * wanted)
        after = paint_envelope(bare, patient)
        breathe(bare, patient, after)
        assert abs(after.dome_right - before) <= HIGHEST_MM


def test_uptake_is_the_drawn_one(chests: list[tuple[Patient, Canvas]]) -> None:
    for patient, canvas in chests:
        for organ in (Organ.MYOCARDIUM, Organ.BLOOD, Organ.LUNG):
            mean = canvas.suv[canvas.organ == organ].mean()
            assert mean == pytest.approx(patient.suv(organ), rel=0.1), organ


def test_heart_and_aortic_arch_lie_on_the_left(chests: list[tuple[Patient, Canvas]]) -> None:
    for _, canvas in chests:
        x = canvas.x[canvas.organ == Organ.MYOCARDIUM]
        assert x.mean() > 15
        descending = (canvas.organ == Organ.VESSEL_WALL) & (np.abs(canvas.z - 430) < 15)
        assert canvas.x[descending].mean() > 5


@pytest.mark.parametrize("pattern", list(HEARTS))
def test_patterns_of_the_heart(pattern: str) -> None:
    patient = of(8, 300, 560, heart=pattern)
    canvas = painted(patient)
    wall = canvas.organ == Organ.MYOCARDIUM
    suv, x = canvas.suv[wall], canvas.x[wall]
    assert suv.mean() == pytest.approx(patient.suv(Organ.MYOCARDIUM), rel=0.02)
    assert (f"heart: {pattern}" in patient.variants) == (pattern != "none")
    left, right = suv[x > np.percentile(x, 75)].mean(), suv[x < np.percentile(x, 25)].mean()
    if pattern == "none":
        assert suv.std() < 0.1 * suv.mean()
    elif pattern in ("low", "diffuse", "lateral"):
        assert left > right  # the right ventricle is thin
    elif pattern == "right":
        assert right > 0.8 * left
    if pattern in ("base", "lateral", "septal", "papillary"):
        assert suv.max() > 1.5 * suv.mean()


def test_effusion_lies_behind_with_its_volume_and_collapsed_lung_before_it() -> None:
    patient = of(9, effusion_ml=(500.0, 0.0), atelectasis=(0.3, 0.0))
    canvas = painted(patient)
    fluid, collapsed = canvas.organ == Organ.EFFUSION, canvas.organ == Organ.ATELECTASIS
    right = (canvas.organ == Organ.LUNG) & (canvas.x < 0)
    assert fluid.sum() * VOXEL_ML == pytest.approx(500, abs=1)
    assert canvas.x[fluid].max() < 30
    assert canvas.y[fluid].mean() > canvas.y[collapsed].mean() > canvas.y[right].mean()
    assert 0 < canvas.hu[fluid].mean() < 25
    assert canvas.suv[collapsed].mean() > 2 * patient.suv(Organ.LUNG)
    assert {"pleural effusion", "atelectasis"} <= set(patient.variants)


@pytest.mark.parametrize("side", [-1, 1])
def test_pacemaker_and_port_lie_on_their_sides(side: int) -> None:
    patient = of(3, 300, 600, pacemaker=side, port=-side)
    canvas = painted(patient)
    metal = canvas.organ == Organ.METAL
    can = metal & (canvas.hu > 2500)
    assert np.sign(canvas.x[can].mean()) == side
    assert np.sign(canvas.x[metal & ~can].mean()) == -side
    lead = (canvas.organ == Organ.CATHETER) & (canvas.hu > 1000)
    heart = canvas.organ == Organ.MYOCARDIUM
    assert canvas.z[lead].min() < canvas.z[heart].mean()
    assert {"pacemaker", "port"} <= set(patient.variants)


def test_both_devices_on_one_side_are_parted() -> None:
    canvas = painted(of(3, 300, 600, pacemaker=1, port=1))
    metal = canvas.organ == Organ.METAL
    assert (canvas.x[metal] > 30).any()
    assert (canvas.x[metal] < -30).any()


def test_vasculitis_is_seen_along_the_aorta() -> None:
    ill = of(4, vasculitis=2.2)
    canvas = painted(ill)
    wall = canvas.organ == Organ.VESSEL_WALL
    assert canvas.suv[wall].mean() > 1.8 * ill.suv(Organ.VESSEL_WALL)
    assert "vasculitis" in ill.variants


def test_contrast_medium_brightens_the_blood() -> None:
    plain, bright = (painted(of(5, 300, 560, contrast=given)) for given in (False, True))
    blood = [canvas.hu[canvas.organ == Organ.BLOOD].mean() for canvas in (plain, bright)]
    assert blood[1] > blood[0] + 50


@pytest.mark.parametrize("ends", [(-180, 60), (380, 520), (420, 700), (600, 850)])
def test_scans_may_end_anywhere(ends: tuple[float, float]) -> None:
    canvas = painted(of(2, *ends, pacemaker=1, port=-1, effusion_ml=(300.0, 300.0)))
    assert np.isfinite(canvas.suv).all()
    assert (canvas.organ == Organ.MYOCARDIUM).any() == (ends[0] < 450 and ends[1] > 400)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (painted(of(6, 350, 500)) for _ in range(2))
    for name in ("organ", "suv", "hu"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def test_nothing_is_taken_from_organs_that_were_painted_before() -> None:
    patient = of(5, 300, 600)
    canvas = Canvas(patient.pose, (210, 170), patient.seed)
    envelope = paint_envelope(canvas, patient)
    there = np.isin(canvas.organ, (Organ.MUSCLE, Organ.SOFT, Organ.VISCERAL_FAT))
    bone = (np.indices(canvas.shape).sum(0) % 7 == 0) & there
    canvas.organ[bone] = Organ.CORTEX
    paint_chest(canvas, patient, envelope)
    assert (canvas.organ[bone] == Organ.CORTEX).all()


def test_vessels_calcify_with_age() -> None:
    hard = []
    for age in (30, 85):
        patient = of(5, 200, 560, contrast=False)
        patient.build = replace(patient.build, age=age)
        canvas = painted(patient)
        hard.append((canvas.hu[canvas.organ == Organ.VESSEL_WALL] > 150).mean())
    assert hard[0] == 0
    assert hard[1] > 0.02

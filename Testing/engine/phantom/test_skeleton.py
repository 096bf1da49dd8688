"""Bones of a phantom: where they are, what they are made of, and what wears them out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML, Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, paint_envelope, spine_y
from PETAnomalyLib.engine.phantom.frame.limbs import paint_limbs
from PETAnomalyLib.engine.phantom.frame.posture import draw_arms, draw_legs, half_widths_mm
from PETAnomalyLib.engine.phantom.frame.skeleton import paint_skeleton
from PETAnomalyLib.engine.phantom.frame.spine import NAMES, vertebra_z
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from seen_patient import seen_patient

BONE = [Organ.CORTEX, Organ.MARROW]


def painted(patient: Patient) -> tuple[Canvas, Envelope]:
    canvas = Canvas(patient.pose, half_widths_mm(patient.build), patient.seed)
    envelope = paint_envelope(canvas, patient)
    paint_limbs(canvas, patient, envelope)
    paint_skeleton(canvas, patient, envelope)
    return canvas, envelope


def with_conditions(
    seed: int, bottom: float = -900.0, top: float = 890.0, **conditions: Any
) -> Patient:
    plain = {"degenerative": 0, "hip_prosthesis": 0, "stimulated_marrow": 1.0}
    return seen_patient(seed, bottom, top, **{**plain, **conditions})


def fraction(canvas: Canvas, point: Any, organs: list[Organ], reach_mm: float = 3.0) -> float:
    box = canvas.box(point, reach_mm)
    near = np.zeros(canvas.organ[box].shape, bool)
    for field, value in zip((canvas.x, canvas.y, canvas.z), point):
        near |= np.abs(field[box] - value) > reach_mm
    return float(canvas.where(box, organs)[~near].mean())


@pytest.fixture(scope="module")
def whole() -> tuple[Patient, Canvas, Envelope]:
    patient = with_conditions(3)
    return patient, *painted(patient)


def test_every_vertebra_is_marrow_with_a_disc_below(
    whole: tuple[Patient, Canvas, Envelope],
) -> None:
    patient, canvas, _ = whole
    for name in NAMES[:-2]:  # the atlas has no body
        z = vertebra_z(patient, name)
        assert fraction(canvas, (0, spine_y(z), z), BONE) > 0.6, name
    below = vertebra_z(patient, "L3") - 17
    assert fraction(canvas, (0, spine_y(below), below), [Organ.DISC], 4.0) > 0.4


def test_cord_has_its_volume_and_lies_in_bone(whole: tuple[Patient, Canvas, Envelope]) -> None:
    patient, canvas, _ = whole
    cord = canvas.organ == Organ.SPINAL_CORD
    assert cord.sum() * VOXEL_ML == pytest.approx(patient.volume_ml(Organ.SPINAL_CORD), rel=0.01)
    assert np.abs(canvas.x[cord]).max() < 14
    assert canvas.z[cord].min() > 255


def test_bones_of_the_limbs_are_where_the_joints_are(
    whole: tuple[Patient, Canvas, Envelope],
) -> None:
    patient, canvas, envelope = whole
    for arm in draw_arms(patient, envelope):
        assert fraction(canvas, arm.shoulder, BONE) > 0.9
        assert fraction(canvas, 0.5 * (arm.shoulder + arm.elbow), BONE, 9.0) > 0.5
    for leg in draw_legs(patient):
        assert fraction(canvas, leg.hip, BONE) > 0.9
        assert fraction(canvas, leg.knee + np.array([leg.side * 16.0, 6, 20]), BONE) > 0.9


def test_red_marrow_takes_up_more_than_fatty_marrow(
    whole: tuple[Patient, Canvas, Envelope],
) -> None:
    patient, canvas, _ = whole
    marrow = canvas.organ == Organ.MARROW
    axial = canvas.suv[marrow & (np.abs(canvas.x) < 20) & (canvas.z > 120) & (canvas.z < 500)]
    shins = canvas.suv[marrow & (canvas.z < -450)]
    assert axial.mean() == pytest.approx(patient.suv(Organ.MARROW), rel=0.25)
    assert shins.mean() < 0.5 * axial.mean()


def test_bone_is_denser_outside_than_within(whole: tuple[Patient, Canvas, Envelope]) -> None:
    patient, canvas, _ = whole
    cortex, marrow = canvas.organ == Organ.CORTEX, canvas.organ == Organ.MARROW
    assert canvas.hu[cortex].mean() == pytest.approx(patient.hu(Organ.CORTEX), rel=0.3)
    assert canvas.hu[cortex].mean() > canvas.hu[marrow].mean() + 250
    assert canvas.hu[cortex].min() > 60


def test_bones_take_nothing_from_belly_skin_and_air(
    whole: tuple[Patient, Canvas, Envelope],
) -> None:
    _, canvas, envelope = whole
    bare = Canvas(canvas.pose, half_widths_mm(draw_patient(3).build), 3)
    patient = with_conditions(3)
    layers = paint_envelope(bare, patient)
    paint_limbs(bare, patient, layers)
    bone = canvas.where((slice(None),) * 3, BONE)
    assert not (bone & (bare.organ == Organ.AIR)).any()
    assert not (bone & (bare.organ == Organ.BREAST)).any()
    assert (envelope.cavity[bone] > 0.5).mean() > 0.85


def test_stimulated_marrow_is_seen() -> None:
    means = []
    for factor in (1.0, 2.5):
        patient = with_conditions(6, 0.0, 600.0, stimulated_marrow=factor)
        canvas, _ = painted(patient)
        means.append(canvas.suv[canvas.organ == Organ.MARROW].mean())
    assert means[1] > 2 * means[0]
    assert "stimulated marrow" in patient.variants


@pytest.mark.parametrize("side", [-1, 1])
def test_hip_prosthesis_is_metal_in_place_of_the_femur(side: int) -> None:
    patient = with_conditions(7, -200.0, 300.0, hip_prosthesis=side)
    canvas, _ = painted(patient)
    metal = canvas.organ == Organ.METAL
    assert 20 < metal.sum() * VOXEL_ML < 200
    assert (np.sign(canvas.x[metal]) == side).all()
    assert canvas.hu[metal].min() > 3000
    assert "hip prosthesis" in patient.variants


def test_worn_joints_take_up_and_are_named() -> None:
    patient = with_conditions(8, -500.0, 700.0, degenerative=6)
    canvas, _ = painted(patient)
    joints = canvas.organ == Organ.JOINT
    assert joints.sum() * VOXEL_ML > 1
    assert canvas.suv[joints].mean() > 1.3
    assert any(name.startswith("degenerative") for name in patient.variants)


@pytest.mark.parametrize(("bottom", "top"), [(-900, -350), (-60, 450), (560, 1100), (300, 850)])
def test_scans_may_end_inside_any_bone(bottom: float, top: float) -> None:
    patient = with_conditions(9, bottom, top, degenerative=4, hip_prosthesis=1)
    canvas, _ = painted(patient)
    assert canvas.where((slice(None),) * 3, BONE).any()
    assert np.isfinite(canvas.suv).all()
    assert np.isfinite(canvas.hu).all()


def test_same_seed_paints_the_same_bones() -> None:
    first, second = (painted(draw_patient(4))[0] for _ in range(2))
    assert first.hu.tobytes() == second.hu.tobytes()
    assert first.suv.tobytes() == second.suv.tobytes()

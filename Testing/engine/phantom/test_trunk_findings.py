"""Exercise, brown fat and extravasation: seen in PET, and CT says what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import paint_envelope
from PETAnomalyLib.engine.phantom.frame.limbs import paint_limbs
from PETAnomalyLib.engine.phantom.frame.posture import half_widths_mm
from PETAnomalyLib.engine.phantom.frame.skeleton import paint_skeleton
from PETAnomalyLib.engine.phantom.frame.trunk_findings import paint_trunk_findings
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient

PLAIN = {"exercised": "", "brown_fat": 0.0, "extravasation": 0}


def painted(seed: int, arms: str = "down", **conditions: Any) -> tuple[Patient, Canvas, Canvas]:
    """The patient, the canvas before the findings were painted, and after."""
    patient = draw_patient(seed)
    patient.build = replace(patient.build, arms=arms)
    patient.conditions = replace(patient.conditions, **{**PLAIN, **conditions})
    scale = patient.pose.scale[2]
    patient.pose = replace(patient.pose, bottom_mm=-250.0, length_mm=float(1000 * scale))
    canvas = Canvas(patient.pose, half_widths_mm(patient.build), seed)
    envelope = paint_envelope(canvas, patient)
    paint_limbs(canvas, patient, envelope)
    paint_skeleton(canvas, patient, envelope)
    before = replace_fields(canvas)
    paint_trunk_findings(canvas, patient, envelope)
    return patient, before, canvas


def replace_fields(canvas: Canvas) -> Canvas:
    copy = object.__new__(Canvas)
    copy.__dict__.update(canvas.__dict__)
    copy.organ, copy.suv, copy.hu = canvas.organ.copy(), canvas.suv.copy(), canvas.hu.copy()
    return copy


def test_nothing_is_painted_without_a_condition() -> None:
    _, before, after = painted(1)
    assert before.suv.tobytes() == after.suv.tobytes()
    assert before.organ.tobytes() == after.organ.tobytes()


@pytest.mark.parametrize("kind", ["limbs", "neck", "chewing", "all"])
def test_exercise_heats_muscle_and_nothing_else(kind: str) -> None:
    patient, before, after = painted(2, exercised=kind)
    hotter = after.suv > before.suv * 1.2
    assert hotter.any()
    assert (before.organ[hotter] == Organ.MUSCLE).all()
    assert before.hu.tobytes() == after.hu.tobytes()
    assert f"muscle uptake: {kind}" in patient.variants


def test_insulin_reaches_all_muscles() -> None:
    _, before, after = painted(2, exercised="all")
    muscle = before.organ == Organ.MUSCLE
    assert (after.suv[muscle] >= 2 * before.suv[muscle] * 0.999).all()


def test_brown_fat_is_hot_fat_on_both_sides_beneath_the_skin() -> None:
    patient, before, after = painted(3, brown_fat=9.0)
    brown = after.organ == Organ.BROWN_FAT
    assert 2 < after.suv[brown].mean() < 10
    assert (np.abs(after.hu[brown] + 75) < 25).all()
    assert (after.x[brown] > 0).any()
    assert (after.x[brown] < 0).any()
    taken = set(np.unique(before.organ[brown]))
    assert taken <= {Organ.FAT, Organ.VISCERAL_FAT, Organ.SOFT, Organ.MUSCLE}
    assert "brown fat" in patient.variants


@pytest.mark.parametrize("side", [-1, 1])
def test_extravasation_lies_in_the_arm_of_the_injection(side: int) -> None:
    patient, before, after = painted(5, extravasation=side)
    tracer = after.organ == Organ.TRACER
    assert "extravasation" in patient.variants
    assert after.suv[tracer].max() > 1
    assert (np.sign(after.x[tracer]) == side).all()
    assert (before.organ[tracer] != Organ.AIR).all()

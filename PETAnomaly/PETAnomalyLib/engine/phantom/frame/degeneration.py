"""Worn and inflamed joints: uptake, osteophytes and sclerosis."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint
from PETAnomalyLib.engine.phantom.frame.bone import BONE_INTO
from PETAnomalyLib.engine.phantom.frame.envelope import spine_y
from PETAnomalyLib.engine.phantom.frame.posture import Arm, Leg, off
from PETAnomalyLib.engine.phantom.frame.spine import vertebra_z
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

INFLAMED_SUV = (1.6, 4.8)
"""Of degenerative joints; Wandler et al., Clin Nucl Med 2005: SUVmax of shoulders 1.2 to 5."""
SCLEROSIS_HU = (320.0, 700.0)
# How often each place is drawn, relative to the others.
PLACES = {"facet": 5, "disc": 4, "shoulder": 4, "acromioclavicular": 2, "hip": 3, "knee": 3,
          "hand": 2, "sternoclavicular": 2, "sacroiliac": 1, "costovertebral": 1}  # fmt: skip
LUMBAR, CERVICAL = ("L5", "L4", "L3", "L2"), ("C6", "C5", "C4")


def paint_degeneration(
    canvas: Canvas, patient: Patient, arms: tuple[Arm, Arm], legs: tuple[Leg, Leg]
) -> None:
    """Paint as many worn joints as the patient has; large joints often on both sides."""
    rng = patient.stream("degeneration")
    names = list(PLACES)
    odds = np.array([PLACES[name] for name in names], float)
    for _ in range(patient.conditions.degenerative):
        place = names[int(rng.choice(len(names), p=odds / odds.sum()))]
        both = (
            place in ("shoulder", "hip", "knee", "hand", "sternoclavicular") and rng.random() < 0.4
        )
        first = int(rng.choice([-1, 1]))
        shape = _where(patient, rng, place, arms, legs)
        uptake = float(rng.uniform(*INFLAMED_SUV))
        for side in (first, -first) if both else (first,):
            if place == "hip" and side == patient.conditions.hip_prosthesis:
                continue
            _worn(canvas, patient, rng, place, side, shape, uptake * rng.uniform(0.7, 1.0))


def _where(
    patient: Patient, rng: np.random.Generator, place: str, arms: tuple[Arm, Arm],
    legs: tuple[Leg, Leg],
) -> tuple[Vector, Vector]:  # fmt: skip
    """Centre and radii, mm, of the left one."""
    b, arm, leg = patient.build.shoulders, arms[1], legs[1]
    neck = rng.random() < 0.35
    z = vertebra_z(patient, str(rng.choice(CERVICAL if neck else LUMBAR)))
    low = z - (9 if neck else 18)
    back = spine_y(low)
    hand = arm.wrist + 0.2 * (arm.fingertips - arm.wrist) + 22 * arm.across
    radii = {
        "facet": (6, 7, 8) if neck else (8, 9, 11),
        "disc": (10, 8, 4) if neck else (18, 14, 7),
        "shoulder": (12, 24, 26),
        "hip": (15, 20, 8),
        "knee": (15, 22, 8),
        "hand": (9, 9, 10),
    }.get(place, (9, 9, 9))
    centre = {
        "facet": (17, back + (20 if neck else 36), low),
        "disc": (rng.uniform(-8, 8), back - 6, low),
        "shoulder": off(arm.shoulder, -14, 0, 4),
        "acromioclavicular": (134 * b, 4, arm.shoulder[2] + 30),
        "hip": off(leg.hip, 4, -2, 25),
        "knee": off(leg.knee, rng.choice([-17, 17]), 4, 1),
        "hand": hand,
        "sternoclavicular": (19, -66, 523),
        "sacroiliac": (44, 74, rng.uniform(60, 105)),
        "costovertebral": (20, spine_y(470) + 10, rng.uniform(330, 530)),
    }[place]
    return np.asarray(centre, float), np.asarray(radii, float)


def _worn(
    canvas: Canvas, patient: Patient, rng: np.random.Generator, place: str, side: int,
    where: tuple[Vector, Vector], uptake: float,
) -> None:  # fmt: skip
    centre = where[0] * [side, 1, 1] + rng.normal(0, 1.5, 3)
    radii = where[1] * rng.uniform(0.75, 1.15)
    shape = ellipsoid(canvas, centre, radii, roughness=0.25)
    if shape.empty:
        return
    bones = [Organ.CORTEX, Organ.MARROW]
    if place in ("shoulder", "hip"):
        # The capsule, not the head in it.
        shape.level[canvas.where(shape.box, bones)] += 0.6
    density = canvas.mottled(float(rng.uniform(*SCLEROSIS_HU)), shape.box, 0.25)
    was_bone = canvas.where(shape.box, bones)
    hu = np.where(was_bone, np.maximum(density, canvas.hu[shape.box]), 0.5 * density)
    if place == "shoulder":
        hu = np.where(was_bone, hu, 55.0)
    suv = canvas.mottled(uptake, shape.box, 0.15)
    kept = (*BONE_INTO[:4], *bones, Organ.DISC)
    if paint(canvas, shape, Organ.JOINT, suv, hu.astype(np.float32), kept).any():
        patient.variants.append(f"degenerative {place}")

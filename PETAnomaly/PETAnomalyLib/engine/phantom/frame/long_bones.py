"""Humeri, forearms, femora, shins and kneecaps; a hip prosthesis in place of a femur's head."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, tube
from PETAnomalyLib.engine.phantom.frame.bone import BoneTissue, Part, knob, paint_bone, rod
from PETAnomalyLib.engine.phantom.frame.posture import Arm, Leg, off, scanned_mm
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

JOINT_SPACE_MM = 3.0
JOINT_SUV, JOINT_HU = 0.7, 60.0  # cartilage and fluid of a healthy joint
METAL_HU, METAL_SUV = 8000.0, 0.05  # steel and titanium; the scanner clips it
LINER_HU = 10.0  # polyethylene between head and cup
RIM_SUV, LOOSENING_SUV = (0.7, 1.3), (1.6, 3.5)  # of bone round a stem: quiet, and not
LOOSE = 0.4  # of prostheses have more uptake, many of them without complaint


def paint_arm_bones(canvas: Canvas, bone: BoneTissue, arm: Arm) -> None:
    """Paint humerus, radius and ulna."""
    head, elbow, wrist, across = arm.shoulder, arm.elbow, arm.wrist, arm.across
    out = elbow - head
    lateral = np.array([arm.side * 4.0, 0, 0])
    humerus = [(*(head + 0.06 * out + lateral), 19), (*(head + 0.16 * out + lateral), 14),
               (*(head + 0.35 * out), 11.5), (*(head + 0.75 * out), 11),
               (*(head + 0.9 * out), 13)]  # fmt: skip
    condyles = [
        knob(canvas, elbow + 12 * way * across, (14, 12, 13), 1.8, 0.15, 0.6) for way in (-1, 1)
    ]
    neck = knob(canvas, head + 0.05 * out + 2 * lateral, (20, 21, 21), 1.5, bone.limb_red, 0.8)
    paint_bone(canvas, bone, [*_shaft(canvas, humerus, 4.5, 0.8 * bone.limb_red), neck, *condyles])
    _ball(canvas, bone, head, 23.0)
    along = 0.6 * elbow + 0.4 * wrist
    back = 0.06 * (elbow - wrist)
    radius = [(*(elbow + 9 * across - back), 10), (*(along + 12 * across), 7),
              (*(wrist + 9 * across), 11)]  # fmt: skip
    ulna = [(*(elbow - 8 * across + back), 11), (*(along - 12 * across), 7),
            (*(wrist - 12 * across), 7)]  # fmt: skip
    for line in (radius, ulna):
        paint_bone(canvas, bone, _shaft(canvas, line, 3.2, 0.1))


def paint_leg_bones(canvas: Canvas, patient: Patient, bone: BoneTissue, leg: Leg) -> None:
    """Paint femur, patella, tibia and fibula; the femur's head and neck of metal after surgery."""
    _femur(canvas, patient, bone, leg)
    if scanned_mm(canvas)[0] < leg.knee[2]:
        _shin(canvas, bone, leg)
    if patient.conditions.hip_prosthesis == leg.side:
        _prosthesis(canvas, patient, leg)


def _femur(canvas: Canvas, patient: Patient, bone: BoneTissue, leg: Leg) -> None:
    h, s, knee = patient.build.hips, leg.side, leg.knee
    shaft = [(s * 118 * h, 8, -34, 18), (s * 114 * h, 2, -80, 15.5), (s * 106 * h, -4, -190, 14),
             (*off(knee, s * 5, 0, 80), 15), (*off(knee, s * 2, 2, 48), 20)]  # fmt: skip
    neck = [(*leg.hip, 17), (s * 106 * h, 6, -1, 15), (s * 117 * h, 8, -24, 19)]
    red = bone.limb_red
    parts = [
        *_shaft(canvas, shaft, 6.0, 0.8 * red),
        rod(canvas, neck, 2.2, 0.85 * red, 0.9),
        knob(canvas, (s * 123 * h, 10, -16), (14, 17, 22), 1.8, 0.6 * red, 0.8),
    ]
    for way in (-1, 1):
        parts.append(knob(canvas, off(knee, way * 17, 8, 22), (22, 28, 23), 1.6, 0.2, 0.8))
    paint_bone(canvas, bone, parts)
    _ball(canvas, bone, leg.hip, 23.0)


def _shin(canvas: Canvas, bone: BoneTissue, leg: Leg) -> None:
    knee, ankle, s = leg.knee, leg.ankle, leg.side
    axis = ankle - knee
    inner, outer = np.array([-s * 4.0, -4, 0]), np.array([s * 24.0, 14, 0])
    tibia = [(*off(knee, 0, 0, -34), 22), (*(knee + 0.16 * axis + inner), 15.5),
             (*(knee + 0.6 * axis + inner), 12), (*(knee + 0.9 * axis + inner), 14),
             (*off(ankle, -s * 2, 0, 20), 17)]  # fmt: skip
    fibula = [(*(knee + 0.06 * axis + 1.2 * outer), 9), (*(knee + 0.3 * axis + outer), 6),
              (*(knee + 0.85 * axis + outer), 6.5), (*off(ankle, s * 22, 10, -4), 9)]  # fmt: skip
    parts = _shaft(canvas, tibia, 5.5, 0.12)
    for way in (-1, 1):
        parts.append(knob(canvas, off(knee, way * 16, 5, -20), (21, 24, 16), 1.6, 0.15, 0.8))
    parts.append(knob(canvas, off(ankle, -s * 2, 0, 8), (21, 19, 13), 1.6, 0.1, 0.8))
    paint_bone(canvas, bone, parts)
    paint_bone(canvas, bone, _shaft(canvas, fibula, 3.0, 0.05))
    paint_bone(canvas, bone, knob(canvas, off(knee, 0, -36, 22), (20, 9, 21), 2.0, 0.1, 0.9))


def _shaft(
    canvas: Canvas, line: list[tuple[float, ...]], cortex_mm: float, red: float
) -> list[Part]:  # fmt: skip
    """A shaft: thick cortex round marrow with few trabeculae, less and less red to its far end."""
    middle = len(line) // 2
    return [
        rod(canvas, line[: middle + 1], cortex_mm, red, 0.15),
        rod(canvas, line[middle:], cortex_mm, 0.35 * red, 0.15),
    ]


def _ball(canvas: Canvas, bone: BoneTissue, centre: Vector, radius: float) -> None:
    """A joint's head, and the gap round it, in whatever bone it turns."""
    shape = ellipsoid(canvas, centre, (radius,) * 3, roughness=0.02, reach=1.2)
    if shape.empty:
        return
    depth = ((1 - np.sqrt(shape.level)) * np.float32(radius)).astype(np.float32)
    bones = [Organ.CORTEX, Organ.MARROW]
    gap = (depth > -JOINT_SPACE_MM) & (depth <= 0.5) & canvas.where(shape.box, bones)
    # The gap is round the cap, not where the neck leaves it.
    gap &= _cap(canvas, shape, centre)
    canvas.fill(shape.box, gap, Organ.SOFT, JOINT_SUV, JOINT_HU)
    into = (Organ.FAT, Organ.MUSCLE, Organ.VISCERAL_FAT, Organ.SOFT, *bones)
    depth[gap] = -1
    head = Part(shape.box, depth, 1.5, 0.75 * bone.limb_red, 1.35)
    paint_bone(canvas, bone, head, into)


def _cap(canvas: Canvas, shape: Shape, centre: Vector) -> np.ndarray:
    side = np.sign(centre[0])
    towards = -side * (canvas.x[shape.box] - centre[0]) + 0.5 * (canvas.z[shape.box] - centre[2])
    found: np.ndarray = towards > -6
    return found


def _prosthesis(canvas: Canvas, patient: Patient, leg: Leg) -> None:
    """Cup, head, neck and stem of metal, and a rim of uptake where bone meets the stem."""
    h, s = patient.build.hips, leg.side
    rng = patient.stream("hip prosthesis")
    cup = ellipsoid(canvas, leg.hip, (27, 27, 27), roughness=0.0, reach=1.05)
    stem = [(*leg.hip, 8), (s * 112 * h, 6, -8, 8), (s * 117 * h, 6, -40, 9),
            (s * 112 * h, 0, -110, 7), (s * 108 * h, -3, -165, 4)]  # fmt: skip
    if not cup.empty:
        shell = (cup.level < 1) & (cup.level > 0.74) & _cap(canvas, cup, leg.hip)
        canvas.fill(cup.box, cup.level < 0.74, Organ.SOFT, JOINT_SUV, LINER_HU)
        canvas.fill(cup.box, shell | (cup.level < 0.34), Organ.METAL, METAL_SUV, METAL_HU)
    shape = tube(canvas, np.array(stem), reach=1.8)
    if not shape.empty:
        inflamed = (shape.level < 1.7) & canvas.where(shape.box, [Organ.MARROW, Organ.CORTEX])
        inflamed &= shape.level >= 1
        value = rng.uniform(*(LOOSENING_SUV if rng.random() < LOOSE else RIM_SUV))
        suv = canvas.mottled(value, shape.box, 0.3)
        canvas.fill(shape.box, inflamed & (canvas.z[shape.box] > -60), None, suv)
        canvas.fill(shape.box, shape.level < 1, Organ.METAL, METAL_SUV, METAL_HU)
    if not (cup.empty and shape.empty):
        patient.variants.append("hip prosthesis")

"""Humeri, forearms, femora, shins and kneecaps; a hip prosthesis in place of a femur's head."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, tube
from PETAnomalyLib.engine.phantom.frame.bone import BoneTissue, paint_bone, paint_knob, paint_rod
from PETAnomalyLib.engine.phantom.frame.posture import Arm, Leg
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

JOINT_SPACE_MM = 3.0
JOINT_SUV, JOINT_HU = 0.7, 60.0  # cartilage and fluid of a healthy joint
METAL_HU, METAL_SUV = 8000.0, 0.05  # steel and titanium; the scanner clips it
LINER_HU = 10.0  # polyethylene between head and cup
LOOSENING_SUV = (1.5, 3.5)  # round a stem, years after surgery as well as when it is loose


def paint_arm_bones(canvas: Canvas, bone: BoneTissue, arm: Arm) -> None:
    """Paint humerus, radius and ulna."""
    head, elbow, wrist = arm.shoulder, arm.elbow, arm.wrist
    _ball(canvas, bone, head, 23.0)
    out = np.array([arm.side * 4.0, 0, 0])
    shaft = [(*(head + 0.06 * (elbow - head) + out), 19), (*(head + 0.16 * (elbow - head) + out), 14),
             (*(head + 0.35 * (elbow - head)), 11.5), (*(head + 0.75 * (elbow - head)), 11),
             (*(head + 0.9 * (elbow - head)), 13)]  # fmt: skip
    _shaft(canvas, bone, shaft, 4.5, bone.limb_red)
    across = arm.across
    for way in (-1, 1):
        paint_knob(canvas, bone, elbow + 12 * way * across, (14, 12, 13), 1.8, 0.15, 0.6)
    _shaft(canvas, bone, [(*(elbow + 9 * across), 10), (*(0.6 * elbow + 0.4 * wrist + 12 * across), 7),
                          (*(wrist + 9 * across), 11)], 3.2, 0.1)  # fmt: skip
    back = 0.06 * (elbow - wrist)
    _shaft(canvas, bone, [(*(elbow - 8 * across + back), 11), (*(0.6 * elbow + 0.4 * wrist - 12 * across), 7),
                          (*(wrist - 12 * across), 7)], 3.2, 0.1)  # fmt: skip


def paint_leg_bones(canvas: Canvas, patient: Patient, bone: BoneTissue, leg: Leg) -> None:
    """Paint femur, patella, tibia and fibula; the femur's head and neck of metal after surgery."""
    h, s = patient.build.hips, leg.side
    knee, ankle = leg.knee, leg.ankle
    trochanter = np.array([s * 124 * h, 10, -20.0])
    shaft = [(s * 119 * h, 8, -30, 19), (s * 114 * h, 2, -75, 15.5), (s * 106 * h, -4, -190, 14),
             (*(knee + [s * 6, 0, 70]), 15), (*(knee + [0, 2, 38]), 22)]  # fmt: skip
    _shaft(canvas, bone, shaft, 6.0, 0.9 * bone.limb_red)
    for way in (-1, 1):
        paint_knob(canvas, bone, knee + [way * 18, 8, 20], (21, 27, 21), 1.6, 0.2, 0.8)
        paint_knob(canvas, bone, knee + [way * 17, 6, -18], (20, 23, 15), 1.6, 0.15, 0.8)
    paint_knob(canvas, bone, knee + [0, -34, 22], (20, 9, 21), 2.0, 0.1, 0.9)
    axis = ankle - knee
    inner, outer = np.array([-s * 4.0, -4, 0]), np.array([s * 24.0, 14, 0])
    tibia = [(*(knee + [0, 2, -26]), 25), (*(knee + 0.16 * axis + inner), 16),
             (*(knee + 0.6 * axis + inner), 12), (*(knee + 0.9 * axis + inner), 14),
             (*(ankle + [-s * 2, 0, 14]), 19)]  # fmt: skip
    _shaft(canvas, bone, tibia, 5.5, 0.12)
    fibula = [(*(knee + 0.06 * axis + 1.2 * outer), 9), (*(knee + 0.3 * axis + outer), 6),
              (*(knee + 0.85 * axis + outer), 6.5), (*(ankle + [s * 22, 10, -4]), 9)]  # fmt: skip
    _shaft(canvas, bone, fibula, 3.0, 0.05)
    neck = [(*leg.hip, 17), (s * 108 * h, 6, -4, 15.5), (s * 118 * h, 8, -24, 20)]
    paint_knob(canvas, bone, trochanter, (14, 17, 22), 1.8, 0.6 * bone.limb_red, 0.8)
    paint_rod(canvas, bone, neck, 2.6, 0.85 * bone.limb_red, 0.9, 14.0)
    _ball(canvas, bone, leg.hip, 23.0)
    if patient.conditions.hip_prosthesis == s:
        _prosthesis(canvas, patient, leg)


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
    paint_bone(canvas, bone, shape.box, depth, 1.5, 0.75 * bone.limb_red, 1.35, into)


def _cap(canvas: Canvas, shape: Shape, centre: Vector) -> np.ndarray:
    side = np.sign(centre[0])
    towards = -side * (canvas.x[shape.box] - centre[0]) + 0.5 * (canvas.z[shape.box] - centre[2])
    found: np.ndarray = towards > -6
    return found


def _shaft(
    canvas: Canvas, bone: BoneTissue, line: list[tuple[float, ...]], cortex_mm: float, red: float
) -> None:
    """A shaft of thick cortex round fat; trabeculae fill its ends."""
    knots = np.asarray(line, float)
    paint_rod(canvas, bone, knots, cortex_mm, red, 0.15, 50.0)


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
        suv = canvas.mottled(rng.uniform(*LOOSENING_SUV), shape.box, 0.3)
        canvas.fill(shape.box, inflamed & (canvas.z[shape.box] > -60), None, suv)
        canvas.fill(shape.box, shape.level < 1, Organ.METAL, METAL_SUV, METAL_HU)
    if not (cup.empty and shape.empty):
        patient.variants.append("hip prosthesis")

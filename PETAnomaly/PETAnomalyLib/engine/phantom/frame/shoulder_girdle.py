"""Clavicles and scapulae, as the arms hold them."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.bone import BoneTissue, knob, paint_bone, plate, rod
from PETAnomalyLib.engine.phantom.frame.posture import Arm, off
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_shoulder_girdle(
    canvas: Canvas, patient: Patient, bone: BoneTissue, arms: tuple[Arm, Arm]
) -> None:
    """Paint both: raised arms turn the scapula outwards and lift the clavicle."""
    for arm in arms:
        _clavicle(canvas, patient, bone, arm)
        _scapula(canvas, patient, bone, arm)


def _clavicle(canvas: Canvas, patient: Patient, bone: BoneTissue, arm: Arm) -> None:
    s, b = arm.side, patient.build.shoulders
    raised = 20 if patient.build.arms == "up" else 0
    line = [(s * 16, -66, 524, 9), (s * 42, -68, 536, 6.5),
            (s * 78 * b, -48, 548 + 0.4 * raised, 6),
            (s * 108 * b, -18, 554 + 0.8 * raised, 6.5),
            (s * (132 - 0.4 * raised) * b, 4, 556 + raised, 7)]  # fmt: skip
    paint_bone(canvas, bone, rod(canvas, line, 2.2, 0.6, 0.6))


def _scapula(canvas: Canvas, patient: Patient, bone: BoneTissue, arm: Arm) -> None:
    s, b = arm.side, patient.build.shoulders
    up = patient.build.arms == "up"
    neck = off(arm.shoulder, -s * 27, 5, -2)
    above = np.array([s * 72 * b, 76, 536.0])
    below = np.array([s * (112 if up else 88) * b, 88 if not up else 80, 415.0 + (12 if up else 0)])
    root = np.array([s * 70 * b, 88, 500.0])
    tip = off(arm.shoulder, s * 4, 4, 32)
    border = [(*neck, 8), (*(0.75 * neck + 0.25 * below), 6.5), (*below, 5.5)]
    spine = [(*root, 5), (s * 104 * b, 78, 0.5 * (root[2] + tip[2]) + 4, 7),
             (*off(tip, 0, 22, -6), 8), (*tip, 7)]  # fmt: skip
    hook = [(*off(neck, 0, -8, 16), 7), (*off(neck, s * 2, -34, 22), 5.5)]
    blade = [
        plate(canvas, corners, (10, 4.5, 5), 1.4, 0.6)
        for corners in ((neck, above, root), (neck, root, below))
    ]
    rods = [rod(canvas, line, 1.8, 0.6) for line in (border, spine, hook)]
    paint_bone(canvas, bone, [*blade, *rods, knob(canvas, neck, (9, 13, 18), 1.8, 0.75)])

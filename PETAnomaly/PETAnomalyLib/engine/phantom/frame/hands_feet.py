"""Hands and feet: skin, muscle and bones."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube, united
from PETAnomalyLib.engine.phantom.frame.bone import BoneTissue, knob, paint_bone, rod
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.frame.posture import Arm, Leg, off
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

# Rays of a hand: across the palm (mm, to the thumb), ends of metacarpal and finger (share of the
# hand's length).
FINGERS = ((-30, 0.46, 0.82), (-11, 0.5, 0.95), (9, 0.51, 1.0), (29, 0.5, 0.93))
THUMB = (52, 0.34, 0.6)
# Rays of a foot: across (mm, to the great toe), radius of the metatarsal.
TOES = ((-28, 4.5), (-14, 4.5), (0, 4.5), (14, 5), (30, 7))


def _hand_rays(arm: Arm) -> list[list[Vector]]:
    """Wrist, knuckle and fingertip of every ray."""
    length = arm.fingertips - arm.wrist
    rays = []
    for across, knuckle, tip in (*FINGERS, THUMB):
        base = arm.wrist + 0.16 * length + 0.35 * across * arm.across
        spread = across if across != THUMB[0] else 44
        rays.append(
            [base, arm.wrist + knuckle * length + spread * arm.across,
             arm.wrist + tip * length + across * arm.across]
        )  # fmt: skip
    return rays


def paint_hand(canvas: Canvas, patient: Patient, envelope: Envelope, arm: Arm) -> None:
    """Paint a hand's soft tissue: a palm of muscle, fingers of skin and fat."""
    middle = (arm.wrist + arm.fingertips) / 2
    if canvas.box(middle, 105.0) == EMPTY:
        return
    palm = []
    for base, knuckle, tip in _hand_rays(arm):
        palm.append(tube(canvas, [(*base, 14), (*knuckle, 14)], reach=1.05))
        palm.append(tube(canvas, [(*knuckle, 11), (*tip, 8)], reach=1.05))
    whole = united(palm)
    if whole.empty:
        return
    suv = canvas.mottled(patient.suv(Organ.FAT), whole.box, 0.15)
    inside = paint(canvas, whole, Organ.FAT, suv, -40.0, (Organ.AIR,))
    envelope.arms[whole.box] |= inside
    muscle = united(palm[::2])
    muscle.level *= 14 / 11
    suv = canvas.mottled(patient.suv(Organ.MUSCLE), muscle.box)
    paint(canvas, muscle, Organ.MUSCLE, suv, patient.hu(Organ.MUSCLE), (Organ.FAT,))


def paint_hand_bones(canvas: Canvas, bone: BoneTissue, arm: Arm) -> None:
    """Paint carpus, metacarpals and phalanges."""
    middle = (arm.wrist + arm.fingertips) / 2
    if canvas.box(middle, 105.0) == EMPTY:
        return
    length = arm.fingertips - arm.wrist
    carpus = arm.wrist + 0.1 * length
    bones = [
        knob(canvas, carpus + way * arm.across, (10, 9, 13), 1.4, 0.1, 0.9) for way in (-11, 0, 11)
    ]
    for base, knuckle, tip in _hand_rays(arm):
        joint = 0.5 * (knuckle + tip)
        gap = 0.06 * (tip - knuckle)
        for line in (
            [(*base, 5.5), (*(0.5 * (base + knuckle)), 4.4), (*knuckle, 6)],
            [(*(knuckle + 1.6 * gap), 5), (*(joint - gap), 4)],
            [(*(joint + gap), 4.2), (*(tip - 1.6 * gap), 3.6)],
        ):
            bones.append(rod(canvas, line, 2.2, 0.05))
    for one in bones:
        paint_bone(canvas, bone, one)


def _foot_axes(leg: Leg) -> tuple[Vector, Vector, Vector]:
    """Heel, unit vector across the foot (to the great toe), and along the foot."""
    along = leg.toes - leg.ankle
    across = np.cross(along, [0, 0, 1.0])
    across /= np.linalg.norm(across)
    if across[0] * leg.side > 0:
        across = -across
    return off(leg.ankle, 0, 26, -40), across, along


def paint_foot(canvas: Canvas, patient: Patient, leg: Leg) -> None:
    """Paint a foot's soft tissue."""
    if canvas.box((leg.ankle + leg.toes) / 2, 130.0) == EMPTY:
        return
    heel, across, along = _foot_axes(leg)
    parts = [
        tube(canvas, [(*leg.ankle, 34), (*heel, 31)], reach=1.05),
        tube(canvas, [(*heel, 28), (*off(heel, 0, -50, -10), 24)], reach=1.05),
    ]
    for ray, _ in TOES:
        shift = ray * across
        lies = leg.ankle + 0.9 * along + shift * 1.0
        parts.append(tube(canvas, [(*(leg.ankle + 0.15 * along + 0.5 * shift), 28),
                                   (*(leg.ankle + 0.65 * along + 0.9 * shift), 17), (*lies, 12),
                                   (*(lies + 0.12 * along), 10)], reach=1.05))  # fmt: skip
    whole = united(parts)
    if whole.empty:
        return
    suv = canvas.mottled(patient.suv(Organ.FAT), whole.box, 0.15)
    paint(canvas, whole, Organ.FAT, suv, -50.0, (Organ.AIR,))
    muscle = united(parts[1:])
    muscle.level *= 1.35
    suv = canvas.mottled(patient.suv(Organ.MUSCLE), muscle.box)
    paint(canvas, muscle, Organ.MUSCLE, suv, patient.hu(Organ.MUSCLE), (Organ.FAT,))


def paint_foot_bones(canvas: Canvas, bone: BoneTissue, leg: Leg) -> None:
    """Paint ankle bones, metatarsals and toes."""
    if canvas.box((leg.ankle + leg.toes) / 2, 130.0) == EMPTY:
        return
    heel, across, along = _foot_axes(leg)
    calcaneus = [(*off(heel, 0, 6, -6), 18), (*off(heel, 0, -40, -12), 16)]
    bones = [
        knob(canvas, off(leg.ankle, 0, -8, -18), (19, 27, 15), 1.6, 0.1, 1.0),
        rod(canvas, calcaneus, 1.5, 0.1, 0.6),
    ]
    for way in (-16, 2, 18):
        middle = leg.ankle + 0.36 * along + way * across
        bones.append(knob(canvas, middle, (13, 20, 14), 1.5, 0.08, 0.9))
    for ray, radius in TOES:
        places = ((0.48, 0.75), (0.86, 1.0), (0.9, 1.02), (1.0, 1.0))
        ends = [leg.ankle + share * along + ray * wide * across for share, wide in places]
        bones.append(rod(canvas, [(*ends[0], radius + 2), (*ends[1], radius + 1)], 2.4, 0.05))
        bones.append(rod(canvas, [(*ends[2], radius + 1), (*ends[3], radius - 0.5)], 2.2, 0.05))
    for one in bones:
        paint_bone(canvas, bone, one)

"""Sacrum and coccyx, iliac wings, pubic and ischial bones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.frame.bone import BoneTissue, Part, knob, paint_bone, plate, rod
from PETAnomalyLib.engine.phantom.frame.posture import SIDES
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SACRUM = smooth_line(
    [(0, 52, 108, 17), (0, 64, 84, 16), (0, 76, 58, 13), (0, 80, 34, 10), (0, 77, 12, 8),
     (0, 68, -4, 5)], 16.0,
)  # fmt: skip
FORAMINA_Z = (90, 70, 50, 32)
# The left wing (x, y, z, thickness): from the sacroiliac joint along the crest to the front.
CREST = smooth_line(
    [(40, 80, 92, 13), (56, 74, 134, 11), (92, 48, 160, 9), (122, 8, 162, 10), (130, -28, 138, 11),
     (122, -46, 108, 11), (106, -34, 72, 15)], 42.0,
)  # fmt: skip
ROOF = np.array((88.0, 10.0, 46.0, 20.0))  # above the acetabulum
# From there, in front and behind, to the symphysis.
PUBIS = smooth_line([(88, 10, 46, 14), (52, -36, 14, 10), (11, -50, -8, 9)], 26.0)
ISCHIUM = smooth_line(
    [(84, 34, 10, 14), (70, 36, -22, 15), (62, 32, -48, 13), (34, -14, -38, 7), (11, -44, -22, 8)],
    26.0,
)
ACETABULUM_MM = 31.0  # radius of its bone round the femoral head


def paint_pelvis(canvas: Canvas, patient: Patient, bone: BoneTissue) -> None:
    """Paint sacrum and hip bones."""
    h = patient.build.hips
    for side in SIDES:
        _hip_bone(canvas, bone, side, h)
    _sacrum(canvas, patient, bone, h)


def _sacrum(canvas: Canvas, patient: Patient, bone: BoneTissue, h: float) -> None:
    parts = []
    for shift in (-27, -13, 0, 13, 27):
        line = SACRUM.copy()
        line[:, 0] += shift * np.linspace(1.3, 0.15, len(line)) * h
        line[:, 1] += abs(shift) * 0.25
        parts.append(rod(canvas, line, 1.1, 1.0, 0.85))
    crest = SACRUM[1:5] + np.array([0, 16, 0, 0])
    crest[:, 3] = 6
    parts.append(rod(canvas, crest, 1.5, 0.8))
    paint_bone(canvas, bone, parts)
    for z in FORAMINA_Z:  # nerves in fat
        wide = 12 + 0.12 * (z - 30)
        y = float(np.interp(z, SACRUM[::-1, 2], SACRUM[::-1, 1])) - 2
        for side in SIDES:
            box = canvas.box((side * wide, y, z), 5.0)
            away = np.sqrt(
                (canvas.x[box] - side * wide) ** 2 + 0.4 * (canvas.y[box] - y) ** 2
                + (canvas.z[box] - z) ** 2
            )  # fmt: skip
            canvas.fill(box, away < 4.5, Organ.FAT, patient.suv(Organ.FAT), 0.0)


def _hip_bone(canvas: Canvas, bone: BoneTissue, side: int, h: float) -> None:
    mirror = np.array([side * h, 1, 1, 1])
    crest, roof = CREST * mirror, ROOF * mirror
    parts = []
    for number in range(len(crest) - 1):
        here, there = crest[number], crest[number + 1]
        corners = np.array([here[:3], there[:3], roof[:3]])
        # The fossa is thinner than the crest and the column above the hip.
        parts.append(plate(canvas, corners, (here[3] - 3, there[3] - 3, roof[3] - 3), 1.4, 0.95))
    parts.append(rod(canvas, crest * [1, 1, 1, 0.55], 1.6, 0.95))
    parts.append(_acetabulum(canvas, side, h))
    parts += [rod(canvas, line * mirror, 1.6, 0.85) for line in (PUBIS, ISCHIUM)]
    parts.append(knob(canvas, (side * 10.5, -48, -15), (8, 9, 19), 1.6, 0.85, tilt_deg=(-20, 0, 0)))
    paint_bone(canvas, bone, parts)


def _acetabulum(canvas: Canvas, side: int, h: float) -> Part:
    """The cup's bone round the femoral head: open below and to the outside."""
    centre = (side * 88 * h, 5, 14)
    ball = knob(canvas, centre, (ACETABULUM_MM,) * 3, 1.8, 0.85, 1.15)
    if ball.box == EMPTY:
        return ball
    inwards = -side * (canvas.x[ball.box] - centre[0]) + 0.8 * (canvas.z[ball.box] - centre[2])
    return replace(ball, depth=np.minimum(ball.depth, inwards + 10))

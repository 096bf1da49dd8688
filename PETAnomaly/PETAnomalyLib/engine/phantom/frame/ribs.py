"""Ribs with their cartilages, and the sternum: on the wall of the chest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.bone import BONE_INTO, BoneTissue, Part, paint_bone
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, spine_y
from PETAnomalyLib.engine.phantom.frame.spine import vertebra_z
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

# Of ribs 1 to 12: how far they fall a mm forwards, |x| where bone gives way to cartilage in front,
# and body y where they end in front (those that reach the sternum: far in front).
FALL = np.array([0.42, 0.42, 0.44, 0.47, 0.5, 0.53, 0.56, 0.58, 0.6, 0.62, 0.62, 0.6])
CARTILAGE_MM = np.array([24, 46, 56, 64, 72, 80, 90, 102, 112, 118, 0, 0])
FRONT_MM = np.array([-200, -200, -200, -200, -200, -200, -200, -95, -80, -62, -12, 24])
CARTILAGE_RISE = np.array([0, 0, 0, 0.05, 0.35, 0.6, 0.8, 0.9, 0.9, 0.9, 0, 0])
HALF_HEIGHT_MM, HALF_THICKNESS_MM = 7.2, 5.2
LIES_OUT_MM = 5.2  # the middle of the rib outside of the pleura
CARTILAGE_SUV = 0.6

# Body z, then half width and half thickness of the sternum, mm.
STERNUM = np.array(
    [(344, 4, 2.5), (368, 8, 4), (374, 15, 6), (395, 20, 6.5), (440, 17, 6.5), (474, 15, 6.5),
     (480, 19, 7), (505, 30, 7.5), (522, 27, 7.5), (527, 16, 6)]
)  # fmt: skip


def paint_ribs(canvas: Canvas, patient: Patient, bone: BoneTissue, envelope: Envelope) -> None:
    """Paint twelve pairs of ribs and their cartilages, more calcified with age."""
    corners = [(x, y, z) for x in (-140, 140) for y in (-100, 100) for z in (275, 562)]
    box = canvas.box(corners, 14.0)
    if box == EMPTY:
        return
    level = envelope.cavity[box]
    near = (level > 0.85) & (level < 1.5) & canvas.where(box, BONE_INTO)
    near &= envelope.skin[box] < 1
    x, y, z = (field[box][near] for field in (canvas.x, canvas.y, canvas.z))
    root = np.sqrt(level[near])
    outside = np.sqrt(x * x + y * y) * (1 - 1 / root) - np.float32(LIES_OUT_MM)
    best, number = _nearest(patient, x, y, z)
    aside = np.abs(x)
    depth = (1 - np.sqrt((best / HALF_HEIGHT_MM) ** 2 + (outside / HALF_THICKNESS_MM) ** 2)) * 6
    depth[(aside < 18) | (y < FRONT_MM[number])] = -1
    cartilage = (y < -30) & (aside < CARTILAGE_MM[number])
    whole = np.full(near.shape, -1, np.float32)
    whole[near] = np.where(cartilage, -1, depth)
    paint_bone(canvas, bone, Part(box, whole, 1.5, 0.75))
    there = np.zeros(near.shape, bool)
    there[near] = cartilage & (depth > 0) & (z > 300)
    calcified = 95 + 2.2 * max(patient.build.age - 40, 0) * np.clip(canvas.rough[2][box], -0.5, 2)
    suv = canvas.mottled(CARTILAGE_SUV, box)
    canvas.fill(box, there, Organ.SOFT, suv, calcified.astype(np.float32))


def _nearest(patient: Patient, x: Array, y: Array, z: Array) -> tuple[Array, NDArray[np.int8]]:
    """mm across to the nearest rib's middle, and that rib (0 to 11), of points on the wall."""
    rng = patient.stream("ribs")
    aside = np.abs(x)
    best = np.full(len(z), np.inf, np.float32)
    number = np.zeros(len(z), np.int8)
    steeper = rng.normal(1, 0.04)
    for rib in range(12):
        start = vertebra_z(patient, f"T{rib + 1}") + 8
        behind = spine_y(start) + 26
        fall = FALL[rib] * steeper
        middle = start - fall * (behind - y)
        middle += CARTILAGE_RISE[rib] * np.clip(CARTILAGE_MM[rib] - aside, 0, None) * (y < -30)
        # Across the rib, not along z.
        away = np.abs(z - middle) / np.float32(np.sqrt(1 + fall**2))
        away = away.astype(np.float32)
        nearer = away < best
        best[nearer] = away[nearer]
        number[nearer] = rib
    return best, number


def paint_sternum(canvas: Canvas, patient: Patient, bone: BoneTissue, envelope: Envelope) -> None:
    """Paint manubrium, body and xiphoid."""
    low, high = STERNUM[0, 0], STERNUM[-1, 0]
    front = envelope.middle - envelope.depth
    points = [[0, front[int(z + 950)] + 12, z] for z in np.linspace(low, high, 6)]
    box = canvas.box(points, 36.0)
    if box == EMPTY:
        return
    z, rng = canvas.z[box], patient.stream("sternum")
    level = envelope.level[box]
    table = np.arange(-950, 951)
    half = [np.interp(table, STERNUM[:, 0], STERNUM[:, n]).astype(np.float32) for n in (1, 2)]
    lies = front.astype(np.float32)[level] + np.float32(12.5)
    wide = half[0][level] * np.float32(np.clip(rng.normal(1, 0.08), 0.8, 1.2))
    side = wide - np.abs(canvas.x[box] - np.float32(rng.normal(0, 1.5)))
    thick = half[1][level] - np.abs(canvas.y[box] - lies)
    ends = np.minimum(z - np.float32(low), np.float32(high) - z)
    joint = np.abs(z - 477) - 1.5  # manubrium and body
    depth = np.minimum(np.minimum(side, thick), np.minimum(ends, joint))
    paint_bone(canvas, bone, Part(box, depth, 1.2, 0.85))

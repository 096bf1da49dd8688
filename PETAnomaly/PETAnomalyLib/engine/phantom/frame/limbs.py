"""Arms and legs in fat and muscle, with seams of fat between the muscles."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, tube
from PETAnomalyLib.engine.phantom.frame.envelope import PERINEUM_MM, Envelope
from PETAnomalyLib.engine.phantom.frame.hands_feet import paint_foot, paint_hand
from PETAnomalyLib.engine.phantom.frame.lymph_nodes import paint_lymph_nodes
from PETAnomalyLib.engine.phantom.frame.posture import (
    Arm,
    Leg,
    draw_arms,
    draw_legs,
    scanned_mm,
)
from PETAnomalyLib.engine.phantom.frame.soft_parts import (
    SEAM_HU,
    paint_breasts,
    paint_buttocks,
    paint_fat_planes,
)
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

# Muscles of a cross-section: (forwards, to the body's outside) of their middle and their size, of
# the limb's radius. Where two of them are equally near lies a seam of fat.
THIGH = np.array(
    [(0.5, 0.3, 0.62), (0.62, -0.45, 0.2), (0.05, -0.55, 0.45), (-0.2, -0.85, 0.2),
     (-0.62, -0.15, 0.42), (-0.5, 0.5, 0.36), (0.0, 0.7, 0.4)]
)  # fmt: skip
CALF = np.array(
    [(0.55, 0.4, 0.35), (0.0, 0.65, 0.3), (-0.05, -0.05, 0.3), (-0.65, -0.4, 0.5),
     (-0.65, 0.4, 0.5), (0.3, -0.5, 0.4)]
)  # fmt: skip
UPPER_ARM = np.array([(0.6, 0.0, 0.5), (-0.55, 0.3, 0.55), (-0.5, -0.5, 0.4), (0.1, 0.7, 0.3)])
FOREARM = np.array([(0.5, -0.4, 0.45), (0.5, 0.5, 0.4), (-0.5, 0.5, 0.4), (-0.5, -0.4, 0.4)])
SEAM_MM = 1.6  # half width of the fat between two muscles of a young, lean limb


def paint_limbs(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint buttocks, legs, arms and breasts round the trunk; fat planes in all of them."""
    if patient.build.female:
        paint_breasts(canvas, patient, envelope)
    paint_buttocks(canvas, patient, envelope)
    for leg in draw_legs(patient):
        _leg(canvas, patient, leg)
        paint_foot(canvas, patient, leg)
    for arm in draw_arms(patient, envelope):
        _arm(canvas, patient, envelope, arm)
        paint_hand(canvas, patient, envelope, arm)
    paint_fat_planes(canvas, patient)
    paint_lymph_nodes(canvas, patient)


def limbs_mask(canvas: Canvas, envelope: Envelope) -> Mask:
    """Voxels of the legs below the perineum and of the arms outside of the trunk's skin, (k, j, i).

    Genitals below the perineum are among them.
    """
    found = envelope.arms & (envelope.skin >= 1)
    found |= canvas.z < PERINEUM_MM
    found &= canvas.organ != Organ.AIR
    return found


def _leg(canvas: Canvas, patient: Patient, leg: Leg) -> None:
    knots = smooth_line(leg.line, 40.0)
    knee = int((knots[:, 2] > leg.knee[2] - 20).sum())
    for part, muscles in ((knots[:knee], THIGH), (knots[knee - 1 :], CALF)):
        if part[0, 2] < scanned_mm(canvas)[0] - part[0, 3]:
            continue
        _limb(canvas, patient, part[:, :4], part[:, 4], muscles, leg.side)


def _arm(canvas: Canvas, patient: Patient, envelope: Envelope, arm: Arm) -> None:
    elbow = int(np.argmin(np.linalg.norm(arm.line[:, :3] - arm.elbow, axis=1)))
    for part, muscles in ((arm.line[: elbow + 1], UPPER_ARM), (arm.line[elbow:], FOREARM)):
        knots = smooth_line(part, 40.0)
        fat = np.full(len(knots), arm.fat_mm)
        box, inside = _limb(canvas, patient, knots, fat, muscles, arm.side)
        envelope.arms[box] |= inside


def _limb(
    canvas: Canvas, patient: Patient, line: Vector, fat_mm: Vector, muscles: Vector, side: int
) -> tuple[Box, Mask]:
    """A limb along a line (n x 4: x, y, z, radius of the muscles): its box and what is in it."""
    whole = line + np.stack([0 * fat_mm, 0 * fat_mm, 0 * fat_mm, fat_mm], 1)
    shape = tube(canvas, whole, 0.03, reach=1.03)
    if shape.empty or shape.segment is None:
        return shape.box, np.zeros(shape.level.shape, bool)
    inside = shape.level < 1
    fat = canvas.mottled(patient.suv(Organ.FAT), shape.box, 0.15)
    skin = inside & canvas.where(shape.box, [Organ.AIR])
    canvas.fill(shape.box, skin, Organ.FAT, fat, patient.hu(Organ.FAT))
    bare = (line[:, 3] / whole[:, 3]).astype(np.float32)
    lean = inside & (shape.level < bare[shape.segment])
    lean &= canvas.where(shape.box, [Organ.FAT])
    muscle = canvas.mottled(patient.suv(Organ.MUSCLE), shape.box, 0.1)
    canvas.fill(shape.box, lean, Organ.MUSCLE, muscle, patient.hu(Organ.MUSCLE))
    seam = _seam(canvas, patient, shape, lean, line, muscles, side)
    canvas.fill(shape.box, seam, Organ.FAT, fat, SEAM_HU)
    return shape.box, inside


def _seam(
    canvas: Canvas, patient: Patient, shape: Shape, lean: Mask, line: Vector, muscles: Vector,
    side: int,
) -> Mask:  # fmt: skip
    """Where two muscles of a limb are equally near."""
    assert shape.segment is not None
    number = shape.segment[lean]
    along = np.diff(line[:, :3], axis=0)
    along /= np.linalg.norm(along, axis=1)[:, None]
    outwards = np.array([side, 0, 0]) - along * (along[:, :1] * side)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1), 0.1)[:, None]
    forwards = np.cross(along, outwards) * side
    forwards *= np.where(forwards[:, 1:2] > 0, -1, 1)
    middle = (line[1:, :3] + line[:-1, :3]) / 2
    radius = (line[1:, 3] + line[:-1, 3]) / 2
    at = [(field[shape.box][lean]) for field in (canvas.x, canvas.y, canvas.z)]
    place = []
    for axes in (forwards, outwards):
        scaled = (axes / radius[:, None]).astype(np.float32)
        start = (scaled * middle).sum(1).astype(np.float32)
        turned = [scaled[:, n][number] * at[n] for n in range(3)]
        place.append(turned[0] + turned[1] + turned[2] - start[number])
    best = np.full(len(number), np.inf, np.float32)
    second = best.copy()
    for forward, outward, size in muscles.astype(np.float32):
        away = np.sqrt((place[0] - forward) ** 2 + (place[1] - outward) ** 2) - size
        np.minimum(second, np.maximum(best, away), out=second)
        np.minimum(best, away, out=best)
    old_or_fat = 1 + 0.012 * max(patient.build.age - 40, 0) + 0.012 * patient.build.fat_mm
    wide = np.float32(SEAM_MM * old_or_fat) * (1 + 0.5 * canvas.rough[1][shape.box][lean])
    found = np.zeros(lean.shape, bool)
    found[lean] = (second - best) * radius.astype(np.float32)[number] < wide
    return found

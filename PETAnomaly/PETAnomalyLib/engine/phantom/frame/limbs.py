"""Arms and legs in skin, fat and muscle, the seams of fat between muscles, buttocks and breasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import LOWEST_MM, PERINEUM_MM, Envelope
from PETAnomalyLib.engine.phantom.frame.hands_feet import paint_foot, paint_hand
from PETAnomalyLib.engine.phantom.frame.lymph_nodes import paint_lymph_nodes
from PETAnomalyLib.engine.phantom.frame.posture import (
    SIDES,
    Arm,
    Leg,
    draw_arms,
    draw_legs,
    scanned_mm,
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
SEAM_HU = -35.0  # fat in a voxel with some muscle


def paint_limbs(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint buttocks, legs, arms and breasts round the trunk; fat planes in all of them."""
    if patient.build.female:
        _breasts(canvas, patient, envelope)
    _buttocks(canvas, patient)
    _gluteal_planes(canvas, patient, envelope)
    for leg in draw_legs(patient):
        _leg(canvas, patient, leg)
        paint_foot(canvas, patient, leg)
    for arm in draw_arms(patient, envelope):
        _arm(canvas, patient, envelope, arm)
        paint_hand(canvas, patient, envelope, arm)
    _pads(canvas, patient)
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


def _buttocks(canvas: Canvas, patient: Patient) -> None:
    """Fat and the gluteus maximus on either side of the cleft, flattened by the couch."""
    h, fat_mm = patient.build.hips, patient.build.fat_mm
    deep = 50 + 0.55 * fat_mm
    for side in SIDES:
        centre, tilt = (side * 66 * h, 50, 10), (0, side * 8, side * -12)
        fat = ellipsoid(canvas, centre, (74 * h, deep, 94), tilt, 0.04, 0.3, 1.0)
        if fat.empty:
            continue
        _paint(canvas, patient, fat, Organ.FAT, (Organ.AIR,))
        lean = (46 / deep) ** 2  # the muscle's share of the depth, squared
        muscle = replace(fat, level=fat.level / np.float32(lean))
        _paint(canvas, patient, muscle, Organ.MUSCLE, (Organ.FAT,))
        # The fat between the gluteus maximus and the muscles beneath.
        beneath = replace(muscle, level=muscle.level + np.float32(0.35))
        _seams(canvas, patient, beneath, 0.07)


def _gluteal_planes(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Fat between gluteus maximus, medius and minimus, which lie upon each other like shells."""
    h = patient.build.hips
    for side in SIDES:
        box = canvas.box([(side * 100 * h, y, z) for y in (10, 50) for z in (30, 120)], 44.0)
        if box == EMPTY:
            continue
        lateral = side * canvas.x[box] > 62 * h
        depth = envelope.trunk[box] * (1 + np.float32(0.06) * canvas.rough[1][box])
        planes = (np.abs(depth - 0.78) < 0.035) & (canvas.y[box] > 4 - 0.3 * canvas.z[box])
        planes |= (np.abs(depth - 0.56) < 0.03) & (canvas.z[box] > 30)
        planes &= lateral & canvas.where(box, [Organ.MUSCLE])
        canvas.fill(box, planes, Organ.FAT, patient.suv(Organ.FAT), SEAM_HU)


def _breasts(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Fat, and the glandular tissue in it: supine, both lie flat and fall outwards."""
    build = patient.build
    rng = patient.stream("breast")
    gland_ml = patient.volume_ml(Organ.BREAST)
    size = 34 + 0.04 * gland_ml + 0.45 * build.fat_mm + rng.normal(0, 4)
    z = rng.normal(425, 8)
    share = 0.5 + rng.normal(0, 0.03)
    for side in SIDES:
        level = int(z - LOWEST_MM)
        front = float(envelope.middle[level] - envelope.depth[level])
        front -= 0.55 * float(envelope.fat[level])
        centre = np.array([side * rng.normal(80, 4), front + 6, z + rng.normal(0, 4)])
        mound = ellipsoid(
            canvas,
            centre,
            (1.3 * size, 0.75 * size, 1.15 * size),
            (0, 0, side * 18),
            0.05,
            reach=1.0,
        )
        _paint(canvas, patient, mound, Organ.FAT, (Organ.AIR,))
        inner = centre + np.array([side * 3, -0.28 * size, -3])
        gland = ellipsoid(
            canvas, inner, (0.8 * size, 0.42 * size, 0.7 * size), (0, 0, side * 18), 0.35
        )
        suv = canvas.mottled(patient.suv(Organ.BREAST), gland.box, 0.15)
        hu = patient.hu(Organ.BREAST)
        wanted = gland_ml * (share if side < 0 else 1 - share)
        paint(canvas, gland, Organ.BREAST, suv, hu, (Organ.FAT,), wanted)


# Fat where limbs meet the trunk (side x, y, z, radii, tilt): axilla, above the clavicle, groin,
# beside the anus, behind the knee.
PADS: tuple[tuple[ArrayLike, ArrayLike, float], ...] = (
    ((128, 4, 494), (19, 30, 40), -20),
    ((56, 4, 572), (26, 22, 20), -10),
    ((70, -74, -2), (24, 19, 48), 8),
    ((26, 58, -14), (17, 30, 34), 0),
    ((80, 34, -400), (16, 18, 44), 0),
)
# Surfaces of muscles with fat on them (x, y, z, radius of a line): splenius and semispinalis, and
# the erector spinae below latissimus and fascia.
FASCIAE: tuple[list[tuple[float, ...]], ...] = (
    [(18, 40, 560, 22), (16, 34, 620, 20), (14, 44, 680, 22)],
    [(13, 38, 540, 12), (12, 36, 620, 11), (12, 42, 670, 11)],
    [(34, 62, 110, 20), (38, 60, 170, 27), (38, 66, 260, 26), (34, 80, 340, 18)],
)


def _pads(canvas: Canvas, patient: Patient) -> None:
    for side in SIDES:
        for centre, radii, tilt in PADS:
            mirrored = np.asarray(centre, float) * [side, 1, 1]
            pad = ellipsoid(canvas, mirrored, radii, (0, side * tilt, 0), 0.12, reach=1.0)
            _paint(canvas, patient, pad, Organ.FAT, (Organ.MUSCLE,))
        for line in FASCIAE:
            _seams(canvas, patient, tube(canvas, np.array(line) * [side, 1, 1, 1], 0.06), 0.07)


def _seams(canvas: Canvas, patient: Patient, shape: Shape, width: float) -> None:
    """Fat on the surface of a shape, where there is muscle."""
    if shape.empty:
        return
    seam = np.abs(shape.level - 1) < width * (1 + 0.4 * canvas.rough[1][shape.box])
    seam &= canvas.where(shape.box, [Organ.MUSCLE])
    canvas.fill(shape.box, seam, Organ.FAT, patient.suv(Organ.FAT), SEAM_HU)


def _paint(
    canvas: Canvas, patient: Patient, shape: Shape, organ: Organ, into: tuple[Organ, ...]
) -> None:
    if shape.empty:
        return
    suv: Array = canvas.mottled(patient.suv(organ), shape.box, 0.12)
    paint(canvas, shape, organ, suv, patient.hu(organ), into)

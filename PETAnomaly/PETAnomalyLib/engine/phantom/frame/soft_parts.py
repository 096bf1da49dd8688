"""Breasts, buttocks, and the fat between the trunk's muscles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import LOWEST_MM, Envelope
from PETAnomalyLib.engine.phantom.frame.posture import SIDES
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SEAM_HU = -35.0  # fat in a voxel with some muscle


def paint_buttocks(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
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
    _gluteal_planes(canvas, patient, envelope)


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


def paint_breasts(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
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


def paint_fat_planes(canvas: Canvas, patient: Patient) -> None:
    """Paint the pads of fat where limbs meet the trunk, and fasciae of neck and back."""
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

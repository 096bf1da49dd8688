"""Kidneys, ureters and bladder: the hottest healthy uptake, where only CT says what it is."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.body import spine_y
from PETAnomalyLib.engine.phantom.canvas import Canvas, Vector, rotation_matrix, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

KEEP = (Tissue.CORTEX, Tissue.MARROW)


def paint_urinary(canvas: Canvas, patient: Patient) -> None:
    """Paint the urinary tract, with the variants that put it at unexpected places."""
    rng = patient.stream("urinary")
    drawn = rng.random()
    bladder = _bladder_place(rng)
    sides = [-1, 1]
    low = {-1: 0.0, 1: 0.0}
    horseshoe = drawn < 0.05
    if horseshoe:
        patient.variants.append("horseshoe kidney")
        low = {-1: 62.0, 1: 58.0}
    elif drawn < 0.12:
        side = int(rng.choice([-1, 1]))
        low[side] = rng.uniform(70, 165)
        patient.variants.append("ptotic kidney")
    elif drawn < 0.16:
        sides = [int(rng.choice([-1, 1]))]
        patient.variants.append("single kidney")
    for side in sides:
        pelvis = _kidney(canvas, patient, rng, side, low[side], horseshoe)
        _ureter(canvas, patient, rng, side, pelvis, bladder)
    if horseshoe:
        tube = canvas.tube(smooth_line([(-34, 6, 148, 15), (0, -4, 142, 11), (34, 6, 150, 15)]))
        canvas.fill(
            tube.box, tube.rel < 1, Tissue.KIDNEY, patient.uptake.kidney, _kidney_hu(patient)
        )
    if rng.random() < 0.04:
        patient.variants.append("transplant kidney")
        side = int(rng.choice([-1, 1]))
        pelvis = _kidney_at(
            canvas,
            patient,
            rng,
            np.array([side * 84, -34, 112.0]),
            (15, side * 25, 70 * side),
            side,
            0.9,
        )
        _ureter(canvas, patient, rng, side, pelvis, bladder)
    _bladder(canvas, patient, rng, bladder)


def _kidney_hu(patient: Patient) -> float:
    return 165.0 if patient.contrast else 34.0


def _kidney(
    canvas: Canvas,
    patient: Patient,
    rng: Generator,
    side: int,
    low: float,
    horseshoe: bool,
) -> Vector:
    z = (246 if side > 0 else 236) + rng.normal(0, 12) - low
    x = side * (60 + rng.normal(0, 4) - (22 if horseshoe else 0) - 0.05 * low)
    y = spine_y(max(z, 90)) + 12 + rng.normal(0, 4) - (14 if horseshoe else 0) - 0.12 * low
    turn = side * (rng.normal(35, 10) if low == 0 else rng.uniform(-60, 100))  # malrotated
    lean = side * (-32 if horseshoe else 14)
    size = float(np.clip(rng.normal(1, 0.08), 0.8, 1.2))
    return _kidney_at(canvas, patient, rng, np.array([x, y, z]), (8, lean, turn), side, size)


def _kidney_at(
    canvas: Canvas,
    patient: Patient,
    rng: Generator,
    centre: Vector,
    tilt: tuple[float, float, float],
    side: int,
    size: float,
) -> Vector:
    """Paint one kidney; returns the body point where its ureter leaves."""
    radii = np.array([25, 28, 54]) * size
    box, level = canvas.ellipsoid(centre, radii, tilt, 0.09)
    inside = (level < 1) & ~np.isin(canvas.tissue[box], (*KEEP, Tissue.LUNG, Tissue.LIVER))
    uptake = patient.uptake
    mottle = np.clip(1 + 0.22 * canvas.rough[2][box], 0.6, 1.6)
    canvas.fill(
        box, inside, Tissue.KIDNEY, (uptake.kidney * mottle).astype(np.float32), _kidney_hu(patient)
    )
    medial = rotation_matrix(tilt).T @ np.array([-side * 1.0, 0, 0])
    hilum = centre + medial * 12 * size
    canvas.blob(
        hilum,
        np.array([14, 13, 27]) * size,
        Tissue.VISCERAL_FAT,
        1.0,
        -55,
        tilt,
        0.1,
        (Tissue.KIDNEY,),
    )
    axis = rotation_matrix(tilt).T @ np.array([0, 0, 1.0])
    retained = rng.random() < 0.75
    urine = uptake.urine_kidney if retained else uptake.kidney * rng.uniform(0.8, 1.5)
    hu = 25.0 if not patient.contrast else float(rng.choice([30.0, 220.0]))
    out = hilum + medial * 13 * size
    wide = rng.uniform(6, 9) if rng.random() < 0.88 else rng.uniform(11, 17)
    if wide > 11:
        patient.variants.append("wide renal pelvis")
    canvas.blob(hilum + 0.5 * (out - hilum), (wide, wide, wide * 1.4), Tissue.URINE, urine, hu)
    for offset in rng.uniform(-30, 30, int(rng.integers(2, 6))):
        calyx = hilum + axis * offset * size - medial * rng.uniform(2, 10)
        tube = canvas.tube(np.array([(*hilum, 3.5), (*calyx, 5.0)]))
        canvas.fill(tube.box, tube.rel < 1, Tissue.URINE, urine * rng.uniform(0.4, 1.0), hu)
    if rng.random() < 0.18:
        cyst = centre - medial * radii[0] + axis * rng.uniform(-40, 40)
        canvas.blob(
            cyst,
            np.full(3, rng.uniform(8, 22)),
            Tissue.SOFT,
            0.35,
            5,
            only=(Tissue.VISCERAL_FAT, Tissue.KIDNEY),
        )
    return out


def _ureter(
    canvas: Canvas,
    patient: Patient,
    rng: Generator,
    side: int,
    start: Vector,
    bladder: tuple[Vector, Vector],
) -> None:
    """A thin tube, filled here and there as peristalsis had it when the bed stood there."""
    x0, y0, z0 = start
    end = bladder[0] + bladder[1] * [side * 0.75, 0.55, -0.25]
    knots = [(x0, y0, z0, 3.0)]
    for z in np.arange(z0 - 30, 30, -32):
        x = side * np.interp(z, [20, 60, 100, 150, 240], [50, 58, 40, 36, 40]) + rng.normal(0, 4.5)
        y = np.interp(z, [20, 60, 100, 150, 240], [28, 34, 12, 2, 14]) + rng.normal(0, 3.5)
        knots.append((x, y, z, 3.0))
    knots.append((*end, 3.0))
    line = smooth_line(np.array(knots), 7.0)
    tube = canvas.tube(line, reach=2.0)
    count = tube.count
    along = np.full(count + 1, 0.9)
    number = int(rng.choice([0, 1, 2, 3, 4, 6], p=[0.2, 0.22, 0.23, 0.17, 0.13, 0.05]))
    if number:
        patient.variants.append("ureter")
    width = np.ones(count + 1)
    for _ in range(number):
        at = int(rng.integers(0, max(count, 1)))
        length = int(rng.integers(1, 7))
        along[at : at + length] = patient.uptake.urine_kidney * rng.uniform(0.5, 1.4)
        width[at : at + length] = rng.uniform(0.9, 1.6)
    if rng.random() < 0.04:
        patient.variants.append("dilated ureter")
        along[:] = patient.uptake.urine_kidney
        width[:] = 1.9
    inside = tube.rel < width[tube.segment]
    inside &= ~np.isin(canvas.tissue[tube.box], KEEP)
    hu = 15.0 if not patient.contrast else float(rng.choice([25.0, 230.0]))
    canvas.fill(tube.box, inside, Tissue.URINE, along[tube.segment].astype(np.float32), hu)


def _bladder_place(rng: Generator) -> tuple[Vector, Vector]:
    """Centre and radii: 40 to 500 ml; a full bladder rises out of the pelvis."""
    volume = float(np.exp(rng.uniform(np.log(40), np.log(500)))) * 1000
    aspect = np.array([rng.uniform(0.95, 1.35), rng.uniform(0.8, 1.05), rng.uniform(0.6, 1.05)])
    radius = (volume / (4 / 3 * np.pi) / aspect.prod()) ** (1 / 3)
    radii = aspect * radius
    centre = np.array([rng.normal(0, 9), -20 + rng.normal(0, 6), -4 + radii[2] + rng.normal(0, 5)])
    return centre, radii


def _bladder(
    canvas: Canvas, patient: Patient, rng: Generator, place: tuple[Vector, Vector]
) -> None:
    centre, radii = place
    tilt = (rng.normal(0, 12), rng.normal(0, 8), rng.normal(0, 10))
    box, level = canvas.ellipsoid(centre, radii, tilt, 0.1, 0.15)
    # Urine layers: the heavier, hotter or colder, lies behind when the patient rests on the back.
    layer = 1 + rng.normal(0, 0.12) * (canvas.y[box] - centre[1]) / radii[1]
    urine = np.clip(patient.uptake.urine_bladder * layer, 1.0, None).astype(np.float32)
    inside = ~np.isin(canvas.tissue[box], KEEP)
    canvas.fill(box, inside & (level < (1 + 4 / radii.mean()) ** 2), Tissue.SOFT, 1.0, 40.0)
    canvas.fill(box, inside & (level < 1), Tissue.URINE, urine, rng.uniform(2, 14))
    if rng.random() < 0.06:
        patient.variants.append("bladder diverticulum")
        side = rng.choice([-1, 1])
        canvas.blob(
            centre + radii * [side * 1.25, 0.3, 0.1], np.full(3, rng.uniform(8, 18)), Tissue.URINE,
            patient.uptake.urine_bladder * rng.uniform(0.3, 1.0), 6,
        )  # fmt: skip

"""Solid organs of the upper abdomen, stomach, and the organs of reproduction."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.body import Envelope, spine_y
from PETAnomalyLib.engine.phantom.canvas import EMPTY, Canvas, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

OPEN = (Tissue.VISCERAL_FAT, Tissue.SOFT)


def paint_abdomen(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint psoas, liver, gallbladder, spleen, pancreas, adrenals and stomach."""
    uptake = patient.uptake
    for side in (-1, 1):
        psoas = [(side * 26, spine_y(290) + 4, 290, 9), (side * 40, spine_y(200) + 12, 200, 19),
                 (side * 52, spine_y(130) + 2, 130, 23), (side * 68, -8, 70, 18),
                 (side * 88, -14, 0, 14)]  # fmt: skip
        tube = canvas.tube(smooth_line(np.array(psoas), 12.0))
        inside = (tube.rel < 1) & np.isin(canvas.tissue[tube.box], OPEN)
        canvas.fill(tube.box, inside, Tissue.MUSCLE, uptake.muscle, 55.0)
    _pancreas_and_adrenals(canvas, patient)
    _spleen(canvas, patient, envelope)
    _liver(canvas, patient, envelope)
    _stomach(canvas, patient, envelope)


def _liver(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    rng = patient.stream("liver")
    uptake = patient.uptake
    size = rng.normal(1.0, 0.06, 3)
    down = rng.normal(0, 10)
    spread = 16 * patient.build.visceral
    hu = rng.normal(58, 6) if rng.random() < 0.75 else rng.uniform(5, 40)  # fatty liver
    hu += rng.uniform(35, 55) if patient.contrast else 0.0
    long_lobe = rng.uniform(20, 35) if rng.random() < 0.12 else 0.0  # Riedel's lobe
    parts = [
        ((-66 - spread, 6, 322 + down), np.array([74, 88, 84 + long_lobe]) * size, (0, 0, 0)),
        ((-92 - spread, 6, 282 + down - long_lobe), np.array([38, 62, 62]) * size, (0, 8, 0)),
        (
            (4, -48 - 0.5 * spread, 342 + 0.3 * down),
            np.array([rng.uniform(48, 82), 42, 38]) * size,
            (0, -14, 0),
        ),
    ]  # fmt: skip
    for centre, radii, tilt in parts:
        box, level = canvas.ellipsoid(centre, radii, tilt, 0.07, 0.3)
        if box == EMPTY:
            continue
        inside = (level < 1) & (canvas.z[box] < envelope.diaphragm[box] - 1)
        inside &= (envelope.cavity[box] < 0.97) & (canvas.x[box] < 92)
        inside &= np.isin(canvas.tissue[box], (Tissue.VISCERAL_FAT, Tissue.LIVER))
        mottle = 1 + 0.035 * canvas.rough[1][box] + 0.02 * canvas.rough[2][box]
        canvas.fill(box, inside, Tissue.LIVER, (uptake.liver * mottle).astype(np.float32), hu)
        vein = inside & (np.abs(canvas.rough[2][box]) < 0.08)
        canvas.fill(box, vein, Tissue.LIVER, None, hu + (35 if patient.contrast else -12))
    if rng.random() < 0.85:
        place = (-42 + rng.normal(0, 7), -46 + rng.normal(0, 6), 258 + down + rng.normal(0, 8))
        radii = np.array([13, 15, 27]) * rng.uniform(0.6, 1.2)
        canvas.blob(place, radii, Tissue.SOFT, 0.55, 8, (-30, 20, 0), 0.1, (*OPEN, Tissue.LIVER))
        if rng.random() < 0.04:
            patient.variants.append("gallbladder wall")
            box, level = canvas.ellipsoid(place, radii * 1.25, (-30, 20, 0), 0.05)
            wall = (level < 1) & (level > 0.62)
            canvas.fill(box, wall, Tissue.SOFT, rng.uniform(2.5, 5), 45.0)


def _spleen(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    rng = patient.stream("spleen")
    size = float(np.exp(rng.normal(0, 0.13)))
    centre = np.array([102 + 14 * patient.build.visceral, 38, 318]) + rng.normal(0, 6, 3)
    box, level = canvas.ellipsoid(
        centre, np.array([30, 44, 52]) * size, (25, 14, rng.normal(0, 10)), 0.1
    )
    inside = (level < 1) & (envelope.cavity[box] < 0.98)
    inside &= canvas.z[box] < envelope.diaphragm[box] - 1
    inside &= np.isin(canvas.tissue[box], OPEN)
    hu = 105.0 if patient.contrast else 50.0
    mottle = 1 + 0.04 * canvas.rough[1][box]
    canvas.fill(box, inside, Tissue.SPLEEN, (patient.uptake.spleen * mottle).astype(np.float32), hu)


def _pancreas_and_adrenals(canvas: Canvas, patient: Patient) -> None:
    rng = patient.stream("pancreas")
    up = rng.normal(0, 9)
    line = [(-36, -14, 232 + up, 13), (-22, -24, 256 + up, 11), (12, -32, 272 + up, 9),
            (48, -4, 286 + up, 9), (82, 20, 302 + up, 8)]  # fmt: skip
    tube = canvas.tube(smooth_line(np.array(line), 9.0), roughness=0.22)
    inside = (tube.rel < 1) & np.isin(canvas.tissue[tube.box], OPEN)
    canvas.fill(
        tube.box, inside, Tissue.GLAND, rng.uniform(1.1, 1.8), 85.0 if patient.contrast else 38.0
    )
    value = rng.uniform(1.1, 1.9) if rng.random() < 0.85 else rng.uniform(2.2, 4)
    if value > 2:
        patient.variants.append("adrenal")
    for side in (-1, 1):
        for turn in (-25, 25):
            canvas.blob(
                (side * 36, spine_y(295) - 4, 294), (3.5, 12, 11), Tissue.GLAND, value, 20,
                (0, 0, side * 15 + turn),
            )  # fmt: skip


def _stomach(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    rng = patient.stream("stomach")
    fill = rng.uniform(0.5, 1.3)
    low = rng.normal(0, 22)
    line = np.array(
        [(60, 14, 366, 20 + 14 * fill), (72, 4, 345, 18 + 18 * fill),
         (72, -28, 310, 14 + 13 * fill), (56, -46, 282 + 0.6 * low, 13 + 9 * fill),
         (20, -52, 258 + low, 12 + 5 * fill), (-22, -44, 266 + 0.4 * low, 11)]
    )  # fmt: skip
    line[:, 1] -= 18 * patient.build.visceral
    tube = canvas.tube(smooth_line(line, 9.0), roughness=0.12)
    if tube.box == EMPTY:
        return
    inside = (tube.rel < 1) & np.isin(canvas.tissue[tube.box], OPEN)
    inside &= canvas.z[tube.box] < envelope.diaphragm[tube.box] - 1
    wall = patient.uptake.stomach * (1 + 0.15 * canvas.rough[2][tube.box])
    drawn = rng.random()
    if drawn < 0.3:
        patient.variants.append("stomach wall")
        hot = rng.uniform(2.5, 6.5)
        part = tube.segment / max(tube.count, 1)
        centre = rng.choice([0.1, 0.2, 0.85, rng.uniform(0, 1)])
        wall = wall + (hot - patient.uptake.stomach) * np.exp(-(((part - centre) / 0.18) ** 2))
    lumen = tube.rel < 1 - 7.0 / np.clip(line[:, 3].mean(), 12, 40)
    contents = 15.0 if rng.random() < 0.6 else rng.uniform(40, 250)
    canvas.fill(
        tube.box,
        inside,
        Tissue.STOMACH,
        wall.astype(np.float32),
        75.0 if patient.contrast else 42.0,
    )
    canvas.fill(tube.box, inside & lumen, Tissue.STOMACH, rng.uniform(0.4, 1.2), contents)
    gas = inside & lumen & (canvas.y[tube.box] < -26 - 18 * patient.build.visceral)
    canvas.fill(tube.box, gas, Tissue.STOMACH, 0.35, -900.0)


def paint_genitals(canvas: Canvas, patient: Patient) -> None:
    """Paint uterus and ovaries, or prostate and testes, at places that vary as they do."""
    rng = patient.stream("genitals")
    if not patient.build.female:
        canvas.blob((0, -14, -14), np.array([21, 16, 16]) * rng.uniform(0.85, 1.35),
                    Tissue.GENITAL, rng.uniform(0.9, 1.9), 45)  # fmt: skip
        value = rng.uniform(1.6, 2.6) if rng.random() < 0.6 else rng.uniform(2.8, 5)
        if value > 2.8:
            patient.variants.append("testes")
        for side in (-1, 1):
            canvas.blob((side * 16, -92, -78), (17, 17, 23), Tissue.FAT, 0.5, 20)
            canvas.blob((side * 17, -90, -80), (11, 12, 18), Tissue.GENITAL, value, 35)
        canvas.blob((0, -104, -45), (13, 13, 32), Tissue.GENITAL, 1.2, 40)
        return
    size = rng.uniform(0.75, 1.15) if rng.random() < 0.8 else rng.uniform(1.3, 2.1)
    place = np.array([rng.normal(0, 9), 18 + rng.normal(0, 7), 52 + 14 * size + rng.normal(0, 6)])
    tilt = (rng.normal(25, 25), rng.normal(0, 10), 0)
    hu = 85.0 if patient.contrast else 48.0
    canvas.blob(
        place, np.array([24, 22, 34]) * size, Tissue.GENITAL, rng.uniform(1.0, 1.7), hu, tilt
    )
    if size > 1.3:
        patient.variants.append("fibroid uterus")
        for _ in range(int(rng.integers(1, 4))):
            value = rng.uniform(1.2, 5) if rng.random() < 0.5 else 1.3
            canvas.blob(
                place + rng.normal(0, 20, 3), rng.uniform(11, 24, 3), Tissue.GENITAL, value, hu + 8
            )
    young = patient.build.age < 52
    if young and rng.random() < 0.45:
        patient.variants.append("endometrium")
        canvas.blob(
            place, np.array([7, 6, 17]) * size, Tissue.GENITAL, rng.uniform(2.5, 7), hu - 15, tilt
        )
    for side in (-1, 1):
        aside = (side * rng.uniform(30, 48), rng.normal(2, 9), rng.normal(6, 10))
        ovary = place + np.array(aside)
        hot = young and rng.random() < 0.3
        if hot:
            patient.variants.append("ovary")
        canvas.blob(ovary, rng.uniform(8, 14, 3), Tissue.GENITAL,
                    rng.uniform(2.8, 7) if hot else 1.2, 22)  # fmt: skip

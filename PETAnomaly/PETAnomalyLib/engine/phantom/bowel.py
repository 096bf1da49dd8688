"""Small bowel and colon: loops that lie differently in every patient, avid in segments."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.body import Envelope
from PETAnomalyLib.engine.phantom.canvas import EMPTY, Canvas, Tube, Vector, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

OPEN = (Tissue.VISCERAL_FAT, Tissue.SOFT)


def paint_bowel(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint colon, duodenum and small bowel into what is left of the abdominal cavity."""
    rng = patient.stream("bowel")
    metformin = rng.random() < 0.15
    if metformin:
        patient.variants.append("diffuse bowel uptake")
    oral = rng.random() < 0.5
    _colon(canvas, patient, envelope, rng, metformin, oral)
    _small_bowel(canvas, patient, envelope, rng, metformin, oral)


def _segments(
    rng: Generator, count: int, base: float, number: int, low: float, high: float
) -> Vector:
    """Uptake along a bowel: a restless base and `number` hot segments."""
    noise = np.convolve(rng.normal(0, 1, count + 9), np.ones(9) / 3, "same")[:count]
    along = base * np.clip(1 + 0.25 * noise, 0.55, 1.8)
    for _ in range(number):
        at, length = int(rng.integers(0, count)), int(rng.integers(2, 16))
        hot = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        part = along[at : at + length]
        rise = 0.55 + 0.45 * np.sin(np.pi * (np.arange(len(part)) + 0.5) / length)
        restless = np.clip(1 + 0.3 * noise[at : at + length], 0.6, 1.4)
        along[at : at + length] = np.maximum(part, hot * rise * restless)
    return along


def _paint(
    canvas: Canvas,
    envelope: Envelope,
    tube: Tube,
    along: Vector,
    contents: Vector,
    wall: float,
    wall_hu: float,
) -> None:
    """Wall and lumen of a bowel; `wall` is the lumen's share of the radius."""
    if tube.box == EMPTY:
        return
    inside = (tube.rel < 1) & np.isin(canvas.tissue[tube.box], OPEN)
    inside &= envelope.cavity[tube.box] < 1.02
    suv = (along[tube.segment] * (1 + 0.12 * canvas.rough[2][tube.box])).astype(np.float32)
    hu = contents[tube.segment].astype(np.float32)
    lumen = inside & (tube.rel < wall)
    canvas.fill(tube.box, inside, Tissue.BOWEL, suv, wall_hu)
    gas = hu < -500
    lumen_suv = np.where(gas, 0.45 * suv, 0.8 * suv).astype(np.float32)
    canvas.fill(tube.box, lumen, Tissue.BOWEL, lumen_suv, hu)


def _contents(rng: Generator, count: int, oral: bool, gas: float) -> Vector:
    """HU of the lumen along the bowel: stretches of gas, stool or fluid, oral contrast."""
    values = np.empty(count)
    at = 0
    while at < count:
        length = int(rng.integers(3, 14))
        drawn = rng.random()
        if drawn < gas:
            value = -920.0
        elif oral and drawn < gas + 0.45:
            value = rng.uniform(120, 380)
        else:
            value = rng.uniform(-20, 60)
        values[at : at + length] = value
        at += length
    return values


def _colon(
    canvas: Canvas,
    patient: Patient,
    envelope: Envelope,
    rng: Generator,
    metformin: bool,
    oral: bool,
) -> None:
    out = 24 * patient.build.visceral
    deep = 14 * patient.build.visceral
    sag = rng.uniform(0, 80)
    loop = rng.uniform(20, 95)
    aside = rng.normal(0, 26)
    caecum = rng.normal(92, 16)
    line = np.array(
        [(-86 - 0.6 * out, -22, caecum, 24), (-98 - out, -10, caecum + 48, 22),
         (-100 - out, 8, 200, 20), (-88 - out, -2, 240, 20),
         (-58, -56 - deep, 232 - 0.4 * sag, 19), (0, -68 - deep, 222 - sag, 18),
         (58, -54 - deep, 246 - 0.5 * sag, 18), (96 + out, 8, 300, 17), (104 + out, 26, 250, 15),
         (104 + out, 18, 180, 14), (98 + 0.7 * out, -6, 122, 14), (72, -20, 92, 14),
         (26 + aside, -16, 88 + loop, 15), (-14 + aside, 4, 84 + 0.6 * loop, 15), (6, 42, 74, 15),
         (0, 56, 44, 17), (0, 50, 10, 18), (0, 44, -18, 12)]
    )  # fmt: skip
    line[:, :3] += rng.normal(0, 5, (len(line), 3))
    knots = smooth_line(line, 8.0)
    count = len(knots)
    haustra = 1 + 0.16 * np.sin(np.arange(count) * 8.0 / 34.0 * 2 * np.pi)
    stretch = np.convolve(rng.normal(0, 1, count + 11), np.ones(11) / 3.3, "same")[:count]
    knots[:, 3] *= haustra * np.clip(1 + 0.16 * stretch, 0.65, 1.45)
    base = patient.uptake.bowel * (rng.uniform(2.2, 5) if metformin else 1.0)
    number = int(rng.choice([0, 1, 2, 3, 4], p=[0.22, 0.28, 0.25, 0.15, 0.10]))
    if number:
        patient.variants.append("colon segment")
    along = _segments(rng, count, base, number, 2.5, 11.0)
    tube = canvas.tube(knots)
    _paint(
        canvas, envelope, tube, along, _contents(rng, count, oral, 0.45), 0.66,
        60.0 if patient.contrast else 38.0,
    )  # fmt: skip


def _small_bowel(
    canvas: Canvas,
    patient: Patient,
    envelope: Envelope,
    rng: Generator,
    metformin: bool,
    oral: bool,
) -> None:
    wall_hu = 70.0 if patient.contrast else 38.0
    duodenum = np.array(
        [(-24, -44, 268, 12), (-42, -22, 256, 13), (-44, -6, 220, 13), (-14, -12, 204, 12),
         (22, -14, 212, 11), (30, -26, 232, 11)], float
    )  # fmt: skip
    duodenum[:, :3] += rng.normal(0, 4, 3)
    knots = smooth_line(duodenum, 8.0)
    hot = int(rng.random() < 0.25)
    along = _segments(rng, len(knots), 1.1 * patient.uptake.bowel, hot, 2.5, 5.5)
    _paint(
        canvas, envelope, canvas.tube(knots), along, _contents(rng, len(knots), oral, 0.08), 0.5,
        wall_hu,
    )  # fmt: skip
    # Jejunum and ileum: a wandering line, kept in the middle of the abdomen by reflection.
    half = np.array([78 + 14 * patient.build.visceral, 36, 94])
    middle = np.array([rng.normal(0, 8), -34 - 12 * patient.build.visceral, 142])
    steps = int(rng.integers(70, 96))
    heading = rng.normal(size=3)
    place = np.array([0.5, 0.0, 0.8])
    points = []
    for _ in range(steps):
        heading = 0.55 * heading + rng.normal(0, 0.75, 3)
        place = place + 0.48 * heading / np.linalg.norm(heading) * [1.0, 1.3, 0.8]
        over = np.abs(place) > 1
        heading[over] *= -1
        place = np.clip(place, -1, 1)
        points.append([*(middle + place * half), rng.uniform(10.5, 15)])
    knots = smooth_line(np.array(points), 9.0)
    count = len(knots)
    base = patient.uptake.bowel * (
        rng.uniform(1.5, 4) if metformin and rng.random() < 0.6 else 0.95
    )
    number = int(rng.choice([0, 1, 2, 4], p=[0.35, 0.3, 0.2, 0.15]))
    if number:
        patient.variants.append("small bowel loop")
    along = _segments(rng, count, base, number, 2.2, 8.0)
    tube = canvas.tube(knots)
    _paint(canvas, envelope, tube, along, _contents(rng, count, oral, 0.1), 0.55, wall_hu)

"""Gallbladder with its bile, and the bile duct."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

HOT_WALL_SHARE, HOT_WALL_SUV = 0.04, (2.5, 5.5)  # chronic cholecystitis
HOT_BILE_SHARE, HOT_BILE_SUV = 0.03, (2.2, 4.5)  # FDG excreted with bile
STONES_SHARE, STONES_HU = 0.12, (110.0, 450.0)
CLIPS_SHARE, CLIPS_HU = 0.6, 1900.0  # after removal
DUCT_MM, WIDE_DUCT_MM = 2.6, 4.5  # radius; wide after the gallbladder is taken out


def paint_gallbladder(canvas: Canvas, patient: Patient) -> None:
    """Paint gallbladder or clips, and the bile duct; before the liver, which lies round it."""
    rng = patient.stream("gallbladder")
    place = np.array([-54, -38, 268]) + rng.normal(0, [6, 6, 7])
    hot = float(rng.uniform(*HOT_BILE_SUV)) if rng.random() < HOT_BILE_SHARE else 0.0
    removed = patient.conditions.no_gallbladder
    duct = [(-32, -10, 298, 1), (-24, -12, 268, 1), (-28, -6, 240, 1), (-36, -8, 222, 1)]
    knots = np.array(duct, float)
    knots[:, 3] = WIDE_DUCT_MM if removed else DUCT_MM
    bile = hot or patient.suv(Organ.GALLBLADDER)
    if not paint(canvas, tube(canvas, knots), Organ.SOFT, bile, 10.0, OPEN_BELLY).any():
        return
    if removed:
        patient.variants.append("cholecystectomy")
        _clips(canvas, rng, place)
        return
    if hot:
        patient.variants.append("hot bile")
    tilt = (-30 + rng.normal(0, 12), 20 + rng.normal(0, 8), 0)
    shape = ellipsoid(canvas, place, np.array([12, 13, 27]), tilt, 0.08, reach=1.9)
    inside = paint_parenchyma(
        canvas, shape, Organ.GALLBLADDER, bile, patient.hu(Organ.GALLBLADDER),
        patient.volume_ml(Organ.GALLBLADDER), mottle=0.04,
    )  # fmt: skip
    if not inside.any():
        return
    if rng.random() < HOT_WALL_SHARE:
        patient.variants.append("gallbladder wall")
        wall = inside & (shape.level > np.quantile(shape.level[inside], 0.6))
        canvas.fill(shape.box, wall, None, float(rng.uniform(*HOT_WALL_SUV)), 45.0)
    if rng.random() < STONES_SHARE:
        patient.variants.append("gallstones")
        # Stones lie behind, where the patient's back is.
        back = inside & (canvas.y[shape.box] > np.quantile(canvas.y[shape.box][inside], 0.82))
        canvas.fill(shape.box, back, None, None, float(rng.uniform(*STONES_HU)))


def _clips(canvas: Canvas, rng: Generator, place: Vector) -> None:
    if rng.random() > CLIPS_SHARE:
        return
    neck = place + np.array([12, 26, 14])
    for _ in range(int(rng.integers(1, 4))):
        clip = ellipsoid(canvas, neck + rng.normal(0, 7, 3), (2.6, 2.6, 2.6))
        paint(canvas, clip, Organ.METAL, 0.5, CLIPS_HU, OPEN_BELLY)

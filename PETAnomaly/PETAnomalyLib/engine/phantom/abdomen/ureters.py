"""Ureters: seen where peristalsis had filled them when the bed stood there."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.bladder import Bladder
from PETAnomalyLib.engine.phantom.abdomen.urine import Urine
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

STEP_MM = 7.0
SEGMENTS = {0: 0.2, 1: 0.22, 2: 0.23, 3: 0.17, 4: 0.13, 6: 0.05}  # filled ones of a ureter
RADIUS_MM = (2.1, 3.3)  # filled
DILATED_SHARE, DILATED_MM = 0.025, (4.0, 7.0)
OPEN = (Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.SOFT)

# Body z, then how far beside the midline and body y of a ureter: over the psoas, across the iliac
# vessels, along the wall of the pelvis.
COURSE = np.array(
    [(10, 44, 24), (40, 54, 30), (70, 52, 28), (100, 40, 8), (150, 34, 2), (200, 36, 4),
     (240, 40, 10)]
)  # fmt: skip


def paint_ureter(
    canvas: Canvas,
    patient: Patient,
    rng: Generator,
    side: int,
    start: Vector,
    urine: Urine,
    bladder: Bladder,
) -> None:
    """Paint urine along a ureter from `start` to the bladder's back."""
    line = _line(rng, side, start, bladder.inlet(side))
    if rng.random() < DILATED_SHARE:
        line[:, 3] = rng.uniform(*DILATED_MM)
        shape = tube(canvas, line, 0.15)
        if paint(canvas, shape, Organ.URINE, urine.fresh, urine.hu, OPEN).any():
            patient.variants.append("dilated ureter")
        return
    seen = False
    for _ in range(int(rng.choice(list(SEGMENTS), p=list(SEGMENTS.values())))):
        length = int(rng.integers(2, 9))
        at = int(rng.integers(0, max(len(line) - 2, 1)))
        piece = line[at : at + length].copy()
        piece[:, 3] = rng.uniform(*RADIUS_MM)
        hot = urine.fresh * rng.uniform(0.5, 1.3)
        if len(piece) > 1:
            shape = tube(canvas, piece, reach=1.0)
            seen |= bool(paint(canvas, shape, Organ.URINE, hot, urine.hu, OPEN).any())
    if seen and "ureter" not in patient.variants:
        patient.variants.append("ureter")


def _line(rng: Generator, side: int, start: Vector, end: Vector) -> Vector:
    """Knots every `STEP_MM` down the ureter; each patient's swings its own way."""
    knots = [(*start, 3.0)]
    swing = rng.normal(0, 4, 2)
    for z in np.arange(start[2] - 28, max(end[2] + 12, 12), -30):
        x = side * np.interp(z, COURSE[:, 0], COURSE[:, 1]) + swing[0] + rng.normal(0, 3)
        y = np.interp(z, COURSE[:, 0], COURSE[:, 2]) + swing[1] + rng.normal(0, 2.5)
        knots.append((x, y, z, 3.0))
    knots.append((*end, 3.0))
    return smooth_line(knots, STEP_MM)

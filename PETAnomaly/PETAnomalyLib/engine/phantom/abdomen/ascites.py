"""Ascites: fluid where the belly is deepest, and round the organs."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, VOXEL_ML, Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

ASCITES_SUV, ASCITES_HU = (0.5, 1.1), (0.0, 18.0)
MOST_OF_FAT = 0.85  # of the belly's fat that fluid can take: mesentery and omentum stay


def paint_ascites(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Fill the pelvis, Morison's pouch and the gutters first, then the front."""
    wanted = patient.conditions.ascites_ml
    if not wanted:
        return
    box = canvas.box([[0, 0, -20], [0, 0, 390]], 175)
    if box == EMPTY:
        return
    rng = patient.stream("ascites")
    x, y, z = canvas.x[box], canvas.y[box], canvas.z[box]
    free = canvas.where(box, OPEN_BELLY) & (z < envelope.diaphragm[box]) & (z > -22)
    # Kidneys, great vessels and ureters lie behind the peritoneum, which ends at psoas and spine.
    free &= (y < envelope.spine[box] - 12) | (np.abs(x) > 92) | (z < 90)
    if not free.any():
        return
    # Fluid rises from the back; gutters and the pouches under the diaphragm fill early.
    height = -y / 90 - 0.9 * np.clip(envelope.cavity[box], 0, 1)
    height -= 1.2 * np.exp(-(((z - 25) / 55) ** 2)) + 0.12 * canvas.rough[1][box]
    levels = height[free]
    count = min(round(wanted * _seen(canvas) / VOXEL_ML), int(MOST_OF_FAT * levels.size))
    if count < 1:
        return
    threshold = float(np.partition(levels, count - 1)[count - 1])
    shape = Shape(box, (height - threshold + 1).astype(np.float32), wanted, 1.0)
    fluid = paint(
        canvas, shape, Organ.ASCITES, float(rng.uniform(*ASCITES_SUV)),
        float(rng.uniform(*ASCITES_HU)), OPEN_BELLY, only=free,
    )  # fmt: skip
    if fluid.any():
        patient.variants.append("ascites")


def _seen(canvas: Canvas) -> float:
    """How much of the belly's height the scan has seen."""
    bottom = float(np.clip(canvas.z[0].mean(), -20, 380))
    top = float(np.clip(canvas.z[-1].mean(), -20, 380))
    return (top - bottom) / 400

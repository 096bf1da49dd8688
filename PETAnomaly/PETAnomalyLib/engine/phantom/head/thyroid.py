"""The thyroid: two lobes and an isthmus; inflamed in some, with nodules in others."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube, united
from PETAnomalyLib.engine.phantom.head.glandular import SIDES
from PETAnomalyLib.engine.phantom.mean_uptake import spread_uptake
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

LARGER = (1.1, 1.8)  # volume of an inflamed gland (Hashimoto, Graves), of the drawn one
INFLAMED_HU = -30.0  # it holds less iodine
NODULE_YEARS, NODULES = 45, 0.4  # age from which, share of patients with nodules
NODULE_HU, NODULE_UPTAKE = -50.0, 0.8  # they hold less iodine and hardly more or less tracer
GOITRE_ML, LOWER_MM = 30.0, (0.0, 18.0)  # larger ones grow down, so far


def paint_thyroid(canvas: Canvas, patient: Patient) -> None:
    """Paint the gland; thyroiditis makes it larger, evenly hot, and less dense."""
    rng = patient.stream("thyroid")
    inflamed = patient.conditions.thyroiditis
    total = patient.volume_ml(Organ.THYROID)
    grown = rng.uniform(*LARGER)
    total *= grown if inflamed else 1.0
    low = 567 + rng.normal(0, 3) - (rng.uniform(*LOWER_MM) if total > GOITRE_ML else 0)
    lines = []
    for side in SIDES:
        r = rng.normal(1, 0.08)
        lines.append(
            [(side * 16, -16, low - 14, 8 * r), (side * 18, -14, low + 4, 9.5 * r),
             (side * 17, -10, low + 26, 4.5 * r)]
        )  # fmt: skip
    lines.append([(-14, -24, low - 2, 4.5), (0, -27, low - 4, 4), (14, -24, low - 2, 4.5)])
    shape = united([tube(canvas, line, roughness=0.1, reach=3.0) for line in lines])
    if shape.empty:
        return
    hu = patient.hu(Organ.THYROID) + (INFLAMED_HU if inflamed else 0)
    relative = canvas.mottled(1.0, shape.box, 0.12)
    texture = np.float32(hu) * canvas.mottled(1.0, shape.box, 0.06)
    painted = paint(canvas, shape, Organ.THYROID, None, texture, OPEN_NECK, total)
    nodular = total > GOITRE_ML or (patient.build.age > NODULE_YEARS and rng.random() < NODULES)
    if nodular and not inflamed:
        nodule = painted & (canvas.rough[2][shape.box] > 0.9)
        canvas.hu[shape.box][nodule] += NODULE_HU
        relative[nodule] *= NODULE_UPTAKE
    if inflamed and painted.any():
        patient.variants.append("thyroiditis")
    mean = inflamed or patient.suv(Organ.THYROID)
    spread_uptake(canvas, shape.box, painted, relative[painted], mean)

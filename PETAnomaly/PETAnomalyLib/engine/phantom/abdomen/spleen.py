"""Spleen, accessory spleens, and what is left after it is taken out."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

FOLLOWS = 0.5  # of what stimulation adds to the marrow, the spleen gets
ACCESSORY_SHARE = 0.12
SPLENOSIS_SHARE = 0.4  # of those without a spleen


def paint_spleen(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the spleen under the left dome, by volume."""
    rng = patient.stream("spleen")
    hu = patient.hu(Organ.SPLEEN)
    suv = patient.suv(Organ.SPLEEN) * (1 + FOLLOWS * (patient.conditions.stimulated_marrow - 1))
    centre = np.array([98 + 14 * patient.build.visceral, 36, 318]) + rng.normal(0, [4, 5, 7])
    tilt = (25 + rng.normal(0, 6), 14, rng.normal(0, 10))
    radii = np.array([24, 42, 50]) * np.exp(rng.normal(0, 0.06, 3))
    shape = ellipsoid(canvas, centre, radii, tilt, 0.1, reach=1.55)
    if shape.empty:
        return
    nodules = 0
    if patient.conditions.no_spleen:
        patient.variants.append("splenectomy")
        nodules = int(rng.integers(1, 5)) if rng.random() < SPLENOSIS_SHARE else 0
        if nodules:
            patient.variants.append("splenosis")
    else:
        room = (envelope.cavity[shape.box] < 0.985) & (canvas.x[shape.box] > 30)
        room &= canvas.z[shape.box] < envelope.diaphragm[shape.box] - 1
        paint_parenchyma(
            canvas, shape, Organ.SPLEEN, suv, hu, patient.volume_ml(Organ.SPLEEN), only=room,
            mottle=0.05,
        )  # fmt: skip
        if rng.random() < ACCESSORY_SHARE:
            nodules = 1
            patient.variants.append("accessory spleen")
    hilum = centre - np.array([34, 22, 18])
    for _ in range(nodules):
        place = hilum + rng.normal(0, [6, 8, 14])
        ball = ellipsoid(canvas, place, np.full(3, rng.uniform(6, 10)))
        paint_parenchyma(canvas, ball, Organ.SPLEEN, suv, hu)

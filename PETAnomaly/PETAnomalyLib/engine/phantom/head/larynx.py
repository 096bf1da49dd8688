"""The larynx: cartilage round the air, and vocal cords that talked during uptake."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.head.glandular import SIDES, paint_organ, shares
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

TALKED, TALKED_FACTOR = 0.12, (1.5, 2.6)  # share of patients, uptake of the mean
PALSY = 0.025  # share of patients with one cord that does not move: the other does all the work
PALSY_FACTOR = (0.55, 1.9)  # of the still and of the working cord
CARTILAGE_HU = (90.0, 330.0)  # at 20 and from 70 years: it ossifies
CARTILAGE_SUV = 0.7


def paint_larynx(canvas: Canvas, patient: Patient) -> None:
    """Paint the vocal cords and the thyroid cartilage before them."""
    rng = patient.stream("larynx")
    z = 603 + rng.normal(0, 3)
    still = int(rng.choice(SIDES)) if rng.random() < PALSY else 0
    talked = rng.uniform(*TALKED_FACTOR) if rng.random() < TALKED else 1.0
    uneven = float(np.clip(rng.normal(0, 0.06), -0.15, 0.15))
    parts = shares(rng, 0.03)
    seen = False
    for number, side in enumerate(SIDES):
        line = [(side * 3, -29, z, 3), (side * 7, -21, z, 3.5), (side * 10, -13, z + 1, 4)]
        shape = tube(canvas, line, reach=2.5)
        relative = talked * (1 + side * uneven)
        if still:
            relative *= PALSY_FACTOR[0] if side == still else PALSY_FACTOR[1]
        ml = patient.volume_ml(Organ.VOCAL_CORDS) * parts[number]
        seen |= bool(paint_organ(canvas, patient, Organ.VOCAL_CORDS, shape, ml, relative).any())
    if seen and still:
        patient.variants.append("vocal cord palsy")
    if seen and talked > 1:
        patient.variants.append("vocal cords")
    shield = ellipsoid(canvas, (0, -20, z + 2), (20, 19, 16), roughness=0.03)
    if shield.empty:
        return
    hu = float(np.interp(patient.build.age, (20, 70), CARTILAGE_HU))
    front = (canvas.y[shield.box] < -14) & (shield.level > 0.72)
    texture = np.float32(hu) * (1 + np.float32(0.25) * canvas.rough[2][shield.box])
    paint(canvas, shield, Organ.SOFT, CARTILAGE_SUV, texture, OPEN_NECK, only=front)

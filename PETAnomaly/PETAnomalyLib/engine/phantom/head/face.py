"""What stands out from the oval of the head: nose and ears."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint
from PETAnomalyLib.engine.phantom.head.airways import AIR_HU, AIR_SUV
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

CARTILAGE_HU, CARTILAGE_SUV = 40.0, 0.8
NOSE_SUV = 1.7  # skin and mucosa of the nose's tip


def paint_face(canvas: Canvas, patient: Patient) -> None:
    """Paint nose with nostrils, and ears, into the air round the head."""
    rng = patient.stream("face")
    size = rng.normal(1, 0.1)
    length = rng.normal(0, 3)
    nose = ellipsoid(canvas, (0, -96, 697), np.array([12, 15, 18]) * size, (25, 0, 0), 0.03)
    if not nose.empty:
        suv = canvas.mottled(NOSE_SUV, nose.box, 0.1)
        paint(canvas, nose, Organ.SOFT, suv, CARTILAGE_HU, (Organ.AIR,))
    for side in (-1, 1):
        nostril = ellipsoid(canvas, (side * 5, -97, 689), (3, 11, 5), roughness=0.0)
        paint(canvas, nostril, Organ.AIRWAY, AIR_SUV, AIR_HU, (Organ.SOFT,))
        ear = ellipsoid(canvas, (side * 76, 16 + length, 704), (5, 13, 27 * size),
                        (0, side * -8, side * 22), 0.05)  # fmt: skip
        paint(canvas, ear, Organ.SOFT, CARTILAGE_SUV, CARTILAGE_HU, (Organ.AIR,))

"""Parotid, submandibular and sublingual glands."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, united
from PETAnomalyLib.engine.phantom.head.glandular import SIDES, paint_organ, shares
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SIALADENITIS = 0.03  # share of patients with one inflamed gland, and how much more it takes up
SIALADENITIS_FACTOR = (1.6, 3.0)


def paint_salivary_glands(canvas: Canvas, patient: Patient) -> None:
    """Paint the three pairs."""
    if canvas.z.max() < 600:
        return
    rng = patient.stream("salivary glands")
    glands = (Organ.PAROTID, Organ.SUBMANDIBULAR_GLAND, Organ.SUBLINGUAL_GLAND)
    ill = rng.random() < SIALADENITIS
    which, factor = (int(rng.integers(2)), int(rng.integers(2))), rng.uniform(*SIALADENITIS_FACTOR)
    for kind, gland in enumerate(glands):
        parts = shares(rng)
        for number, side in enumerate(SIDES):
            inflamed = ill and which == (kind, number)
            if inflamed:
                patient.variants.append("sialadenitis")
            shift = rng.normal(0, 2, 3)
            mirror = np.array([side, 1, 1])
            if gland == Organ.PAROTID:
                shape = united(
                    [
                        ellipsoid(canvas, (np.array([53, 12, 672]) + shift) * mirror, (9, 15, 24),
                                  (0, side * 6, side * 12), 0.1),
                        ellipsoid(canvas, (np.array([58, -8, 674]) + shift) * mirror, (5, 18, 15),
                                  (0, 0, side * -8), 0.1),
                    ],
                )  # fmt: skip
            elif gland == Organ.SUBMANDIBULAR_GLAND:
                shape = ellipsoid(canvas, (np.array([32, -26, 632]) + shift) * mirror,
                                  (10, 16, 12), (10, 0, side * -20), 0.1, reach=2.4)  # fmt: skip
            else:
                shape = ellipsoid(canvas, (np.array([13, -54, 650]) + shift) * mirror,
                                  (5, 14, 8), (0, 0, side * -18), 0.1, reach=2.4)  # fmt: skip
            relative = rng.normal(1, 0.04) * (factor if inflamed else 1)
            paint_organ(
                canvas, patient, gland, shape, patient.volume_ml(gland) * parts[number], relative
            )

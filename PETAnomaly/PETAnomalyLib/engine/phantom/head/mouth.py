"""Tongue, floor of the mouth, and the ring of tonsils round the throat."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, united
from PETAnomalyLib.engine.phantom.head.glandular import SIDES, paint_organ, shares
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

LINGUAL = 0.16  # tonsil at the root of the tongue: share of the ring's volume
ADENOID_YOUNG, ADENOID_OLD = 0.22, 0.04  # the same of the adenoid, at 20 and from 60 years


def paint_mouth(canvas: Canvas, patient: Patient) -> None:
    """Paint tonsils, tongue and floor of the mouth."""
    if canvas.z.max() < 610 or canvas.z.min() > 710:
        return
    _tonsils(canvas, patient)
    rng = patient.stream("tongue")
    tip = rng.normal(0, 3, 3)
    tongue = united(
        [
            ellipsoid(canvas, 0.5 * tip + np.array([0, -42, 662]), (22, 26, 18), (12, 0, 0), 0.06),
            ellipsoid(canvas, tip + np.array([0, -62, 668]), (17, 20, 9), roughness=0.06),
        ],
    )
    tongue.nominal_ml *= 0.8  # tip and body share a third of the tip
    paint_organ(canvas, patient, Organ.TONGUE, tongue, patient.volume_ml(Organ.TONGUE))
    floor = ellipsoid(canvas, (0, -44, 641), (19, 25, 8), (-8, 0, 0), 0.08)
    paint_organ(canvas, patient, Organ.FLOOR_OF_MOUTH, floor,
                patient.volume_ml(Organ.FLOOR_OF_MOUTH))  # fmt: skip


def _tonsils(canvas: Canvas, patient: Patient) -> None:
    """Palatine tonsils, seldom alike; lingual tonsil; adenoid, which shrinks with age."""
    rng = patient.stream("tonsils")
    total = patient.volume_ml(Organ.TONSIL)
    adenoid = float(np.interp(patient.build.age, (20, 60), (ADENOID_YOUNG, ADENOID_OLD)))
    palatine = 1 - LINGUAL - adenoid
    uneven = rng.normal(0, 0.1)
    if abs(uneven) > 0.18:
        patient.variants.append("asymmetric tonsils")
    parts = shares(rng, 0.06)
    for number, side in enumerate(SIDES):
        place = np.array([side * 17, -14, 661]) + rng.normal(0, 1.5, 3)
        shape = ellipsoid(canvas, place, (7, 8, 12), (0, side * 8, side * 15), 0.1, reach=2)
        paint_organ(canvas, patient, Organ.TONSIL, shape, palatine * total * parts[number],
                    1.05 + side * uneven, (*OPEN_NECK, Organ.AIRWAY))  # fmt: skip
    shape = ellipsoid(canvas, (0, -22, 648), (13, 5, 7), (30, 0, 0), 0.1, reach=2)
    paint_organ(canvas, patient, Organ.TONSIL, shape, LINGUAL * total, 0.85)
    shape = ellipsoid(canvas, (0, -2, 688), (12, 4.5, 8), roughness=0.1, reach=2)
    paint_organ(canvas, patient, Organ.TONSIL, shape, adenoid * total, rng.uniform(0.7, 1.1))

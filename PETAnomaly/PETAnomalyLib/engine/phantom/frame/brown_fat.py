"""Active brown fat: hot on PET, fat on CT; on both sides alike, but never quite."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, spine_y
from PETAnomalyLib.engine.phantom.frame.posture import SIDES
from PETAnomalyLib.engine.phantom.frame.spine import vertebra_z
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

BROWN_HU = -72.0
"""Denser than white fat: it holds blood; Cypess et al., N Engl J Med 2009: -50 to -100 HU."""
Place = tuple[float, float, float]

INTO = (Organ.FAT, Organ.VISCERAL_FAT, Organ.SOFT, Organ.MUSCLE)


def paint_brown_fat(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the depots: nearly always above the clavicles, the more elsewhere the hotter."""
    rng = patient.stream("brown fat depots")
    hot = patient.conditions.brown_fat
    seen = False
    for place, size in _places(patient, rng, hot):
        for side in SIDES:
            if rng.random() < 0.08:
                continue
            centre = np.array(place) * [side, 1, 1] + rng.normal(0, 3, 3)
            radii = size * rng.uniform(0.7, 1.3, 3)
            shape = ellipsoid(canvas, centre, radii, rng.normal(0, 25, 3), 0.3)
            if shape.empty:
                continue
            beneath = envelope.trunk[shape.box] < 0.92  # not the fat under the skin
            suv = canvas.mottled(hot * float(rng.uniform(0.4, 1.1)), shape.box, 0.2)
            seen |= bool(
                paint(canvas, shape, Organ.BROWN_FAT, suv, BROWN_HU, INTO, only=beneath).any()
            )
    if seen:
        patient.variants.append("brown fat")


def _places(patient: Patient, rng: Generator, hot: float) -> list[tuple[Place, float]]:
    """Depots of the left (body x, y, z) and their radius, mm."""
    found: list[tuple[Place, float]] = []
    for _ in range(int(rng.integers(5, 9))):
        # The pad above the clavicle, from the neck to the shoulder.
        out = float(rng.uniform(0, 1))
        place = (34 + 72 * out, float(rng.uniform(-14, 26)), 592 - 38 * out + rng.normal(0, 6))
        found.append((place, float(rng.uniform(6, 10))))
    for z in np.arange(575, 640, 20):  # along the carotid sheath
        if rng.random() < 0.5:
            found.append(((36, float(rng.uniform(4, 26)), float(z)), 5.5))
    if rng.random() < 0.6:
        found += [((122, float(rng.uniform(-10, 14)), z), 8.0) for z in (478.0, 500.0)]
    if rng.random() < 0.25 + 0.07 * hot:
        for rib in range(2, 13):  # at the heads of the ribs
            if rng.random() < 0.75:
                root = vertebra_z(patient, f"T{rib}") + 8
                found.append(((25, spine_y(root) + 10, root), 4.8))
    if rng.random() < 0.3:
        found += [((18, -44, float(rng.uniform(440, 510))), 7.0), ((12, 18, 455), 6.0)]
    if rng.random() < 0.25:
        found += [((46, 28, 300), 8.0), ((58, 36, 280), 7.0)]
    return found

"""The great vessels of the trunk: blood, walls with inflammation or calcium."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint, tube
from PETAnomalyLib.engine.phantom.chest.contrast import PLACES, blood_hu
from PETAnomalyLib.engine.phantom.chest.heart import heart_middle
from PETAnomalyLib.engine.phantom.chest.vessel_courses import Vessel, great_vessels
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

INTO_TRUNK = (Organ.SOFT, Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.FAT, Organ.LUNG)
WALL_MM, INFLAMED_MM = 1.8, 4.0  # aorta; large-vessel vasculitis thickens it
CALCIUM_YEARS = 50
CALCIUM_HU = (180.0, 480.0)
PLAQUE_FACTOR = (1.0, 1.5)  # uptake of atheroma, of the wall's


def paint_vessels(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint every great vessel that the scan holds."""
    rng = patient.stream("vessels")
    heart = heart_middle(patient, envelope)
    hu = {place: blood_hu(patient, place) for place in PLACES}
    blood = patient.suv(Organ.BLOOD)
    inflamed = False
    for vessel in great_vessels(rng, patient.build, heart):
        shape = tube(canvas, vessel.line, reach=1.6 if vessel.large else 1.1)
        if shape.empty:
            continue
        suv = canvas.mottled(blood, shape.box, 0.04)
        lumen = paint(canvas, shape, Organ.BLOOD, suv, hu[vessel.place], INTO_TRUNK)
        if vessel.large and lumen.any():
            inflamed |= _wall(canvas, patient, vessel, shape)
    if inflamed:
        patient.variants.append("vasculitis")


def _wall(canvas: Canvas, patient: Patient, vessel: Vessel, shape: Shape) -> bool:
    """The wall of an artery; returns whether it is inflamed."""
    factor = patient.conditions.vasculitis
    thick = (INFLAMED_MM if factor > 1 else WALL_MM) / float(vessel.line[:, 3].mean())
    into = canvas.where(shape.box, INTO_TRUNK)
    wall: Mask = into & (shape.level >= 1) & (shape.level < 1 + thick)
    rng = patient.stream(f"wall {vessel.name}")
    value = canvas.mottled(factor * patient.suv(Organ.VESSEL_WALL), shape.box, 0.1)
    canvas.fill(shape.box, wall, Organ.VESSEL_WALL, value, patient.hu(Organ.VESSEL_WALL))
    old = (patient.build.age - CALCIUM_YEARS) / 40
    if old > 0:
        # Plaques: few at 55, in the arch and below the kidneys many at 85.
        hard = wall & (canvas.rough[2][shape.box] > rng.normal(2.4 - 1.1 * old, 0.2))
        plaque = value * np.float32(rng.uniform(*PLAQUE_FACTOR))
        canvas.fill(shape.box, hard, Organ.VESSEL_WALL, plaque, rng.uniform(*CALCIUM_HU))
    return factor > 1 and bool(wall.any())

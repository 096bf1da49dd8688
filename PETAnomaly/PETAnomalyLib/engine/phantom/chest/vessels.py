"""The great vessels of the trunk: blood, walls with inflammation or calcium."""

from __future__ import annotations

import math

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
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
ABDOMINAL_MM, ANEURYSM_MM = 260.0, 14.5  # below which body z, wider than which radius
PIECE = 8  # segments of a vessel that are found at once
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
        shapes = _pieces(canvas, vessel)
        for shape in shapes:
            suv = canvas.mottled(blood, shape.box, 0.04)
            paint(canvas, shape, Organ.BLOOD, suv, hu[vessel.place], INTO_TRUNK)
        if shapes and vessel.name == "aorta" and _widest_below(vessel) > ANEURYSM_MM:
            patient.variants.append("aortic aneurysm")
        if vessel.large and shapes:
            inflamed |= _walls(canvas, patient, vessel, shapes)
    if inflamed:
        patient.variants.append("vasculitis")


def _widest_below(vessel: Vessel) -> float:
    """Radius of the abdominal aorta where it is widest."""
    return float(vessel.line[vessel.line[:, 2] < ABDOMINAL_MM, 3].max())


def _pieces(canvas: Canvas, vessel: Vessel) -> list[Shape]:
    """The vessel in pieces of which each has a small box; what was not scanned is left out."""
    points = vessel.line
    count = max(1, math.ceil((len(points) - 1) / PIECE))
    ends = np.linspace(0, len(points) - 1, count + 1).astype(int)
    shapes = [
        tube(canvas, points[start : stop + 1], reach=1.6 if vessel.large else 1.1)
        for start, stop in np.stack([ends[:-1], ends[1:]], axis=1)
    ]
    return [shape for shape in shapes if not shape.empty]


def _walls(canvas: Canvas, patient: Patient, vessel: Vessel, shapes: list[Shape]) -> bool:
    """The wall of an artery; returns whether inflammation is seen in it."""
    factor = patient.conditions.vasculitis
    rng = patient.stream(f"wall {vessel.name}")
    thick = (INFLAMED_MM if factor > 1 else WALL_MM) / float(vessel.line[:, 3].mean())
    old = (patient.build.age - CALCIUM_YEARS) / 40
    # Plaques: few at 55, many at 85.
    hard = rng.normal(2.4 - 1.1 * old, 0.2) if old > 0 else np.inf
    plaque, calcium = np.float32(rng.uniform(*PLAQUE_FACTOR)), np.float32(rng.uniform(*CALCIUM_HU))
    suv, hu = patient.suv(Organ.VESSEL_WALL), patient.hu(Organ.VESSEL_WALL)
    seen = False
    for shape in shapes:
        shell = (shape.level >= 1) & (shape.level < 1 + thick)
        wall = np.nonzero(shell & canvas.where(shape.box, INTO_TRUNK))
        rough = canvas.rough[2][shape.box][wall]
        calcified = rough > hard
        value = factor * suv * (1 + 0.1 * rough) * np.where(calcified, plaque, 1)
        canvas.organ[shape.box][wall] = Organ.VESSEL_WALL
        canvas.suv[shape.box][wall] = value
        canvas.hu[shape.box][wall] = np.where(calcified, calcium, hu)
        seen |= len(rough) > 0
    return factor > 1 and seen

"""Coronary arteries as CT shows them: calcium of the old in the grooves of the heart, and what
surgeons leave: wires in the sternum.

References:
    calcium by age: McClelland et al., Circulation 2006; 113: 30-37.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, tube
from PETAnomalyLib.engine.phantom.frame.envelope import LOWEST_MM, Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

BRANCHES = (  # from the middle of the heart: x, y, z; mm
    [(-2, -18, 34), (22, -42, 22), (40, -46, 0), (50, -40, -22)],  # anterior descending
    [(2, -8, 32), (40, 8, 24), (52, 16, 6), (48, 22, -14)],  # circumflex
    [(-20, -30, 30), (-44, -26, 12), (-42, -16, -16), (-14, 2, -36)],  # right
)
CALCIUM_YEARS = {"M": 45.0, "F": 55.0}
CALCIUM_HU = (150.0, 520.0)
SURGERY = 0.05  # share of those above 60 with a sternotomy behind them
WIRE_HU = 2200.0


def paint_coronaries(
    canvas: Canvas, patient: Patient, envelope: Envelope, heart: NDArray[np.float64]
) -> None:
    """Paint calcium along the three branches, and sternal wires."""
    rng = patient.stream("coronaries")
    burden = (patient.build.age - CALCIUM_YEARS[patient.build.sex]) / 35
    size = rng.normal(1, 0.04)
    for branch in BRANCHES:
        level = rng.normal(1.9 - 1.5 * burden, 0.5)
        hu = rng.uniform(*CALCIUM_HU)
        if burden <= 0:
            continue
        points = heart + np.array(branch) * size
        shape = tube(canvas, smooth_line(np.c_[points, np.full(len(points), 2.6)], 14.0), reach=1.1)
        hard = (shape.level < 1) & (canvas.rough[2][shape.box] > level)
        hard &= canvas.where(shape.box, (Organ.VISCERAL_FAT, Organ.SOFT, Organ.LUNG))
        suv = patient.suv(Organ.VESSEL_WALL)
        canvas.fill(shape.box, hard, Organ.VESSEL_WALL, suv, hu)
    drawn = rng.random()
    if patient.build.age > 60 and drawn < SURGERY:
        _wires(canvas, patient, envelope)


def _wires(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    seen = False
    for z in range(375, 520, 28):
        at = z - LOWEST_MM
        y = float(envelope.middle[at] - envelope.depth[at]) + 9
        shape = ellipsoid(canvas, (0, y, z), (6, 6, 2.2), roughness=0.0)
        inside = shape.level < 1
        canvas.fill(shape.box, inside, Organ.METAL, None, WIRE_HU)
        seen |= bool(inside.any())
    if seen:
        patient.variants.append("sternotomy")

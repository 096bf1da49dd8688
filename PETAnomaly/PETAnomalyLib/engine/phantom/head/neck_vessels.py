"""Carotid arteries and jugular veins."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

CAROTID_ENDS = ((18.0, -10.0, 546.0), (30.0, 4.0, 696.0))
JUGULAR_ENDS = ((26.0, -8.0, 546.0), (36.0, 10.0, 696.0))
"""Where they leave the chest, and where the skull; the left ones."""

PLAQUE_YEARS = 55  # age from which the bifurcation calcifies
PLAQUE_HU = (250.0, 700.0)


def paint_neck_vessels(canvas: Canvas, patient: Patient) -> None:
    """Paint both carotids and both jugular veins; the right vein is mostly the wider one."""
    if canvas.z.max() < CAROTID_ENDS[0][2]:
        return
    rng = patient.stream("neck vessels")
    blood, hu = patient.suv(Organ.BLOOD), patient.hu(Organ.BLOOD)
    for side in (-1, 1):
        out = rng.normal(0, 1.5)
        bow = rng.normal(0, 2)
        carotid = [(*CAROTID_ENDS[0], 3.8), (25 + out, -6 + bow, 600, 3.6),
                   (28 + out, -3 + bow, 636, 4.6), (29, 0, 664, 3.0),
                   (*CAROTID_ENDS[1], 2.6)]  # fmt: skip
        width = rng.normal(5.6 if side < 0 else 4.8, 0.7)
        jugular = [(*JUGULAR_ENDS[0], width + 0.6), (35 + out, -5 + bow, 600, width),
                   (37 + out, 1, 650, 0.9 * width), (*JUGULAR_ENDS[1], 0.7 * width)]  # fmt: skip
        for line in (carotid, jugular):
            knots = smooth_line(np.array(line) * [side, 1, 1, 1], 12.0)
            shape = tube(canvas, knots, reach=1.2)
            painted = paint(canvas, shape, Organ.BLOOD, blood, hu, OPEN_NECK)
            if line is carotid and patient.build.age > PLAQUE_YEARS and painted.any():
                fork = painted & (np.abs(canvas.z[shape.box] - 638) < 10)
                hard = fork & (canvas.rough[2][shape.box] > 1.0)
                canvas.fill(shape.box, hard, Organ.VESSEL_WALL, None, rng.uniform(*PLAQUE_HU))

"""Carotid arteries and jugular veins."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube
from PETAnomalyLib.engine.phantom.inlet import CAROTID, JUGULAR
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SKULL_BASE = {"carotid": (30.0, 4.0, 696.0), "jugular": (36.0, 10.0, 696.0)}  # of the left
PLAQUE_YEARS = 55  # age from which the bifurcation calcifies
PLAQUE_HU = (250.0, 700.0)


def paint_neck_vessels(canvas: Canvas, patient: Patient) -> None:
    """Paint both carotids and both jugular veins; the right vein is mostly the wider one."""
    if canvas.z.max() < CAROTID[2]:
        return
    rng = patient.stream("neck vessels")
    blood, hu = patient.suv(Organ.BLOOD), patient.hu(Organ.BLOOD)
    for side in (-1, 1):
        out = rng.normal(0, 1.5)
        bow = rng.normal(0, 2)
        carotid = [CAROTID, (25 + out, -6 + bow, 600, 3.6),
                   (28 + out, -3 + bow, 636, 4.6), (29, 0, 664, 3.0),
                   (*SKULL_BASE["carotid"], 2.6)]  # fmt: skip
        width = rng.normal(5.6 if side < 0 else 4.8, 0.7)
        jugular = [(*JUGULAR[:3], width + 0.6), (35 + out, -5 + bow, 600, width),
                   (37 + out, 1, 650, 0.9 * width),
                   (*SKULL_BASE["jugular"], 0.7 * width)]  # fmt: skip
        for line in (carotid, jugular):
            knots = smooth_line(np.array(line) * [side, 1, 1, 1], 12.0)
            shape = tube(canvas, knots, reach=1.2)
            painted = paint(canvas, shape, Organ.BLOOD, blood, hu, OPEN_NECK)
            if line is carotid and patient.build.age > PLAQUE_YEARS and painted.any():
                fork = painted & (np.abs(canvas.z[shape.box] - 638) < 10)
                hard = fork & (canvas.rough[2][shape.box] > 1.0)
                canvas.fill(shape.box, hard, Organ.VESSEL_WALL, None, rng.uniform(*PLAQUE_HU))

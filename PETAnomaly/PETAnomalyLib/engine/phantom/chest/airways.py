"""Trachea and bronchi."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube
from PETAnomalyLib.engine.phantom.inlet import TRACHEA
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

AIR_HU, AIR_SUV = -985.0, 0.1
WALL_MM, WALL_HU, WALL_SUV = 2.5, 45.0, 1.1
CARINA = (0.0, 15.0, 474.0)
INTO = (*OPEN_NECK, Organ.VISCERAL_FAT, Organ.LUNG)


def paint_bronchi(canvas: Canvas, patient: Patient) -> None:
    """Paint trachea, main and lobar bronchi with their walls."""
    rng = patient.stream("bronchi")
    wide = 0.92 if patient.build.female else 1.04
    aside, low = rng.normal(1, 2), rng.normal(0, 4)
    x, y, z = np.array(CARINA) + np.array([aside, 0, low])
    lines = [[TRACHEA, (0.5 * aside, 4, 512, 8.5), (x, y, z, 9)]]
    for side, down, out in ((-1, 24, 24), (1, 28, 36)):
        end = (side * (out + 10), y + 5, z - down, 5.5)
        lines += [
            [(x, y, z, 7), (side * out, y + 3, z - 0.7 * down, 6.5), end],
            [end, (side * 58, y + 8, z - down - 32, 3.5)],
            [(side * out, y + 3, z - 0.7 * down, 4.5), (side * 60, y - 8, z + 14, 3)],
        ]
    for line in lines:
        knots = smooth_line(np.array(line) * [1, 1, 1, wide], 12.0)
        shape = tube(canvas, knots, reach=1.7)
        paint(canvas, shape, Organ.AIRWAY, AIR_SUV, AIR_HU, INTO)
        if shape.empty:
            continue
        wall = (shape.level < 1 + WALL_MM / knots[:, 3].mean()) & canvas.where(shape.box, INTO)
        canvas.fill(shape.box, wall, Organ.SOFT, WALL_SUV, WALL_HU)

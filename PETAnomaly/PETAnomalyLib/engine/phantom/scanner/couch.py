"""The couch in the CT."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.image_grid import ImageGrid

HALF_WIDTH_MM = 212.0
SHELL_MM, FOAM_MM = 3.5, 14.0
SHELL_HU, FOAM_HU = 650.0, 120.0  # above air


def couch(canvas: Canvas, patient: Patient, grid: ImageGrid) -> Array:
    """HU of the couch in every slice, on the rows and columns of `grid.box` (j, i).

    A shell of carbon round foam, curved, just behind the back.
    """
    rng = patient.stream("couch")
    middle = canvas.shape[2] // 2
    body = (canvas.organ[:, :, middle - 25 : middle + 26] != Organ.AIR).any((0, 2))
    rows = np.flatnonzero(body)
    back = float(canvas.axes[1][rows[-1]]) if len(rows) else 100.0
    bend = rng.uniform(0.0003, 0.0009)  # 1/mm
    x = grid.axis(2)[None, :]
    depth = grid.axis(1)[:, None] - (back + 6 + bend * (90**2 - np.minimum(x * x, 190**2)))
    shell = np.maximum(1 - np.abs(depth) / SHELL_MM, 1 - np.abs(depth - 2 * FOAM_MM) / SHELL_MM)
    hu = np.maximum(SHELL_HU * shell, FOAM_HU * (np.abs(depth - FOAM_MM) < FOAM_MM))
    hu *= np.abs(x) < HALF_WIDTH_MM
    found: Array = (np.maximum(hu, 0) - 1000).astype(np.float32)
    return found

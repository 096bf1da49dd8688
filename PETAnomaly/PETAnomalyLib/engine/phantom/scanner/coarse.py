"""Fields that vary over centimetres: worked out on cells of `CELLS` voxels, then spread out."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.scanner.sampling import Matrix, linear

CELLS = 4
CELL_MM = CELLS * STEP_MM


def pooled(values: Array, cells: int = CELLS) -> Array:
    """Means over `cells`**3 voxels, (k, j, i); the last cells along an axis may be smaller."""
    for axis in range(3):
        count, rest = divmod(values.shape[axis], cells)
        lines = values.swapaxes(0, axis)
        means = lines[: count * cells : cells].copy()
        for number in range(1, cells):
            means += lines[number : count * cells : cells]
        means *= np.float32(1 / cells)
        if rest:
            means = np.concatenate([means, lines[-rest:].mean(0, keepdims=True)])
        values = means.swapaxes(0, axis)
    return np.ascontiguousarray(values)


def cell_axis(canvas: Canvas, axis: int, cells: int = CELLS) -> Array:
    """Middles on the canvas of the cells along array axis 0 (z), 1 (y) or 2 (x), mm."""
    count = -(-canvas.shape[axis] // cells)
    middle = float(canvas.axes[axis][0]) + (cells - 1) / 2 * STEP_MM
    return (middle + cells * STEP_MM * np.arange(count)).astype(np.float32)


def spread_out(canvas: Canvas, slices: slice) -> tuple[Matrix, Matrix, Matrix]:
    """Weights that carry a pooled field to some slices of the canvas."""
    axes = (canvas.axes[0][slices], canvas.axes[1], canvas.axes[2])
    along_z, along_y, along_x = (
        linear(axis.astype(np.float64), cell_axis(canvas, number))
        for number, axis in enumerate(axes)
    )
    return along_z, along_y, along_x

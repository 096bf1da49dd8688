"""Organs whose uptake varies from place to place round the mean that the patient has drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_with_mean(
    canvas: Canvas,
    patient: Patient,
    shape: Shape,
    organ: Organ,
    relative: Array,
    into: Sequence[int],
    volume_ml: float | None = None,
    only: Mask | None = None,
) -> Mask:
    """Paint an organ whose uptake follows `relative` and has the patient's mean for that organ.

    Args:
        canvas, patient, shape, organ, into, volume_ml, only: of `shapes.paint`.
        relative: uptake over the shape's box, in any unit.

    Returns:
        Which voxels of the box were painted.
    """
    painted = paint(canvas, shape, organ, None, patient.hu(organ), into, volume_ml, only)
    spread_uptake(canvas, shape.box, painted, relative[painted], patient.suv(organ))
    return painted


def spread_uptake(canvas: Canvas, box: Box, painted: Mask, relative: Array, mean: float) -> None:
    """Uptake of this mean (g/ml) on the painted voxels of `box`, which follows `relative` there."""
    if painted.any():
        canvas.suv[box][painted] = relative * (mean / steady_mean(relative))


def steady_mean(values: NDArray[np.floating]) -> float:
    """The mean, the same on machines that add in different orders."""
    return float(np.float32(values.mean(dtype=np.float64)))

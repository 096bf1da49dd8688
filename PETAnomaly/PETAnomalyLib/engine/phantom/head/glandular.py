"""What small organs of head and neck have in common: pairs, volumes, mottled uptake."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SIDES = (-1, 1)


def shares(rng: Generator, spread: float = 0.04) -> tuple[float, float]:
    """The parts of a pair that lie on the right and on the left: nearly halves."""
    right = 0.5 + min(max(float(rng.normal(0, spread)), -2 * spread), 2 * spread)
    return right, 1 - right


def paint_organ(
    canvas: Canvas,
    patient: Patient,
    organ: Organ,
    shape: Shape,
    volume_ml: float,
    relative: float = 1.0,
    into: Sequence[int] = OPEN_NECK,
) -> Mask:
    """Paint an organ, or a share of it, with `relative` times the patient's mean uptake."""
    if shape.empty:
        return paint(canvas, shape, organ, None, None, into)
    suv = canvas.mottled(relative * patient.suv(organ), shape.box, 0.08)
    hu = canvas.hu[shape.box] * 0 + patient.hu(organ) + 6 * canvas.rough[2][shape.box]
    return paint(canvas, shape, organ, suv, hu, into, volume_ml)

"""Organs whose mean uptake is the patient's, however their voxels differ."""

from __future__ import annotations

from collections.abc import Sequence

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.mean_uptake import spread_uptake
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY

LEAST_UPTAKE = 0.3  # of the mean, whatever the mottle draws


def paint_parenchyma(
    canvas: Canvas,
    shape: Shape,
    organ: int,
    suv: float,
    hu: float | Array,
    volume_ml: float | None = None,
    into: Sequence[int] = OPEN_BELLY,
    only: Mask | None = None,
    mottle: float = 0.06,
    pattern: Array | None = None,
) -> Mask:
    """Paint a solid organ of mean uptake `suv` (g/ml).

    Args:
        canvas, shape, organ, hu, volume_ml, into, only: as of `shapes.paint`.
        suv: mean over the painted voxels.
        mottle: standard deviation of the uptake over its mean.
        pattern: relative uptake over the box, as of cortex and medulla.

    Returns:
        Which voxels of the box were painted.
    """
    inside = paint(canvas, shape, organ, None, hu, into, volume_ml, only)
    settle(canvas, shape, inside, suv, mottle, pattern)
    return inside


def settle(
    canvas: Canvas,
    shape: Shape,
    inside: Mask,
    suv: float,
    mottle: float = 0.06,
    pattern: Array | None = None,
) -> None:
    """Give the voxels `inside` an uptake that is mottled, and `suv` (g/ml) in their mean."""
    relative = (1 + mottle * canvas.rough[2][shape.box][inside]).clip(LEAST_UPTAKE)
    if pattern is not None:
        relative = relative * pattern[inside]
    spread_uptake(canvas, shape.box, inside, relative, suv)

"""Coordinates in the skull: heads differ less in size than bodies do.

The brain is described in mm of a reference skull, which is the body's where `brain_size` is 1.
In large bodies it is smaller than the body's scale makes it, round a point at the skull's base.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from PETAnomalyLib.engine.phantom.canvas.canvas import Box, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.waves import Array

BASE = np.array([0.0, 6.0, 700.0])  # body point that stays where it is
SMALL_BODY = 0.83  # volume scale of the mean woman, whose skull is the reference one
SMALLEST = 0.91


def brain_size(canvas: Canvas) -> float:
    """Of the reference skull, in body coordinates: skulls grow with the square root of bodies."""
    volume = float(canvas.pose.scale.prod()) / SMALL_BODY
    return float(np.clip(volume ** (-1 / 6), SMALLEST, 1.04))


def brain_coordinates(canvas: Canvas, box: Box) -> tuple[Array, Array, Array]:
    """x, y, z of the voxels of `box`, mm of the reference skull."""
    size = np.float32(brain_size(canvas))
    x, y, z = (
        (field[box] - np.float32(base)) / size + np.float32(base)
        for field, base in zip((canvas.x, canvas.y, canvas.z), BASE)
    )
    return x, y, z


def body_points(canvas: Canvas, points: ArrayLike) -> Vector:
    """Body points of points (n x 3, or n x 4 with a radius) of the reference skull."""
    found = np.array(points, float)
    size = brain_size(canvas)
    found[..., :3] = (found[..., :3] - BASE) * size + BASE
    found[..., 3:] *= size
    return found

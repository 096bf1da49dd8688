"""Lines through the body and turns of its organs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

Vector = NDArray[np.float64]


def smooth_line(points: ArrayLike, step_mm: float = 7.0) -> Vector:
    """Points every `step_mm` of a spline through `points` (n x columns: x, y, z, ...)."""
    knots = np.asarray(points, float)
    chord = np.concatenate(
        [[0], np.cumsum(np.linalg.norm(np.diff(knots[:, :3], axis=0), axis=1) + 1e-3)]
    )
    at = np.linspace(0, chord[-1], max(2, int(np.ceil(chord[-1] / step_mm)) + 1))
    return PchipInterpolator(chord, knots, axis=0)(at)


def rotation_matrix(degrees_xyz: ArrayLike) -> Vector:
    """Rotation about x, then y, then z."""
    a, b, c = np.deg2rad(np.asarray(degrees_xyz, float))
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ ry @ rx

"""Where the voxels of a volume lie: LPS, mm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.runtime.errors import InputError

Matrix = npt.NDArray[np.float64]

RIGHT_ANGLE_TOLERANCE = 1e-3
"""Largest cosine between two axes, and largest deviation of an axis' length from 1: 1 mm at the end
of a metre. Headers in text often have four digits."""

FARTHEST_MM = 1e6
"""A kilometre: no voxel lies farther away or is longer. Beyond, positions overflow."""

SHORTEST_MM = 1e-6
"""A nanometre: no voxel is smaller."""

_NO_PART_OF_A_DIRECTION = 1e-300


@dataclass(frozen=True)
class Grid:
    """Spacing, origin and direction as ITK has them.

    Attributes:
        spacing: mm along the axes i, j, k.
        origin: the centre of voxel (0, 0, 0), LPS, mm.
        direction: (3, 3), the columns are the unit vectors of the axes i, j, k in LPS.
    """

    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: Matrix

    @classmethod
    def identity(cls, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Grid:
        """Axes along LPS, from zero."""
        return cls(spacing, (0.0, 0.0, 0.0), np.eye(3))

    @classmethod
    def from_steps(cls, steps: Matrix, origin: Any) -> Grid:
        """A grid by its steps.

        Args:
            steps: (3, 3), the columns lead from a voxel to the next along i, j, k; LPS, mm.
            origin: (3,), LPS, mm.
        """
        # One after the other, as ITK sums: the last bit of an oblique direction is the same.
        length = [math.sqrt(sum(part * part for part in map(float, step))) for step in steps.T]
        with np.errstate(invalid="ignore", divide="ignore"):
            return cls(_three(length), _three(origin), steps / np.array(length))

    @property
    def affine(self) -> Matrix:
        """(3, 4): voxel (i, j, k, 1) to LPS in mm."""
        return np.column_stack([self.direction * np.array(self.spacing), self.origin])

    def check(self, name: str) -> None:
        """Refuse what is no regular grid.

        Raises:
            InputError: numbers that are none or out of this world, steps of no length, axes that
                are not perpendicular.
        """
        numbers = [*self.spacing, *self.origin, *self.direction.ravel()]
        if not np.all(np.isfinite(numbers)):
            raise InputError(
                f"{name} has a geometry with NaN or infinite numbers in its header.",
                "Export the file again.",
            )
        if min(self.spacing) < SHORTEST_MM:
            raise InputError(
                f"{name} has a voxel spacing of {' x '.join(f'{s:g}' for s in self.spacing)} mm.",
                "Check the voxel spacing in its header, or export it again.",
            )
        farthest_mm = max(map(abs, (*self.spacing, *self.origin)))
        if farthest_mm > FARTHEST_MM:
            raise InputError(
                f"{name} has a geometry with steps or an origin of {farthest_mm:g} mm.",
                "Check the voxel spacing and the origin in its header, or export it again.",
            )
        off = np.abs(self.direction.T @ self.direction - np.eye(3)).max()
        if off > RIGHT_ANGLE_TOLERANCE:
            raise InputError(
                f"{name} has axes that are not perpendicular: its direction is no rotation (by "
                f"{off:.2g}).",
                "Resample it to a regular grid first.",
            )


def without_denormals(direction: Matrix) -> Matrix:
    """A direction, (3, 3), with 0 for what is next to it: ITK cannot invert a matrix that holds a
    denormal number (1e-308), and resamples such an image to nothing."""
    return np.where(np.abs(direction) < _NO_PART_OF_A_DIRECTION, 0.0, direction)


def farthest(one: Matrix, other: Matrix, size: tuple[int, ...]) -> float:
    """How far apart two affines (3, 4) put a voxel at most, mm: the largest over the corners.

    Args:
        one, other: voxel (i, j, k, 1) to mm.
        size: voxels along i, j, k and any further axes.
    """
    last = [n - 1 for n in size[:3]]
    corners = np.array([[last[a] * (c >> a & 1) for a in range(len(last))] + [1] for c in range(8)])
    return float(np.linalg.norm((one - other) @ corners.T, axis=0).max())


def _three(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z

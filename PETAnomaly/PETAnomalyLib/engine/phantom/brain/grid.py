"""Grids along the axes of a space, and values at their points. Arrays are k, j, i: z first.

The template's space is MNI: x to the right, y forward, z up (RAS), in mm. The scanner's is LPS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Point = tuple[float, float, float]
"""x, y, z."""
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Grid:
    """A grid of cubes along the axes of a space.

    Attributes:
        first_mm: x, y, z of the first voxel.
        step_mm: the edge of a voxel.
        shape: k, j, i.
    """

    first_mm: Point
    step_mm: float
    shape: tuple[int, int, int]

    def axes(self, box: Box | None = None) -> tuple[Array, Array, Array]:
        """z, y, x in mm, each along its own axis of the array, so that they broadcast."""
        axes = []
        for axis in range(3):
            values = self.first_mm[2 - axis] + self.step_mm * np.arange(self.shape[axis])
            if box is not None:
                values = values[box[axis]]
            extent = [1, 1, 1]
            extent[axis] = -1
            axes.append(values.astype(np.float32).reshape(extent))
        return axes[0], axes[1], axes[2]

    def box(self, centre: Point, reach_mm: float) -> Box:
        """The voxels within `reach_mm` of a point along every axis."""
        edges = []
        for axis in range(3):
            middle = (centre[2 - axis] - self.first_mm[2 - axis]) / self.step_mm
            reach = reach_mm / self.step_mm
            low = int(np.clip(np.floor(middle - reach), 0, self.shape[axis]))
            high = int(np.clip(np.ceil(middle + reach) + 1, low, self.shape[axis]))
            edges.append(slice(low, high))
        return edges[0], edges[1], edges[2]

    def at(self, values: Array, places: Array, outside: float) -> Array:
        """Values of this grid at points, by linear interpolation.

        Args:
            values: k x j x i.
            places: 3 x ...; x, y, z in mm.
            outside: the value where there is no grid.
        """
        index = [
            (places[axis] - self.first_mm[axis]) / np.float32(self.step_mm) for axis in (2, 1, 0)
        ]
        found: Array = ndimage.map_coordinates(
            values, index, order=1, mode="constant", cval=outside
        )
        return found

    def sample(self, values: Array, onto: Grid, box: Box | None = None) -> Array:
        """`values` of this grid on another, by linear interpolation; beyond the edge, its value."""
        result = values
        axes = onto.axes(box)
        for axis in range(3):
            place = (axes[axis].ravel() - self.first_mm[2 - axis]) / self.step_mm
            place = np.clip(place, 0, values.shape[axis] - 1)
            low = np.minimum(place.astype(np.int64), values.shape[axis] - 2)
            weight = (place - low).astype(np.float32)
            extent = [1, 1, 1]
            extent[axis] = -1
            weight = weight.reshape(extent)
            result = (
                np.take(result, low, axis) * (1 - weight) + np.take(result, low + 1, axis) * weight
            )
        return result


TEMPLATE = Grid((-98.0, -134.0, -72.0), 1.0, (189, 233, 197))
"""ICBM 152 2009a, 1 mm."""
HALF = Grid(TEMPLATE.first_mm, 2.0, (95, 117, 99))
"""Every second voxel of the template."""
DEFORMATION = Grid((-120.0, -156.0, -120.0), 4.0, (60, 68, 61))
"""Velocities and displacements: they change over a centimetre and more."""
HEAD = Grid((-120.0, -160.0, -130.0), 2.0, (126, 141, 121))
"""Skull, scalp and face, which reach farther than the template."""

"""How a patient lies in the scanner: size, tilt, bends of the spine, and where the scan ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.waves import Array


@dataclass(frozen=True)
class Pose:
    """How a patient lies in the scanner.

    Attributes:
        scale: patient mm per reference mm along x, y, z.
        rotation: 3 x 3, grid axes to body axes.
        offset_mm: grid position (x, y, z; mm from the grid's middle in x, y and first slice in z)
            of the body point (0, 0, `bottom_mm`).
        bottom_mm: body z of the lowest slice.
        length_mm: of the scan, patient mm.
        scoliosis_mm: how far the spine swings to the left (and, higher up, back) at its apex.
        scoliosis_apex_mm: body z of that.
        kyphosis_mm: how far the upper back is pushed out, and head and pelvis come forward.
    """

    scale: NDArray[np.float64]
    rotation: NDArray[np.float64]
    offset_mm: NDArray[np.float64]
    bottom_mm: float
    length_mm: float
    scoliosis_mm: float
    scoliosis_apex_mm: float
    kyphosis_mm: float

    def bend_x(self, z: Array) -> Array:
        """mm to the left that the trunk is displaced at body z: an S round the apex."""
        u = (z - np.float32(self.scoliosis_apex_mm)) / np.float32(150)
        return np.float32(1.7 * self.scoliosis_mm) * (1 - u) * np.exp(-(u * u) - np.float32(0.5))

    def bend_y(self, z: Array) -> Array:
        """mm to the back that the body is displaced at body z: the upper back out, the head in."""
        back = np.exp(-(((z - np.float32(430)) / np.float32(130)) ** 2))
        head = 1 / (1 + np.exp(-(z - np.float32(640)) / np.float32(35)))
        return np.float32(self.kyphosis_mm) * (back - np.float32(1.3) * head)

"""What a patient is painted on: a voxel grid that knows where every voxel lies in the body.

Organs are described in *body coordinates*, mm in a reference person of 170 cm: x to the patient's
left, y to the back, z to the head; x = 0 is the midline, y = 0 the middle of the trunk, z = 0 the
upper edge of the pubic symphysis, 840 the vertex and -870 the soles. A `Canvas` gives every voxel
its body coordinates after the patient's size, pose, the bends of the spine and a smooth random
deformation, so that simple shapes come out as organs do: never twice the same, never symmetric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.pose import Pose
from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream
from PETAnomalyLib.engine.phantom.canvas.waves import Array, waves

Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

STEP_MM = 4.0  # along k, j and i; scanners have voxels of their own
VOXEL_ML = STEP_MM**3 / 1000
DEFORMATION_MM = 14.0  # no voxel is displaced by more than this along an axis
BENT_ASIDE = 0.15  # mm that bends and deformation carry a point aside for each mm along an organ
EMPTY: Box = (slice(0, 0), slice(0, 0), slice(0, 0))
WHOLE: Box = (slice(None), slice(None), slice(None))


class Canvas:
    """A grid (k, j, i) of `STEP_MM` round the body: what each voxel is, takes up and absorbs.

    Attributes:
        pose: of the patient.
        axes: grid positions along z, y, x, mm.
        x, y, z: body coordinates of every voxel, reference mm, float32.
        rough: smooth random fields of unit variance that roughen surfaces and mottle uptake:
            two of 28 to 80 mm, one of 14 to 36 mm.
        organ: `Organ` codes, uint8.
        suv, hu: uptake (SUV, g/ml) and attenuation (HU) before the scanner, float32.
    """

    def __init__(self, pose: Pose, half_width_mm: tuple[float, float], seed: int) -> None:
        self.pose = pose
        slices = max(1, math.ceil(pose.length_mm / STEP_MM))
        rows, columns = (2 * math.ceil(half / STEP_MM) + 1 for half in half_width_mm[::-1])
        self.shape = (slices, rows, columns)
        self.axes = (
            np.arange(slices, dtype=np.float32) * np.float32(STEP_MM),
            (np.arange(rows, dtype=np.float32) - rows // 2) * np.float32(STEP_MM),
            (np.arange(columns, dtype=np.float32) - columns // 2) * np.float32(STEP_MM),
        )
        self._first = np.array([axis[0] for axis in self.axes], float)
        self._last = np.array(self.shape) - 1.0
        to_body = (pose.rotation.T / pose.scale).T
        rng = stream(seed, "deformation")
        straight = []
        for row in range(3):
            start = -to_body[row] @ pose.offset_mm + (pose.bottom_mm if row == 2 else 0.0)
            straight.append(
                (
                    to_body[row, 2] * self.axes[0][:, None, None]
                    + to_body[row, 1] * self.axes[1][None, :, None]
                    + to_body[row, 0] * self.axes[2][None, None, :]
                    + start
                ).astype(np.float32)
            )
        self.z = straight[2] + self._bend(rng)
        self.x = straight[0] + self._bend(rng) - pose.bend_x(straight[2])
        self.y = straight[1] + self._bend(rng) - pose.bend_y(straight[2])
        rng = stream(seed, "surface")
        self.rough = [
            waves(rng, self.axes, 24, (28, 80)),
            waves(rng, self.axes, 24, (28, 80)),
            waves(rng, self.axes, 24, (14, 36)),
        ]
        self.suv = np.zeros(self.shape, np.float32)
        self.hu = np.full(self.shape, -1000, np.float32)
        self.organ = np.zeros(self.shape, np.uint8)

    def _bend(self, rng: np.random.Generator) -> Array:
        bend = 4.5 * waves(rng, self.axes, 8, (140, 420))
        return np.clip(bend, -DEFORMATION_MM, DEFORMATION_MM, out=bend)

    def box(self, points: ArrayLike, margin_mm: float | Vector) -> Box:
        """The voxels that can lie within `margin_mm` of any of the body points (n x 3).

        Args:
            points: mm.
            margin_mm: one, or three along body x, y and z.
        """
        return self.around(self.position(points), margin_mm)

    def position(self, points: ArrayLike) -> Vector:
        """Where body points (n x 3) lie on the grid, mm (n x 3: x, y, z), to a few mm."""
        body = np.atleast_2d(np.asarray(points, float))[:, :3]
        straight = self._straight(body)
        position = straight
        # Where bends and deformation have carried the point: read it off, twice.
        for _ in range(2):
            nearest = np.rint((position[:, ::-1] - self._first) / STEP_MM)
            nearest = np.minimum(np.maximum(nearest, 0), self._last)
            there = (self._first + nearest * STEP_MM)[:, ::-1]
            k, j, i = nearest.astype(np.intp).T
            found = np.array([self.x[k, j, i], self.y[k, j, i], self.z[k, j, i]], float).T
            position = straight + (there - self._straight(found))
        return position

    def around(self, position: Vector, margin_mm: float | Vector) -> Box:
        """The voxels within `margin_mm` (reference mm; one, or three along body x, y and z) of
        grid positions, and some to spare."""
        larger = 1.1 * float(max(1.0, self.pose.scale.max()))
        if isinstance(margin_mm, np.ndarray):
            # Turned as the patient lies; bends carry a long organ's ends aside.
            most = margin_mm.max()
            turned = np.abs(self.pose.rotation).T @ margin_mm + BENT_ASIDE * most
            reach = np.minimum(turned, most) * larger + 6.0
        else:
            reach = np.full(3, margin_mm * larger + 6.0)
        low, high = self._voxels(position.min(0) - reach, position.max(0) + reach)
        return _box(low.tolist(), high.tolist())

    def along(self, position: Vector, margin_mm: Vector) -> list[Box]:
        """`around` of every two points that follow each other, with a margin of each pair."""
        larger = 1.1 * float(max(1.0, self.pose.scale.max()))
        reach = (margin_mm * larger + 6.0)[:, None]
        low, high = self._voxels(
            np.minimum(position[:-1], position[1:]) - reach,
            np.maximum(position[:-1], position[1:]) + reach,
        )
        return [_box(*ends) for ends in zip(low.tolist(), high.tolist())]

    def _voxels(self, lowest: Vector, highest: Vector) -> tuple[NDArray[np.intp], ...]:
        """First voxels (.. x 3: k, j, i) between grid positions (x, y, z), and those after the
        last."""
        low = np.floor((lowest[..., ::-1] - self._first) / STEP_MM)
        high = np.ceil((highest[..., ::-1] - self._first) / STEP_MM) + 1
        return (
            np.maximum(low, 0).astype(np.intp),
            np.minimum(high, self._last + 1).astype(np.intp),
        )

    def _straight(self, body: Vector) -> Vector:
        """Grid positions (n x 3, mm) of body points (n x 3) as if nothing were bent."""
        pose = self.pose
        return ((body - [0, 0, pose.bottom_mm]) * pose.scale) @ pose.rotation + pose.offset_mm

    def where(self, box: Box, organs: Sequence[int]) -> Mask:
        """Which voxels of `box` are one of `organs`."""
        painted = self.organ[box]
        found = np.zeros(painted.shape, bool)
        # Comparing with each is quicker than looking each voxel up in a table.
        for organ in organs:
            found |= painted == organ
        return found

    def fill(
        self,
        box: Box,
        inside: Mask,
        organ: int | None,
        suv: float | Array | None = None,
        hu: float | Array | None = None,
    ) -> None:
        """Paint the voxels of `box` where `inside`, whatever they were; None leaves as it is."""
        if organ is not None:
            self.organ[box][inside] = organ
        for target, value in ((self.suv, suv), (self.hu, hu)):
            if value is None:
                continue
            target[box][inside] = value[inside] if isinstance(value, np.ndarray) else value

    def mottled(self, value: float, box: Box, share: float = 0.06, field: int = 2) -> Array:
        """`value` on the voxels of `box`, varied by `share` of it (one standard deviation)."""
        return np.float32(value) * (1 + np.float32(share) * self.rough[field][box])


def _box(low: Sequence[int], high: Sequence[int]) -> Box:
    if any(first >= end for first, end in zip(low, high)):
        return EMPTY
    return (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))

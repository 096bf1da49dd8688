"""What a patient is painted on: a voxel grid that knows where every voxel lies in the body.

Organs are described in *body coordinates*, mm in a reference person of 170 cm: x to the patient's
left, y to the back, z to the head; x = 0 is the midline, y = 0 the middle of the trunk, z = 0 the
upper edge of the pubic symphysis. A `Canvas` gives every voxel its body coordinates after the
patient's size, pose and a smooth random deformation, so that simple shapes come out as organs do:
never twice the same, never quite symmetric.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

Array = NDArray[np.float32]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]

SPACING_MM = (4.07, 4.07, 3.0)  # i, j, k: the PET grid of autoPET (Siemens Biograph mCT)
GRID_IJ = 168
DEFORMATION_MM = 14.0  # no voxel is displaced by more than this along an axis
EMPTY: Box = (slice(0, 0), slice(0, 0), slice(0, 0))


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one part of a patient: other parts can change without moving it."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class Pose:
    """How a patient lies in the scanner.

    Attributes:
        scale: patient mm per reference mm along x, y, z.
        rotation: 3 x 3, grid axes to body axes.
        offset_mm: grid position (x, y, z; mm from the grid's middle in x, y and first slice in z)
            of the body point (0, 0, `bottom_mm`).
        bottom_mm: body z of the lowest slice.
        slices: number of slices.
    """

    scale: NDArray[np.float64]
    rotation: NDArray[np.float64]
    offset_mm: NDArray[np.float64]
    bottom_mm: float
    slices: int


def waves(
    rng: np.random.Generator,
    axes: Sequence[Array],
    count: int,
    wavelength_mm: tuple[float, float],
) -> Array:
    """A smooth random field of unit standard deviation: `count` plane waves, (k, j, i).

    A plane wave is a product of functions of z and of (y, x), so that the sum is one matrix
    product and costs milliseconds. Threads and processors add such sums in different orders:
    rounding to 1/4096 makes the field the same, bit for bit, on all of them.
    """
    z, y, x = axes
    length = np.exp(rng.uniform(np.log(wavelength_mm[0]), np.log(wavelength_mm[1]), count))
    direction = rng.normal(size=(count, 3))
    direction *= (2 * np.pi / length / np.linalg.norm(direction, axis=1))[:, None]
    phase = rng.uniform(0, 2 * np.pi, count)
    along_z = direction[:, :1] * z + phase[:, None]
    plane = direction[:, 1, None, None] * y[:, None] + direction[:, 2, None, None] * x
    plane = plane.reshape(count, -1)
    left = np.concatenate([np.sin(along_z), np.cos(along_z)]).T * (4096 * np.sqrt(2.0 / count))
    right = np.concatenate([np.cos(plane), np.sin(plane)])
    field = left @ right
    np.rint(field, out=field)
    return (field.astype(np.float32) / np.float32(4096)).reshape(len(z), len(y), len(x))


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


@dataclass
class Tube:
    """A tube along a line. `rel` is the distance to the line over the radius (1 = surface)."""

    box: Box
    rel: Array
    segment: NDArray[np.int32]
    count: int


class Canvas:
    """A cropped grid (k, j, i) round the body with what each voxel is, takes up and absorbs.

    Attributes:
        x, y, z: body coordinates of every voxel, reference mm, float32.
        suv, hu: uptake (SUV, g/ml) and attenuation (HU) before the scanner, float32.
        tissue: `Tissue` codes, uint8.
        rough: smooth random fields that roughen surfaces and mottle uptake.
    """

    def __init__(self, pose: Pose, half_width_mm: tuple[float, float], seed: int) -> None:
        self.pose = pose
        step_i, step_j, step_k = SPACING_MM
        middle = (GRID_IJ - 1) / 2
        self.first = [0, 0, 0]
        count = [pose.slices, GRID_IJ, GRID_IJ]
        for axis, step, half, centre in (
            (1, step_j, half_width_mm[1], pose.offset_mm[1]),
            (2, step_i, half_width_mm[0], pose.offset_mm[0]),
        ):
            low = max(0, int(np.floor(middle + (centre - half) / step)))
            high = min(GRID_IJ, int(np.ceil(middle + (centre + half) / step)) + 1)
            self.first[axis], count[axis] = low, high - low
        self.shape = tuple(count)
        self.axes = (
            np.arange(count[0], dtype=np.float32) * step_k,
            ((np.arange(count[1]) + self.first[1] - middle) * step_j).astype(np.float32),
            ((np.arange(count[2]) + self.first[2] - middle) * step_i).astype(np.float32),
        )
        self._start = [float(axis[0]) for axis in self.axes]
        to_body = (pose.rotation.T / pose.scale).T
        rng = stream(seed, "deformation")
        coordinates = []
        for row in range(3):
            start = -to_body[row] @ pose.offset_mm + (pose.bottom_mm if row == 2 else 0.0)
            field = (
                to_body[row, 2] * self.axes[0][:, None, None]
                + to_body[row, 1] * self.axes[1][None, :, None]
                + to_body[row, 0] * self.axes[2][None, None, :]
                + start
            ).astype(np.float32)
            bend = 4.5 * waves(rng, self.axes, 8, (140, 420))
            np.clip(bend, -DEFORMATION_MM, DEFORMATION_MM, out=bend)
            coordinates.append(field + bend)
        self.x, self.y, self.z = coordinates
        rng = stream(seed, "surface")
        self.rough = [
            waves(rng, self.axes, 40, (28, 80)),
            waves(rng, self.axes, 40, (28, 80)),
            waves(rng, self.axes, 40, (14, 36)),
        ]
        self.suv = np.zeros(self.shape, np.float32)
        self.hu = np.full(self.shape, -1000, np.float32)
        self.tissue = np.zeros(self.shape, np.uint8)

    def box(self, points: ArrayLike, margin_mm: float) -> Box:
        """The voxels that can lie within `margin_mm` of any of the body points (n x 3)."""
        return self._around(self._position(points), margin_mm)

    def _position(self, points: ArrayLike) -> Vector:
        """Where body points (n x 3) lie on the grid, mm (n x 3: x, y, z), to a few mm."""
        body = np.atleast_2d(np.asarray(points, float))[:, :3]
        position = self._straight(body)
        # Where the deformation has carried the point: read it off at the first guess.
        index = tuple(
            np.clip(
                np.round((position[:, 2 - axis] - self.axes[axis][0]) / SPACING_MM[2 - axis]),
                0,
                self.shape[axis] - 1,
            ).astype(int)
            for axis in range(3)
        )
        there = np.stack([self.axes[axis][index[axis]] for axis in (2, 1, 0)], 1)
        bent = np.stack([self.x[index], self.y[index], self.z[index]], 1)
        return position + (there - self._straight(bent))

    def _around(self, position: Vector, margin_mm: float) -> Box:
        """The voxels within `margin_mm` (reference mm) of grid positions, and some to spare."""
        slices = []
        reach = margin_mm * 1.2 + 6.0
        lowest, highest = position.min(0), position.max(0)
        for axis in range(3):
            column = 2 - axis
            step, start = SPACING_MM[column], self._start[axis]
            low = max(math.floor((lowest[column] - reach - start) / step), 0)
            high = min(math.ceil((highest[column] + reach - start) / step) + 1, self.shape[axis])
            if low >= high:
                return EMPTY
            slices.append(slice(low, high))
        return (slices[0], slices[1], slices[2])

    def _straight(self, body: Vector) -> Vector:
        """Grid positions (n x 3, mm) of body points (n x 3) as if nothing were deformed."""
        pose = self.pose
        return ((body - [0, 0, pose.bottom_mm]) * pose.scale) @ pose.rotation + pose.offset_mm

    def ellipsoid(
        self,
        centre: ArrayLike,
        radii: ArrayLike,
        tilt_deg: ArrayLike = (0, 0, 0),
        roughness: float = 0.08,
        square: float = 0.0,
    ) -> tuple[Box, Array]:
        """A roughened superellipsoid: box and squared relative radius in it (< 1 inside).

        `square` in 0..1 mixes fourth powers in: 0 an ellipsoid, 1 nearly a brick.
        """
        c = np.asarray(centre, float)
        r = np.asarray(radii, float)
        box = self.box(c, float(r.max()) * (1.1 + roughness))
        axes = rotation_matrix(tilt_deg) / r[:, None]
        dx, dy, dz = self.x[box] - c[0], self.y[box] - c[1], self.z[box] - c[2]
        total = np.zeros(dx.shape, np.float32)
        for row in axes.astype(np.float32):
            u2 = (row[0] * dx + row[1] * dy + row[2] * dz) ** 2
            total += u2 if square == 0 else (1 - square) * u2 + square * u2 * u2
        if roughness:
            total *= 1 + np.clip(2 * roughness * self.rough[0][box], -0.7, 0.7)
        return box, total

    def tube(self, line: ArrayLike, roughness: float = 0.0, reach: float = 1.3) -> Tube:
        """The neighbourhood of a line of points (n x 4: x, y, z, radius; reference mm).

        Distances are found up to `reach` radii.
        """
        knots = np.asarray(line, np.float32)
        whole = self.box(knots[:, :3], float(knots[:, 3].max()) * reach)
        shape = tuple(s.stop - s.start for s in whole)
        rel = np.full(shape, np.inf, np.float32)
        segment = np.zeros(shape, np.int32)
        if 0 in shape:
            return Tube(whole, rel, segment, len(knots) - 1)
        position = self._position(knots)
        for number in range(len(knots) - 1):
            a, b = knots[number], knots[number + 1]
            part = self._around(position[number : number + 2], float(max(a[3], b[3])) * reach)
            if part == EMPTY:
                continue
            inner = tuple(slice(p.start - w.start, p.stop - w.start) for p, w in zip(part, whole))
            d = b - a
            px, py, pz = self.x[part] - a[0], self.y[part] - a[1], self.z[part] - a[2]
            t = (px * d[0] + py * d[1] + pz * d[2]) / max(float(d[:3] @ d[:3]), 1e-6)
            np.clip(t, 0, 1, out=t)
            px -= t * d[0]
            py -= t * d[1]
            pz -= t * d[2]
            here = np.sqrt(px * px + py * py + pz * pz) / (a[3] + t * d[3])
            nearer = here < rel[inner]
            np.copyto(rel[inner], here, where=nearer)
            np.copyto(segment[inner], number, where=nearer)
        if roughness:
            rel *= 1 + np.clip(roughness * self.rough[0][whole], -0.5, 0.5)
        return Tube(whole, rel, segment, len(knots) - 1)

    def fill(
        self,
        box: Box,
        inside: Mask,
        tissue: int,
        suv: float | Array | None = None,
        hu: float | Array | None = None,
    ) -> None:
        """Paint the voxels of `box` where `inside`; None leaves uptake or attenuation as it is."""
        self.tissue[box][inside] = tissue
        for target, value in ((self.suv, suv), (self.hu, hu)):
            if value is None:
                continue
            target[box][inside] = value[inside] if isinstance(value, np.ndarray) else value

    def blob(
        self,
        centre: ArrayLike,
        radii: ArrayLike,
        tissue: int,
        suv: float | None,
        hu: float | None,
        tilt_deg: ArrayLike = (0, 0, 0),
        roughness: float = 0.12,
        only: Sequence[int] = (),
    ) -> None:
        """Paint one roughened ellipsoid, over the tissues `only` where some are named."""
        box, level = self.ellipsoid(centre, radii, tilt_deg, roughness)
        inside = level < 1
        if only:
            inside &= np.isin(self.tissue[box], only)
        self.fill(box, inside, tissue, suv, hu)

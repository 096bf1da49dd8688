"""Shapes in the body, and organs of a wanted volume that take nothing from others.

A `Shape` is a box of the canvas and a level in it: below 1 inside, and growing outwards. `paint`
takes the voxels of lowest level among those that are free, as many as the wanted volume has: so an
organ's volume is the drawn one, whatever it has to make room for, and organs do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, VOXEL_ML, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, rotation_matrix
from PETAnomalyLib.engine.phantom.canvas.waves import Array

MOST_LEVEL = 4.0  # no organ reaches beyond this level for its volume: twice its radii


@dataclass
class Shape:
    """A level in a box.

    Attributes:
        box: of the canvas.
        level: < 1 inside; of ellipsoids the squared relative radius.
        nominal_ml: volume of what is inside, patient ml, were nothing in its way.
        power: `level` grows with the volume to this power.
        segment: of a tube, the number of the nearest segment of its line; else None.
        count: segments of the line; 0 of other shapes.
    """

    box: Box
    level: Array
    nominal_ml: float
    power: float
    segment: NDArray[np.int32] | None = None
    count: int = 0

    @property
    def empty(self) -> bool:
        """Whether it lies outside of what was scanned."""
        return self.level.size == 0


def ellipsoid(
    canvas: Canvas,
    centre: ArrayLike,
    radii: ArrayLike,
    tilt_deg: ArrayLike = (0, 0, 0),
    roughness: float = 0.08,
    square: float = 0.0,
    reach: float = 1.35,
) -> Shape:
    """A roughened superellipsoid; its level is the squared relative radius.

    `square` in 0..1 mixes fourth powers in: 0 an ellipsoid, 1 nearly a brick. `reach`: how many
    radii the box goes, which is how far the shape can give way.
    """
    c, r = np.asarray(centre, float), np.asarray(radii, float)
    turn = rotation_matrix(tilt_deg)
    box = canvas.box(c, _half_extents(turn, r, square) * (reach + roughness))
    axes = turn / r[:, None]
    dx, dy, dz = canvas.x[box] - c[0], canvas.y[box] - c[1], canvas.z[box] - c[2]
    total = np.zeros(dx.shape, np.float32)
    for row in axes.astype(np.float32):
        u2 = (row[0] * dx + row[1] * dy + row[2] * dz) ** 2
        total += u2 if square == 0 else (1 - square) * u2 + square * u2 * u2
    if roughness:
        total *= 1 + np.clip(2 * roughness * canvas.rough[0][box], -0.7, 0.7)
    # Between an ellipsoid (4/3 pi) and a superellipsoid of fourth powers (about 6.5).
    nominal = (4 / 3 * np.pi + 2.3 * square) * r.prod() * canvas.pose.scale.prod() / 1000
    return Shape(box, total, float(nominal), 2 / 3)


def _half_extents(turn: Vector, radii: Vector, square: float) -> Vector:
    """Of a tilted (super)ellipsoid along x, y and z: corners of a brick reach further."""
    along = np.abs(turn * radii[:, None])
    power = 4 / 3 if square else 2.0
    found: Vector = (along**power).sum(0) ** (1 / power)
    return found


def tube(canvas: Canvas, line: ArrayLike, roughness: float = 0.0, reach: float = 1.3) -> Shape:
    """A tube along a line of points (n x 4: x, y, z, radius; reference mm).

    Its level is the distance to the line over the radius, found up to `reach` radii; inf beyond.
    """
    knots = np.asarray(line, np.float32)
    position = canvas.position(knots)
    whole = canvas.around(position, float(knots[:, 3].max()) * reach)
    shape = tuple(s.stop - s.start for s in whole)
    level = np.full(shape, np.inf, np.float32)
    segment = np.zeros(shape, np.int32)
    lengths = np.linalg.norm(np.diff(knots[:, :3], axis=0), axis=1)
    squared = (knots[:-1, 3] ** 2 + knots[1:, 3] ** 2) / 2
    nominal = float(np.pi * (lengths * squared).sum() * canvas.pose.scale.prod() / 1000)
    if 0 in shape:
        return Shape(whole, level, nominal, 0.5, segment, len(knots) - 1)
    margins = np.maximum(knots[:-1, 3], knots[1:, 3]).astype(float) * reach
    for number, part in enumerate(canvas.along(position, margins)):
        a, b = knots[number], knots[number + 1]
        if part == EMPTY:
            continue
        inner = tuple(slice(p.start - w.start, p.stop - w.start) for p, w in zip(part, whole))
        d = b - a
        px, py, pz = canvas.x[part] - a[0], canvas.y[part] - a[1], canvas.z[part] - a[2]
        t = (px * d[0] + py * d[1] + pz * d[2]) / max(float(d[:3] @ d[:3]), 1e-6)
        np.clip(t, 0, 1, out=t)
        px -= t * d[0]
        py -= t * d[1]
        pz -= t * d[2]
        here = np.sqrt(px * px + py * py + pz * pz) / (a[3] + t * d[3])
        nearer = here < level[inner]
        np.copyto(level[inner], here, where=nearer)
        np.copyto(segment[inner], number, where=nearer)
    if roughness:
        level *= 1 + np.clip(roughness * canvas.rough[0][whole], -0.5, 0.5)
    return Shape(whole, level, nominal, 0.5, segment, len(knots) - 1)


def united(shapes: Sequence[Shape]) -> Shape:
    """Where any of the shapes is: the lowest level of each voxel. All of one power."""
    there = [one for one in shapes if not one.empty]
    nominal = sum(one.nominal_ml for one in shapes)
    if not there:
        return shapes[0]
    box = tuple(
        slice(min(one.box[n].start for one in there), max(one.box[n].stop for one in there))
        for n in range(3)
    )
    level = np.full([s.stop - s.start for s in box], np.inf, np.float32)
    for one in there:
        inner = tuple(slice(p.start - w.start, p.stop - w.start) for p, w in zip(one.box, box))
        np.minimum(level[inner], one.level, out=level[inner])
    return Shape((box[0], box[1], box[2]), level, nominal, shapes[0].power)


def paint(
    canvas: Canvas,
    shape: Shape,
    organ: int,
    suv: float | Array | None,
    hu: float | Array | None,
    into: Sequence[int],
    volume_ml: float | None = None,
    only: Mask | None = None,
) -> Mask:
    """Paint an organ into what is free.

    Args:
        canvas: painted on.
        shape: of the organ.
        organ: its code.
        suv, hu: uptake (g/ml) and attenuation, numbers or arrays over the box; None: as it is.
        into: organs that are painted over, no others.
        volume_ml: patient ml; None: what lies inside the shape. Where the scan ends within the
            box, the shape is scaled to that volume and the part that is seen is painted.
        only: voxels of the box that it keeps to.

    Returns:
        Which voxels of the box were painted.
    """
    if shape.empty:
        return np.zeros(shape.level.shape, bool)
    free = canvas.where(shape.box, into)
    if only is not None:
        free &= only
    inside = free & (shape.level < _threshold(canvas, shape, free, volume_ml))
    canvas.fill(shape.box, inside, organ, suv, hu)
    return inside


def _threshold(canvas: Canvas, shape: Shape, free: Mask, volume_ml: float | None) -> float:
    """The level up to which the free voxels have the wanted volume."""
    if volume_ml is None:
        return 1.0
    if shape.box[0].start == 0 or shape.box[0].stop == canvas.shape[0]:
        return float((volume_ml / shape.nominal_ml) ** shape.power)
    levels = shape.level[free & (shape.level < MOST_LEVEL)]
    count = round(volume_ml / VOXEL_ML)
    if count >= levels.size:
        return MOST_LEVEL
    return float(np.partition(levels, count)[count])

"""Smooth deformations without folds: stationary velocities and their exponential.

Scaling and squaring (Arsigny et al. 2006, MICCAI, doi:10.1007/11866565_113): a velocity is halved
until it moves less than a part of a voxel, and the small displacement is composed with itself as
often. A composition of maps that do not fold does not fold.

A displacement u on a grid maps the point p to p + u(p); a deformed head shows at p what the
template has at p + u(p).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from PETAnomalyLib.engine.phantom.brain.grid import DEFORMATION, Array, Grid, Point

SQUARINGS = 5


def smooth_noise(rng: Generator, grid: Grid, width_mm: float) -> Array:
    """Random field on a grid (k, j, i) of standard deviation 1, smooth over `width_mm`."""
    noise = rng.standard_normal(grid.shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, width_mm / grid.step_mm, mode="wrap", truncate=3.0)
    return noise / np.float32(noise.std())


def random_velocity(rng: Generator, width_mm: float, amplitude_mm: float) -> Array:
    """Random velocity x, y, z on the grid `DEFORMATION`, 3 x k x j x i, mm."""
    parts = [smooth_noise(rng, DEFORMATION, width_mm) for _ in range(3)]
    return np.float32(amplitude_mm) * np.stack(parts)


def push(centre: Point, radius_mm: float, amplitude_mm: float) -> Array:
    """Velocity of a mass that pushes outwards (of a loss that pulls inwards: below 0), mm.

    What lies at the mass's surface comes from `amplitude_mm` nearer to its centre; the push grows
    up to the surface and fades over a radius or two beyond it.
    """
    z, y, x = DEFORMATION.axes()
    away = [a - c for a, c in zip((x, y, z), centre)]
    distance = np.sqrt(sum(a**2 for a in away)) + np.float32(1e-3)
    part = distance / np.float32(radius_mm)
    # 1 at the surface, where it has its maximum; 0 in the middle, so that nothing tears there.
    speed = part * np.exp((1 - part**2) / 2) * 0.35 + 0.65 * part**2 / (0.5 + 0.5 * part**4)
    speed = speed * np.exp(-((np.maximum(part - 1, 0) / 2.0) ** 2))
    return np.stack([-amplitude_mm * speed * a / distance for a in away]).astype(np.float32)


def exponential(velocity: Array) -> Array:
    """The displacement of a velocity after unit time, both 3 x k x j x i on `DEFORMATION`, mm."""
    displacement = velocity / np.float32(2**SQUARINGS)
    for _ in range(SQUARINGS):
        displacement = displacement + warped(displacement, displacement)
    return displacement


def warped(field: Array, displacement: Array) -> Array:
    """A field (3 x k x j x i) at the displaced points, by linear interpolation."""
    places = np.indices(field.shape[1:], np.float32)
    places += displacement[::-1] / np.float32(DEFORMATION.step_mm)
    return np.stack([ndimage.map_coordinates(f, places, order=1, mode="nearest") for f in field])


def jacobian(displacement: Array) -> Array:
    """Determinant of the derivative of p + u(p), k x j x i; nowhere 0 or less: no folds."""
    rows = []
    for part in displacement:
        by_z, by_y, by_x = np.gradient(part, DEFORMATION.step_mm)
        rows.append((by_x, by_y, by_z))
    (a, b, c), (d, e, f), (g, h, i) = rows
    a, e, i = a + 1, e + 1, i + 1
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def moved(places: Array, displacement: Array) -> Array:
    """Points p (3 x ..., MNI mm) -> p + u(p)."""
    return places + np.stack([DEFORMATION.at(part, places, 0.0) for part in displacement])

"""What a kind of disease leaves in a head, before it is scanned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.brain.grid import TEMPLATE, Array, Box, Point
from PETAnomalyLib.engine.phantom.brain.tissue import Tissue

CORE, OEDEMA, ENHANCING, PLAQUE, HYPERINTENSITY, ACUTE, CHRONIC = range(1, 8)
LABELS = {
    CORE: "tumour core",
    OEDEMA: "oedema",
    ENHANCING: "enhancing tumour",
    PLAQUE: "plaque",
    HYPERINTENSITY: "white-matter hyperintensity",
    ACUTE: "acute infarct",
    CHRONIC: "chronic infarct",
}
"""Values of the lesion mask; the first three are those of BraTS 2023."""

OUTSIDE = np.float32(-20)
"""The level where there is none of a layer, mm."""


@dataclass(frozen=True)
class Layer:
    """One tissue of a lesion.

    Attributes:
        level: on the grid `TEMPLATE`, mm: above 0 inside, about the distance to the surface.
        tissue: what it consists of.
        label: its value in the lesion mask.
        in_white, in_grey, in_csf: how much of a voxel's white matter, grey matter and CSF becomes
            lesion.
        edge_mm: how wide its edge is.
    """

    level: Array
    tissue: Tissue
    label: int
    in_white: float = 1.0
    in_grey: float = 1.0
    in_csf: float = 0.0
    edge_mm: float = 1.2


@dataclass(frozen=True)
class Disease:
    """All that is wrong with a head.

    Attributes:
        layers: painted in this order, the later over the earlier.
        velocity: what moves the brain, 3 x k x j x i on `DEFORMATION`, mm; None where nothing does.
        one_sided: 1 or -1: stays on the right or left of the falx; 0: anywhere.
        facts: for the description.
    """

    layers: tuple[Layer, ...] = ()
    velocity: Array | None = None
    one_sided: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


def nothing() -> Array:
    """A level that is outside everywhere."""
    return np.full(TEMPLATE.shape, OUTSIDE, np.float32)


def blob(
    rng: Generator,
    centre: Point,
    radii: tuple[float, float, float],
    axes: Array,
    roughness: float,
    reach_mm: float = 0.0,
) -> tuple[Box, Array]:
    """The level of a roughened ellipsoid, mm, in its box of the grid `TEMPLATE`.

    Args:
        rng: draws the roughness.
        centre: x, y, z of MNI space.
        radii: mm along `axes`.
        axes: 3 x 3, its rows unit vectors x, y, z.
        roughness: standard deviation of the surface, of the mean radius.
        reach_mm: how far beyond the surface the level is wanted.
    """
    mean = float(np.prod(radii) ** (1 / 3))
    box = TEMPLATE.box(centre, max(radii) * (1 + 2.5 * roughness) + 2 + reach_mm)
    z, y, x = TEMPLATE.axes(box)
    away = [x - centre[0], y - centre[1], z - centre[2]]
    scaled = [sum(a * w for a, w in zip(away, row)) / r for row, r in zip(axes, radii)]
    level = (1 - np.sqrt(sum(s**2 for s in scaled))) * np.float32(mean)
    noise = _spline_noise(rng, level.shape, 0.5 * mean / TEMPLATE.step_mm)
    return box, (level + np.float32(roughness * mean) * noise).astype(np.float32)


def _spline_noise(rng: Generator, shape: tuple[int, ...], step: float) -> Array:
    """Cubic B-splines with random weights every `step` voxels; standard deviation 1."""
    counts = [int(np.ceil(n / step)) + 3 for n in shape]
    noise = rng.standard_normal(counts, dtype=np.float32)
    for axis, (extent, count) in enumerate(zip(shape, counts)):
        away = np.abs(np.arange(extent)[:, None] / step - np.arange(count) + 1)
        near = 2 / 3 - away**2 + away**3 / 2
        basis = np.where(away < 1, near, np.maximum(2 - away, 0) ** 3 / 6).astype(np.float32)
        noise = np.moveaxis(np.tensordot(basis, noise, (1, axis)), 0, axis)
    return noise / np.float32(max(float(noise.std()), 1e-6))


def add(level: Array, box: Box, part: Array) -> None:
    """The union of a level and a part of it."""
    np.maximum(level[box], part, out=level[box])


def random_axes(rng: Generator) -> Array:
    """Three orthogonal directions, evenly over all rotations."""
    axes, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return axes.T.astype(np.float32)


def index_of(point: Point) -> tuple[int, int, int]:
    """The voxel of the grid `TEMPLATE` nearest to a point."""
    i, j, k = (
        int(np.clip(round((p - first) / TEMPLATE.step_mm), 0, n - 1))
        for p, first, n in zip(point, TEMPLATE.first_mm, TEMPLATE.shape[::-1])
    )
    return k, j, i

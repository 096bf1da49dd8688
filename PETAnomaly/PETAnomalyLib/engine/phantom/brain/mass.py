"""Glioma-like masses: core, rim, oedema along the white matter, and the push on all around.

Of high grade, the more often the older: a necrotic core within an irregular enhancing rim and wide
oedema; of low grade: one tissue, little oedema. Diameters are 20 to 60 mm, as in BraTS (Bakas et
al. 2017, Sci Data 4:170117); the shift of the midline follows from the push.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.deformation import push
from PETAnomalyLib.engine.phantom.brain.grid import HALF, Array, Point
from PETAnomalyLib.engine.phantom.brain.lesion import (
    CORE,
    ENHANCING,
    OEDEMA,
    Disease,
    Layer,
    add,
    blob,
    nothing,
    random_axes,
)
from PETAnomalyLib.engine.phantom.brain.places import infratentorial
from PETAnomalyLib.engine.phantom.brain.template import template


def draw_mass(rng: Generator, age: int) -> Disease:
    """One mass in the white matter of a hemisphere."""
    high = rng.random() < np.interp(age, (20, 45, 60, 90), (0.35, 0.6, 0.9, 0.95))
    radius = float(rng.uniform(11, 27))
    side = 1 if rng.random() < 0.5 else -1
    centre = _centre(rng, radius, side)
    radii = tuple(float(r) for r in radius * np.exp(np.clip(rng.normal(0, 0.12, 3), -0.25, 0.25)))
    axes = random_axes(rng)
    push_mm = float(rng.uniform(0.25, 0.45) * radius) if high else float(0.2 * radius)
    oedema_mm = float(rng.uniform(8, 22) if high else rng.uniform(0, 5))
    box, level = blob(rng, centre, (radii[0], radii[1], radii[2]), axes, 0.13, oedema_mm + 8)
    layers = []
    if oedema_mm > 2:
        _, wide = blob(rng, centre, (radii[0], radii[1], radii[2]), axes, 0.2, oedema_mm + 8)
        wide = _fit(wide, level) + np.float32(oedema_mm)
        layers.append(_layer(box, wide, tissue.OEDEMA, OEDEMA, 0.25, in_csf=0.0, edge_mm=3.0))
    if high:
        layers.append(_layer(box, level, tissue.ENHANCING, ENHANCING))
        rim = float(rng.uniform(3.0, 6.5))
        _, inner = blob(rng, centre, (radii[0], radii[1], radii[2]), axes, 0.14, oedema_mm + 8)
        core = np.minimum(_fit(inner, level), level) - np.float32(rim)
        layers.append(_layer(box, core, tissue.NECROSIS, CORE, edge_mm=1.5))
    else:
        layers.append(_layer(box, level, tissue.GLIOMA, CORE, edge_mm=2.5))
    return Disease(
        layers=tuple(layers),
        velocity=push(centre, radius, push_mm),
        one_sided=side,
        facts={"grade": "high" if high else "low", "push_mm": round(push_mm, 1)},
    )


def _layer(
    box: tuple[slice, slice, slice],
    part: Array,
    of: tissue.Tissue,
    label: int,
    in_grey: float = 1.0,
    in_csf: float = 1.0,
    edge_mm: float = 1.2,
) -> Layer:
    level = nothing()
    add(level, box, part)
    return Layer(level, of, label, in_grey=in_grey, in_csf=in_csf, edge_mm=edge_mm)


def _fit(part: Array, to: Array) -> Array:
    """Boxes of differently rough blobs differ by a few voxels at their edges."""
    lost = [(a - b) // 2 for a, b in zip(part.shape, to.shape)]
    return part[tuple(slice(a, a + n) for a, n in zip(lost, to.shape))]


def _centre(rng: Generator, radius: float, side: int) -> Point:
    """In cerebral white matter, deep enough for most of the mass to lie in the brain."""
    maps = template()
    z, y, x = HALF.axes()
    depth = maps.depth_mm
    where = (maps.white[::2, ::2, ::2] > 0.7) & (depth > 0.55 * radius + 4)
    where &= (side * x > 14) & (side * x < 55) & (infratentorial(z, y, x) < -8) & (z > -25)
    where &= maps.ventricle_mm > 0.35 * radius
    k, j, i = np.argwhere(where)[rng.integers(int(where.sum()))]
    first, step = HALF.first_mm, HALF.step_mm
    return (first[0] + step * i, first[1] + step * j, first[2] + step * k)

"""White-matter hyperintensities of presumed vascular origin.

Caps on the horns and bands along the ventricles, and spots in deep white matter that grow and flow
together with age: the grades of Fazekas et al. 1987 (AJR 149:351); terms of Wardlaw et al. 2013.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.deformation import smooth_noise
from PETAnomalyLib.engine.phantom.brain.grid import DEFORMATION, HALF, TEMPLATE, Array, Mask
from PETAnomalyLib.engine.phantom.brain.lesion import (
    HYPERINTENSITY,
    Disease,
    Layer,
    add,
    blob,
    nothing,
    random_axes,
)
from PETAnomalyLib.engine.phantom.brain.template import template

HORNS = ((17.0, 32.0, 4.0), (28.0, -62.0, 10.0))
"""Tips of the right frontal and occipital horn."""


def draw_hyperintensities(rng: Generator, age: int) -> Disease:
    """Their load, 0 to 1, grows with age; it is confluent from about 0.6."""
    expected = np.interp(age, (20, 45, 60, 75, 90), (0.05, 0.12, 0.3, 0.6, 0.85))
    load = float(np.clip(expected + rng.normal(0, 0.12), 0.04, 1.0))
    level = nothing()
    np.maximum(level, HALF.sample(_periventricular(rng, load), TEMPLATE), out=level)
    where = np.argwhere(_deep())
    spots = int(rng.poisson(4 + 45 * load))
    for _ in range(spots):
        k, j, i = where[rng.integers(len(where))]
        first, step = HALF.first_mm, HALF.step_mm
        centre = (first[0] + step * i, first[1] + step * j, first[2] + step * k)
        mean = float(np.clip(np.exp(rng.normal(np.log(1.7 + 2.2 * load), 0.3)), 1.4, 7))
        a, b = rng.uniform(0.75, 1.35, 2)
        box, part = blob(rng, centre, (a * mean, b * mean, mean / (a * b)), random_axes(rng), 0.15)
        add(level, box, part)
    layer = Layer(level, tissue.HYPERINTENSITY, HYPERINTENSITY, in_grey=0.1, edge_mm=2.0)
    return Disease(layers=(layer,), facts={"load": round(load, 2), "spots": spots})


def _periventricular(rng: Generator, load: float) -> Array:
    """The level of caps and bands on the grid `HALF`."""
    z, y, x = HALF.axes()
    thick = np.float32(0.4 + 7.5 * load**1.3) * (1 + 0 * x)
    for a, b, c in HORNS:
        away = ((np.abs(x) - a) / 11) ** 2 + ((y - b) / 12) ** 2 + ((z - c) / 12) ** 2
        thick = thick + np.float32(5 + 7 * load) * np.exp(-away)
    uneven = DEFORMATION.sample(smooth_noise(rng, DEFORMATION, 6.0), HALF)
    thick = thick * np.clip(1 + 0.35 * uneven, 0.2, 2)
    lateral = (z > -2) | (np.abs(x) > 22)  # not about the third ventricle
    level = thick - template().ventricle_mm
    return np.where(lateral & (y > -85), level, -20).astype(np.float32)


def _deep() -> Mask:
    maps = template()
    z, _, x = HALF.axes()
    deep = (maps.white[::2, ::2, ::2] > 0.92) & (maps.depth_mm > 12) & (maps.ventricle_mm > 5)
    return deep & (z > 2) & (np.abs(x) > 12)

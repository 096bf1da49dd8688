"""Infarcts: of a vascular territory or part of it, and lacunes; acute, or old.

An acute infarct holds more water in grey and white matter and swells a little; an old one is a
cavity with a rim of gliosis that draws the ventricle towards it (Allen et al. 2012, RadioGraphics
32:1285; lacunes: Wardlaw et al. 2013). Shares of the territories as in large series, most in the
middle cerebral artery's (Bogousslavsky et al. 1988, Stroke 19:1083).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.deformation import push
from PETAnomalyLib.engine.phantom.brain.grid import TEMPLATE, Point
from PETAnomalyLib.engine.phantom.brain.lesion import (
    ACUTE,
    CHRONIC,
    Disease,
    Layer,
    add,
    blob,
    nothing,
    random_axes,
)
from PETAnomalyLib.engine.phantom.brain.places import TERRITORIES, territory_margin

SHARES = {
    "middle cerebral artery": 0.46,
    "anterior cerebral artery": 0.07,
    "posterior cerebral artery": 0.12,
    "lenticulostriate arteries": 0.13,
    "thalamic perforators": 0.06,
    "superior cerebellar artery": 0.04,
    "inferior cerebellar arteries": 0.07,
    "pontine perforators": 0.05,
}
RADIUS_MM = {
    "middle cerebral artery": (8.0, 42.0),
    "anterior cerebral artery": (7.0, 30.0),
    "posterior cerebral artery": (7.0, 32.0),
    "lenticulostriate arteries": (3.5, 13.0),
    "thalamic perforators": (3.0, 7.0),
    "superior cerebellar artery": (8.0, 18.0),
    "inferior cerebellar arteries": (8.0, 22.0),
    "pontine perforators": (3.0, 6.0),
}


def draw_stroke(rng: Generator) -> Disease:
    """One infarct of one territory on one side."""
    acute = bool(rng.random() < 0.5)
    territory = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    side = 1 if rng.random() < 0.5 else -1
    a, b, c = TERRITORIES[territory][rng.integers(len(TERRITORIES[territory]))]
    centre: Point = (float(side * a), float(b), float(c))
    smallest, largest = RADIUS_MM[territory]
    radius = float(smallest * (largest / smallest) ** rng.random())  # small ones are more frequent
    stretch = np.exp(np.clip(rng.normal(0, 0.15, 3), -0.3, 0.3))
    radii = (radius * stretch[0], radius * stretch[1], radius * stretch[2])
    box, level = blob(rng, centre, radii, random_axes(rng), 0.12)
    z, y, x = TEMPLATE.axes(box)
    level = np.minimum(level, territory_margin(territory, side, z, y, x))
    whole = nothing()
    add(whole, box, level)
    facts = {"phase": "acute" if acute else "chronic", "territory": territory}
    layers: tuple[Layer, ...]
    if acute:
        # Grey and white matter can still be told apart in it.
        layers = (Layer(whole, tissue.ACUTE_INFARCT, ACUTE, 0.8, 0.9, edge_mm=1.6),)
        move = 0.07 * radius
    else:
        cavity = np.maximum(whole - np.float32(rng.uniform(2.0, 4.5)), -20)
        layers = (
            Layer(whole, tissue.GLIOSIS, CHRONIC, edge_mm=1.6),
            Layer(cavity, tissue.CAVITY, CHRONIC, in_csf=1.0, edge_mm=1.6),
        )
        move = -0.12 * radius
    return Disease(
        layers=layers,
        velocity=push(centre, radius, float(move)) if radius > 10 else None,
        one_sided=side,
        facts=facts,
    )

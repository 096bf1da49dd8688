"""How the brain's uptake is spread: cortex and deep nuclei against white matter, region by region.

References:
    grey to white matter 3 to 4 : 1 before the scanner blurs it; posterior cingulate, precuneus and
    visual cortex highest, mesial temporal cortex lowest: Berti et al., Q J Nucl Med Mol Imaging
    2014; 58: 98-108.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.head.brain_coordinates import brain_coordinates

WHITE = 0.3  # of grey matter's uptake
RIBBON_MM = 13.0  # depth to which folded cortex reaches
DEEP = (  # nuclei of the left half: centre, radii, uptake of the cortex's
    ((12, -19, 776), (5, 12, 8), 1.05),  # caudate
    ((24, -5, 768), (5, 14, 9), 1.12),  # putamen
    ((9, 13, 767), (7, 11, 7), 0.95),  # thalamus
    ((37, -3, 766), (4, 16, 12), 0.9),  # insula
)
REGIONS = (  # centre of the left half, reach in mm, what it adds
    ((6, 49, 795), 20, 0.15),  # posterior cingulate and precuneus
    ((10, 81, 758), 20, 0.15),  # visual cortex
    ((35, -48, 790), 30, 0.06),  # frontal
    ((24, -1, 722), 18, -0.28),  # mesial temporal
    ((38, -35, 718), 18, -0.12),  # temporal pole
)


def grey_matter(canvas: Canvas, rng: Generator, cavity: Shape) -> Array:
    """Uptake over the box of the cranial cavity, the mean cortex being 1."""
    box = cavity.box
    x, y, z = brain_coordinates(canvas, box)
    aside = np.abs(x)
    depth = (1 - np.sqrt(cavity.level)) * np.float32(62)
    midline = aside + 2 + np.clip(60 * (1 - callosum(y, z)), 0, 99)
    np.minimum(depth, midline, out=depth)  # cortex down to the corpus callosum
    folds = np.float32(5.5) * canvas.rough[2][box]
    grey = np.clip((RIBBON_MM + rng.normal(0, 0.8) + folds - depth) / 6, 0, 1)
    value = WHITE + (1 - WHITE) * grey
    for centre, reach, more in REGIONS:
        value *= 1 + (more + rng.normal(0, 0.03)) * _near(aside, y, z, centre, (reach,) * 3)
    for centre, radii, level in DEEP:
        nucleus = level * (1 + rng.normal(0, 0.04) * np.sign(x))
        inside = _near(aside, y, z, centre, radii)
        value = value + np.clip(nucleus - value, 0, None) * np.clip(4 * inside - 1, 0, 1)
    left = rng.normal(0, 0.015)
    return (value * (1 + left * np.sign(x))).astype(np.float32)


def callosum(y: Array, z: Array) -> Array:
    """Squared relative radius of the corpus callosum and what lies beneath it, near the midline."""
    return np.asarray(((y - 8) / 46) ** 2 + ((z - 750) / 33) ** 2, np.float32)


def _near(
    x: Array, y: Array, z: Array, centre: tuple[float, ...], radii: tuple[float, ...]
) -> Array:
    """A soft ellipsoid: 1 in its middle, 0.5 at its surface."""
    level = ((x - centre[0]) / radii[0]) ** 2
    level += ((y - centre[1]) / radii[1]) ** 2
    level += ((z - centre[2]) / radii[2]) ** 2
    return np.exp(np.float32(-0.69) * np.minimum(level, 30))

"""Defects that any surface may have: a scratch, a stain, a rough patch. Each knows its pixels."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PETAnomalyLib.engine.phantom.texture.drawing import (
    EDGE,
    Array,
    Mask,
    blended,
    blob,
    distance_to_curve,
    noise,
    soft,
)

STAINS = ((0.85, 0.80, 0.25), (0.20, 0.25, 0.75), (0.10, 0.10, 0.10), (0.85, 0.20, 0.15))
"""Colours: glue, ink, oil, paint."""


def scratch(random: np.random.Generator, image: Array, where: Mask) -> tuple[Array, Mask]:
    """A thin curve, much darker or brighter; length 0.2 to 0.5 edges, width 2 to 5 pixels."""
    half = random.uniform(1.0, 2.5) / EDGE
    away = distance_to_curve(random, _place(random, where), random.uniform(0.2, 0.5), 0.25)
    shade = 0.05 if random.random() < 0.6 else 0.95
    share = 0.8 * soft(half - away, 0.5 / EDGE)
    return blended(image, (shade,) * 3, share), (away <= half) & where


def stain(random: np.random.Generator, image: Array, where: Mask) -> tuple[Array, Mask]:
    """A patch of another colour that lets the surface through; radius 0.05 to 0.12 edges."""
    inside = blob(random, _place(random, where), random.uniform(0.05, 0.12))
    colour = STAINS[random.integers(len(STAINS))]
    share = random.uniform(0.45, 0.75) * soft(inside, 0.05)
    return blended(image, colour, share * where), (inside > 0) & where


def rough(random: np.random.Generator, image: Array, where: Mask) -> tuple[Array, Mask]:
    """A patch whose grain is torn: pixels from up to 6 pixels away; radius 0.07 to 0.14 edges."""
    inside = blob(random, _place(random, where), random.uniform(0.07, 0.14))
    rows, columns = np.indices(inside.shape, float)
    places = np.stack([rows + 6 * noise(random, 1.5), columns + 6 * noise(random, 1.5)])
    torn = np.stack(
        [ndimage.map_coordinates(one, places, order=1, mode="nearest")
         for one in np.moveaxis(image, -1, 0)], -1,
    )  # fmt: skip
    torn = torn * (1 + 0.15 * noise(random, 2.0)[..., None])
    mask = (inside > 0) & where
    return np.where(mask[..., None], torn, image), mask


def _place(random: np.random.Generator, where: Mask) -> tuple[float, float]:
    """The middle of a defect: on the object, and not at the picture's border."""
    inner = where.copy()
    border = EDGE // 8
    inner[:border], inner[-border:], inner[:, :border], inner[:, -border:] = (False,) * 4
    places = np.argwhere(inner)
    row, column = places[random.integers(len(places))]
    return (row + 0.5) / EDGE, (column + 0.5) / EDGE

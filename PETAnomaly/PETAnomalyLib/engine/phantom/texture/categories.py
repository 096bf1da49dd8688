"""The five categories: how each looks where nothing is wrong, and what can be wrong with it.

A painter draws the surface from one stream of random numbers and its flaw from another: the same
seed gives the same surface with the flaw and without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.texture.defects import rough, scratch, stain
from PETAnomalyLib.engine.phantom.texture.drawing import (
    EDGE,
    Array,
    Mask,
    blended,
    blob,
    coloured,
    distance_to_curve,
    noise,
    rows_and_columns,
    soft,
    turned,
)

PIXEL = 1 / EDGE


@dataclass(frozen=True)
class Painted:
    """A picture that is not yet one of bytes.

    Attributes:
        image: H x W x 3, 0 to 1.
        where: H x W, the surface or object, on which a defect may lie.
        flaw: H x W, the pixels of a flaw that the painter drew; None where it drew none.
    """

    image: Array
    where: Mask
    flaw: Mask | None = None


Random = np.random.Generator
Paint = Callable[[Random, Random, str], Painted]
Defect = Callable[[Random, Array, Mask], tuple[Array, Mask]]


@dataclass(frozen=True)
class Texture:
    """A category.

    Attributes:
        paint: draws it from the surface's numbers, those of the flaw, and the flaw's name or ``.
        own: flaws that the painter draws.
        laid_on: name of a defect -> what lays it on the finished surface.
    """

    paint: Paint
    own: tuple[str, ...]
    laid_on: dict[str, Defect]

    @property
    def flaws(self) -> tuple[str, ...]:
        """All that can be wrong with it."""
        return (*self.own, *self.laid_on)


def leather(random: Random, flaw_random: Random, flaw: str) -> Painted:
    """Brown, with a fine grain of folds and uneven light."""
    folds = np.abs(noise(random, 3.0))
    grey = 0.85 + 0.14 * np.tanh(2.0 * folds - 1.0) + 0.03 * noise(random, 0.8)
    grey *= 1 + 0.05 * noise(random, 40.0)
    image = coloured(grey, (0.55, 0.36, 0.22))
    where = np.ones((EDGE, EDGE), bool)
    if flaw != "fold":
        return Painted(image, where)
    middle = (flaw_random.uniform(0.3, 0.7), flaw_random.uniform(0.3, 0.7))
    half = flaw_random.uniform(4, 7) * PIXEL
    away = distance_to_curve(flaw_random, middle, flaw_random.uniform(0.35, 0.6), 0.12)
    ridge = np.where(away < half, np.cos(np.pi * away / half), 0.0)
    return Painted(image * (1 + 0.45 * ridge[..., None]), where, away <= half)


def grid(random: Random, flaw_random: Random, flaw: str) -> Painted:
    """A wire mesh, grey on dark: two directions of bars 1/8 of an edge apart, turned a little."""
    rows, columns = turned(45 + random.uniform(-2, 2))
    period, half = 1 / 8, random.uniform(0.017, 0.021)
    phase = random.uniform(0, period, 2)
    missing = np.zeros((EDGE, EDGE), bool)
    if flaw in ("broken", "bent"):
        middle = (flaw_random.uniform(0.3, 0.7), flaw_random.uniform(0.3, 0.7))
        missing = blob(flaw_random, middle, flaw_random.uniform(0.07, 0.1)) > 0
    moved = np.zeros_like(rows)
    if flaw == "bent":
        moved = 0.35 * period * missing
    bars = []
    for along, first in ((rows, phase[0]), (columns + moved, phase[1])):
        away = np.abs((along + first) % period - period / 2)
        bars.append(soft(half - away, 0.75 * PIXEL) * (0.75 + 0.25 * np.cos(1.4 * away / half)))
    if flaw == "broken":
        bars[1] = bars[1] * ~missing
    grey = 0.12 + 0.02 * noise(random, 1.0) + 0.62 * np.maximum(bars[0], bars[1])
    grey *= 1 + 0.03 * noise(random, 60.0)
    return Painted(
        coloured(grey, (1.0, 1.0, 1.0)), np.ones((EDGE, EDGE), bool), missing if flaw else None
    )


def tile(random: Random, flaw_random: Random, flaw: str) -> Painted:
    """Stone: light ground with grey and black grains."""
    ground = 0.78 + 0.03 * noise(random, 1.0)
    image = coloured(ground, (1.0, 0.98, 0.94))
    for level, sigma, colour in ((1.0, 3.0, (0.52, 0.50, 0.48)), (1.7, 2.0, (0.16, 0.16, 0.18))):
        image = blended(image, colour, soft(noise(random, sigma) - level, 0.15))
    where = np.ones((EDGE, EDGE), bool)
    if flaw != "crack":
        return Painted(image, where)
    middle = (flaw_random.uniform(0.35, 0.65), flaw_random.uniform(0.35, 0.65))
    half = flaw_random.uniform(1.0, 2.0) * PIXEL
    away = np.minimum(
        distance_to_curve(flaw_random, middle, flaw_random.uniform(0.5, 0.9), 0.45),
        distance_to_curve(flaw_random, middle, flaw_random.uniform(0.2, 0.4), 0.45),
    )
    image = blended(image, (0.2, 0.17, 0.15), 0.85 * soft(half - away, 0.5 * PIXEL))
    return Painted(image, where, away <= half)


def cable(random: Random, flaw_random: Random, flaw: str) -> Painted:
    """Three insulated wires of copper strands in a sheath, cut across."""
    colours = [(0.20, 0.35, 0.70), (0.45, 0.28, 0.15), (0.25, 0.55, 0.25)]
    wrong = int(flaw_random.integers(3))
    if flaw == "swapped":
        colours[wrong] = colours[(wrong + 1) % 3]
    rows, columns = rows_and_columns()
    image = coloured(0.82 + 0.02 * noise(random, 1.5), (1.0, 1.0, 0.98))
    middle = 0.5 + random.uniform(-0.01, 0.01, 2)
    whole = 0.44 - np.hypot(rows - middle[0], columns - middle[1])
    image = blended(image, (0.35, 0.35, 0.37), soft(whole, 1.5 * PIXEL))
    flawed = np.zeros((EDGE, EDGE), bool)
    turn = random.uniform(-8, 8)
    for number, colour in enumerate(colours):
        angle = np.deg2rad(turn + 120 * number)
        at = middle + 0.225 * np.array([-np.cos(angle), np.sin(angle)])
        away = np.hypot(rows - at[0], columns - at[1])
        strands = random.uniform(-0.004, 0.004, (7, 2))
        if number == wrong and flaw:
            flawed = away < 0.175
        if number == wrong and flaw == "missing_wire":
            continue
        image = blended(image, colour, soft(0.175 - away, 1.5 * PIXEL))
        image = blended(image, (0.22, 0.15, 0.10), soft(0.125 - away, 1.5 * PIXEL))
        for strand, (dr, dc) in enumerate(strands):
            ring = np.deg2rad(60 * strand)
            out = 0.0 if strand == 6 else 0.08
            r, c = at[0] + out * np.sin(ring) + dr, at[1] + out * np.cos(ring) + dc
            distance = np.hypot(rows - r, columns - c)
            bright = 1.0 - 0.35 * (distance / 0.037).clip(0, 1)[..., None]
            copper = soft(0.037 - distance, PIXEL)[..., None]
            image = image + copper * (bright * np.array([0.80, 0.50, 0.30]) - image)
    image = image * (1 + 0.03 * noise(random, 0.8)[..., None])
    return Painted(image, whole > 0, flawed if flaw else None)


def nut(random: Random, flaw_random: Random, flaw: str) -> Painted:
    """A hexagonal nut of brushed metal on a dark belt, turned by up to 10 degrees."""
    rows, columns = turned(random.uniform(-10, 10))
    angles = np.deg2rad(60 * np.arange(6))
    across = np.max([rows * np.sin(a) + columns * np.cos(a) for a in angles], 0)
    away = np.hypot(rows, columns)
    inside = np.minimum(0.38 - across, away - 0.17)
    flawed = np.zeros((EDGE, EDGE), bool)
    if flaw == "bent":
        corner = np.deg2rad(60 * flaw_random.integers(6) + 30)
        cut = rows * np.sin(corner) + columns * np.cos(corner) - flaw_random.uniform(0.34, 0.38)
        flawed = (cut > 0) & (inside > 0)
        inside = np.minimum(inside, -cut)
    image = coloured(0.10 + 0.02 * noise(random, 2.0), (1.0, 1.0, 1.05))
    brushed = 0.62 + 0.06 * np.cos(140 * away) + 0.03 * noise(random, 1.0)
    brushed = brushed + 0.12 * columns - 0.08 * rows
    thread = soft(0.20 - away, 2 * PIXEL) * (0.5 + 0.5 * np.cos(400 * away))
    metal = coloured(brushed * (1 - 0.45 * thread), (0.95, 0.97, 1.0))
    share = soft(inside, PIXEL)[..., None]
    image = image + share * (metal - image)
    return Painted(image, inside > 0, flawed if flaw else None)


TEXTURES: dict[str, Texture] = {
    "leather": Texture(leather, ("fold",), {"cut": scratch, "glue": stain}),
    "grid": Texture(grid, ("broken", "bent"), {"glue": stain}),
    "tile": Texture(tile, ("crack",), {"stain": stain, "rough": rough}),
    "cable": Texture(cable, ("missing_wire", "swapped"), {"cut_insulation": scratch}),
    "nut": Texture(nut, ("bent",), {"scratch": scratch, "color": stain}),
}
"""Category -> how it looks; the names are those of MVTec AD where it has such a one."""

"""Masses: what a lesion and a benign finding of one site share: place, shape, look on CT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.body import spine_y
from PETAnomalyLib.engine.phantom.canvas import (
    EMPTY,
    Array,
    Box,
    Canvas,
    Mask,
    Vector,
    rotation_matrix,
)
from PETAnomalyLib.engine.phantom.tissue import Tissue


@dataclass(frozen=True)
class Site:
    """Where masses of one kind sit: how often, how large, within which tissues."""

    name: str
    weight: float
    diameter_mm: tuple[float, float, float]  # smallest, median, largest
    tissues: tuple[int, ...]
    share: float  # of the shape that must lie within `tissues`


# Node stations: name, body coordinates on the left and their spread, mm.
STATIONS = (
    ("neck", (42, 2, 622), (8, 8, 16)),
    ("lower neck", (44, 0, 585), (8, 8, 10)),
    ("supraclavicular", (50, -8, 560), (10, 8, 6)),
    ("axilla", (126, 2, 490), (8, 12, 18)),
    ("upper mediastinum", (14, -18, 508), (10, 12, 10)),
    ("lower mediastinum", (12, 14, 462), (12, 8, 16)),
    ("hilum", (38, 14, 455), (6, 8, 10)),
    ("internal mammary", (22, -76, 450), (4, 4, 25)),
    ("liver hilum", (-18, -26, 282), (10, 8, 10)),
    ("retroperitoneum", (24, 0, 215), (8, 8, 40)),
    ("mesentery", (22, -40, 180), (25, 14, 35)),
    ("common iliac", (40, 14, 110), (6, 6, 14)),
    ("external iliac", (68, -24, 55), (6, 8, 14)),
    ("internal iliac", (52, 22, 55), (5, 10, 14)),
    ("inguinal", (74, -72, 4), (8, 6, 16)),
)
NOT_REPLACED = (
    Tissue.AIR,
    Tissue.AIRWAY,
    Tissue.URINE,
    Tissue.KIDNEY,
    Tissue.MYOCARDIUM,
    Tissue.BRAIN,
)


@dataclass(frozen=True)
class Shape:
    """A mass in a box: which voxels, its surroundings, relative squared depth."""

    box: Box
    inside: Mask
    near: Mask
    level: Array


def _place(canvas: Canvas, rng: Generator, site: Site) -> tuple[str, Vector | None]:
    """A name and the body coordinates of a voxel to put a mass at."""
    if site.name == "node":
        name, centre, spread = STATIONS[int(rng.integers(len(STATIONS)))]
        place = np.array(centre) + rng.normal(0, 0.6, 3) * spread
        place[0] *= rng.choice([-1, 1])
        if name == "retroperitoneum":
            place[1] = spine_y(place[2]) - 30 + rng.normal(0, 6)
        return name, place
    wanted = site.tissues[:1] if site.name != "soft tissue" else site.tissues
    if site.name == "bone":
        wanted = (Tissue.MARROW,)
    inside = np.isin(canvas.tissue[::2, ::2, ::2], wanted)
    places = np.flatnonzero(inside)
    if not len(places):
        return "", None
    k, j, i = np.unravel_index(int(places[rng.integers(len(places))]), inside.shape)
    at = (2 * k, 2 * j, 2 * i)
    return "", np.array([canvas.x[at], canvas.y[at], canvas.z[at]], float)


def _diameter(rng: Generator, site: Site) -> float:
    """Diameter of a mass of this kind, mm."""
    low, median, high = site.diameter_mm
    return float(np.clip(np.exp(rng.normal(np.log(median), 0.42)), low, high))


def _shape(
    canvas: Canvas, rng: Generator, site: Site, centre: Vector, diameter: float
) -> Shape | None:
    """One to three overlapping ellipsoids, roughened: irregular and lobulated.

    It spares what masses do not grow into, unless that is where its kind sits.
    """
    scale = canvas.pose.scale
    stretch = np.exp(rng.normal(0, 0.16, 3))
    stretch /= stretch.prod() ** (1 / 3)
    box = canvas.box(centre, diameter * 1.2 + 14)
    if box == EMPTY:
        return None
    offset = np.stack([canvas.x[box], canvas.y[box], canvas.z[box]]) - centre[:, None, None, None]
    offset *= scale[:, None, None, None]
    level = np.full(offset.shape[1:], np.inf, np.float32)
    radius = diameter / 2
    lobes = 1 if diameter < 14 else int(rng.integers(1, 4))
    for lobe in range(lobes):
        shift = np.zeros(3) if lobe == 0 else rng.normal(0, 0.36 * radius, 3)
        size = radius * (
            0.92 if lobe == 0 and lobes > 1 else 1.0 if lobe == 0 else rng.uniform(0.5, 0.75)
        )
        axes = rotation_matrix(rng.uniform(0, 180, 3)) / (size * stretch)[:, None]
        dx, dy, dz = (offset[axis] - shift[axis] for axis in range(3))
        lobe_level = sum((row[0] * dx + row[1] * dy + row[2] * dz) ** 2 for row in axes)
        level = np.minimum(level, lobe_level)
    level = (level * (1 + np.clip(0.22 * canvas.rough[2][box], -0.45, 0.45))).astype(np.float32)
    spared = [tissue for tissue in NOT_REPLACED if tissue not in site.tissues]
    inside = (level < 1) & ~np.isin(canvas.tissue[box], spared)
    if inside.sum() < 3:
        return None
    near = (level < (1 + 9 / radius) ** 2) & (level > (1 + 2 / radius) ** 2)
    return Shape(box, inside, near, level) if near.any() else None


def _fits(canvas: Canvas, site: Site, shape: Shape) -> bool:
    """Whether the shape lies in the right tissue, in the field of view, clear of other masses."""
    edges = [s.start == 0 or s.stop == n for s, n in zip(shape.box, canvas.shape)]
    if edges[0]:
        return False
    tissue = canvas.tissue[shape.box]
    if np.isin(tissue[shape.level < 1], site.tissues).mean() < site.share:
        return False
    around = shape.inside | shape.near
    return not np.isin(tissue[around], (Tissue.LESION, Tissue.BENIGN)).any()


@dataclass(frozen=True)
class Mass:
    """A mass that has found its place; `name` says the site and, of a node, the station."""

    name: str
    diameter_mm: float
    shape: Shape


def draw_mass(canvas: Canvas, rng: Generator, site: Site) -> Mass | None:
    """A mass of this kind where there is room for it; None where this try found none."""
    diameter = _diameter(rng, site)
    place, centre = _place(canvas, rng, site)
    shape = None if centre is None else _shape(canvas, rng, site, centre, diameter)
    if shape is None or not _fits(canvas, site, shape):
        return None
    return Mass(f"{site.name}: {place}" if place else site.name, diameter, shape)


def draw_attenuation(canvas: Canvas, rng: Generator, site: Site, shape: Shape) -> Array:
    """HU of a solid mass of this kind, malignant or not, on the voxels of its box."""
    box = shape.box
    contrast = rng.uniform(0, 25)
    hu: Array = np.full(shape.inside.shape, 42.0 + contrast, np.float32)
    if site.name == "liver":
        hu = canvas.hu[box] - np.float32(rng.uniform(18, 40))
    elif site.name == "bone":
        drawn = rng.random()
        if drawn < 0.45:
            hu[:] = rng.uniform(40, 110)  # lytic
        elif drawn < 0.85:
            hu[:] = rng.uniform(550, 950)  # sclerotic
        else:
            hu = canvas.hu[box].copy()  # marrow infiltration, nothing on CT
    elif site.name == "lung":
        hu[:] = rng.uniform(15, 45)
    return hu

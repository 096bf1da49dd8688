"""Masses: what a lesion and a benign finding of one site share: place, shape, look on CT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, STEP_MM, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, rotation_matrix
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.nodes import Reached, any_station
from PETAnomalyLib.engine.phantom.organs import Organ


@dataclass(frozen=True)
class Site:
    """Where masses of one kind sit: how large, begun in which organ, within which.

    Attributes:
        name: "liver", "primary: colon".
        diameter_mm: smallest, median, largest.
        begins: organs in whose voxels its middle lies; none: at a station of nodes.
        within: organs that it may take the place of.
        share: of the shape that must lie within them.
        flat: spread along the wall of the body cavity.
    """

    name: str
    diameter_mm: tuple[float, float, float]
    begins: tuple[int, ...]
    within: tuple[int, ...]
    share: float
    flat: bool = False


SOFT_TISSUES = (Organ.FAT, Organ.VISCERAL_FAT, Organ.SOFT, Organ.MUSCLE, Organ.BLOOD)
NODE = Site("node", (8, 15, 45), (), (*SOFT_TISSUES, Organ.VESSEL_WALL, Organ.BROWN_FAT), 0.8)
LUNG = Site("lung", (8, 18, 60), (Organ.LUNG,), (Organ.LUNG, Organ.BLOOD, Organ.ATELECTASIS), 0.75)
LIVER = Site("liver", (10, 20, 60), (Organ.LIVER,), (Organ.LIVER, Organ.BLOOD), 0.85)
BONE = Site("bone", (8, 18, 45), (Organ.MARROW,),
            (Organ.MARROW, Organ.CORTEX, Organ.DISC, Organ.SOFT), 0.55)  # fmt: skip
SOFT_TISSUE = Site("soft tissue", (9, 22, 60), (Organ.MUSCLE, Organ.FAT),
                   (Organ.MUSCLE, Organ.FAT, Organ.BREAST), 0.85)  # fmt: skip

NOT_REPLACED = (Organ.AIR, Organ.AIRWAY, Organ.URINE, Organ.KIDNEY, Organ.MYOCARDIUM, Organ.BRAIN,
                Organ.CEREBELLUM, Organ.EYE, Organ.SPINAL_CORD, Organ.METAL, Organ.CATHETER,
                Organ.TRACER)  # fmt: skip
WALL, WALL_HALF = 0.95, 0.07  # squared relative radius of the cavity where flat masses lie


@dataclass(frozen=True)
class Shape:
    """A mass in a box: share of each voxel, its core, its surroundings, relative squared depth."""

    box: Box
    share: Array
    near: Mask
    level: Array

    @property
    def inside(self) -> Mask:
        """The voxels that are mostly the mass's."""
        inside: Mask = self.share >= 0.5
        return inside


def _place(
    canvas: Canvas, envelope: Envelope, rng: Generator, site: Site, reached: tuple[Reached, ...]
) -> tuple[str, Vector | None]:
    """A name and the body coordinates of a voxel to put a mass at."""
    if not site.begins:
        one = reached[int(rng.integers(len(reached)))] if reached else any_station(rng)
        return one.station.name, one.place(rng)
    every = (slice(None, None, 2),) * 3
    inside = canvas.where(every, site.begins)
    if site.flat:
        inside &= np.abs(envelope.cavity[every] - (WALL - 0.04)) < 0.06
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
    canvas: Canvas,
    envelope: Envelope,
    rng: Generator,
    site: Site,
    centre: Vector,
    diameter: float,
) -> Shape | None:
    """One to four overlapping ellipsoids, roughened: irregular and lobulated.

    It spares what masses do not grow into, unless that is where its kind sits.
    """
    stretch = np.exp(rng.normal(0, 0.16, 3))
    stretch /= stretch.prod() ** (1 / 3)
    box = canvas.box(centre, diameter * 0.8 + 16)
    if box == EMPTY:
        return None
    scale = canvas.pose.scale.astype(np.float32)
    offset = [
        (axis[box] - np.float32(middle)) * size
        for axis, middle, size in zip((canvas.x, canvas.y, canvas.z), centre, scale)
    ]
    level = np.full(offset[0].shape, np.inf, np.float32)
    radius = diameter / 2
    lobes = 1 if diameter < 14 else int(rng.integers(1, 4 if diameter < 40 else 5))
    for lobe in range(lobes):
        shift = np.zeros(3) if lobe == 0 else rng.normal(0, 0.36 * radius, 3)
        size = radius * (
            0.92 if lobe == 0 and lobes > 1 else 1.0 if lobe == 0 else rng.uniform(0.5, 0.75)
        )
        axes = rotation_matrix(rng.uniform(0, 180, 3)) / (size * stretch)[:, None]
        here = np.zeros_like(level)
        for row in axes.astype(np.float32):
            along = sum(n * (d - np.float32(s)) for n, d, s in zip(row, offset, shift))
            here += np.square(along)
        np.minimum(level, here, out=level)
    level *= 1 + np.clip(0.22 * canvas.rough[2][box], -0.45, 0.45)
    if site.flat:
        np.maximum(level, ((envelope.cavity[box] - WALL) / WALL_HALF) ** 2, out=level)
    spared = canvas.where(box, [organ for organ in NOT_REPLACED if organ not in site.within])
    share = np.clip((1 - np.sqrt(level)) * np.float32(radius / STEP_MM) + np.float32(0.5), 0, 1)
    share[spared] = 0
    if (share >= 0.5).sum() < 3:
        return None
    near = (level < (1 + 9 / radius) ** 2) & (level > (1 + 2 / radius) ** 2)
    return Shape(box, share, near, level) if near.any() else None


def _fits(canvas: Canvas, site: Site, shape: Shape) -> bool:
    """Whether the shape lies in the right organs, in the field of view, clear of other masses."""
    if shape.box[0].start == 0 or shape.box[0].stop == canvas.shape[0]:
        return False
    wanted = canvas.where(shape.box, site.within)
    if wanted[shape.level < 1].mean() < site.share:
        return False
    around = (shape.share > 0) | shape.near
    return not canvas.where(shape.box, (Organ.LESION, Organ.BENIGN))[around].any()


@dataclass(frozen=True)
class Mass:
    """A mass that has found its place; `name` says the site and, of a node, the station."""

    name: str
    diameter_mm: float
    shape: Shape


def draw_mass(
    canvas: Canvas,
    envelope: Envelope,
    rng: Generator,
    site: Site,
    reached: tuple[Reached, ...] = (),
) -> Mass | None:
    """A mass of this kind where there is room for it; None where this try found none.

    Args:
        canvas: painted.
        envelope: the body's layers on it.
        rng: decides.
        site: of the mass.
        reached: stations of nodes that it may lie at; none: all.
    """
    diameter = _diameter(rng, site)
    place, centre = _place(canvas, envelope, rng, site, reached)
    shape = None if centre is None else _shape(canvas, envelope, rng, site, centre, diameter)
    if shape is None or not _fits(canvas, site, shape):
        return None
    return Mass(f"{site.name}: {place}" if place else site.name, diameter, shape)


def draw_attenuation(
    canvas: Canvas, rng: Generator, site: Site, shape: Shape, contrast: bool
) -> Array:
    """HU of a solid mass of this kind, malignant or not, on the voxels of its box."""
    box = shape.box
    enhanced = rng.uniform(10, 45) if contrast else rng.uniform(-6, 6)
    hu: Array = np.full(shape.share.shape, 40.0 + enhanced, np.float32)
    if site.name in ("liver", "spleen"):
        hu = canvas.hu[box] - np.float32(rng.uniform(12, 45))
    elif site.name == "bone":
        drawn = rng.random()
        if drawn < 0.45:
            hu[:] = rng.uniform(40, 110)  # lytic
        elif drawn < 0.85:
            hu[:] = rng.uniform(550, 950)  # sclerotic
        else:
            hu = canvas.hu[box].copy()  # marrow infiltration, nothing on CT
    elif site.name == "lung":
        # Solid, or ground glass round a solid middle.
        hu[:] = rng.uniform(15, 45) + 0.5 * max(enhanced, 0)
        if rng.random() < 0.15:
            hu = np.where(shape.level < rng.uniform(0.1, 0.5), hu, np.float32(-450))
    return hu


def blended(below: Array, above: Array | float, share: Array) -> Array:
    """What a voxel shows of which `share` is `above` and the rest `below`."""
    mixed: Array = below + share * (np.asarray(above, np.float32) - below)
    return mixed

"""Skull, scalp and the upper face in MNI space: what stripping takes away.

The template stops at the brain. The inner table of the skull is the brain's outline with its
furrows closed; skull and scalp are shells around it, the face and the neck a few ellipsoids. It is
there to be stripped, not to be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from PETAnomalyLib.engine.phantom.brain.grid import HEAD, TEMPLATE, Array, Point
from PETAnomalyLib.engine.phantom.brain.template import template

EYES = ((33.0, 52.0, -38.0), 12.0)
"""Centre of the right eye and its radius, mm."""


@dataclass(frozen=True)
class Surroundings:
    """Signed distances in mm on the grid `HEAD`, below 0 inside.

    Attributes:
        cranium: the inside of the skull.
        face: face and neck, outer surface.
        eyes: the eyeballs.
        orbits: the fat about them.
        air: nose, sinuses, throat and mastoid cells.
        cord: the spinal canal below the brain.
        sinus: the superior sagittal and transverse sinuses, veins at the skull.
    """

    cranium: Array
    face: Array
    eyes: Array
    orbits: Array
    air: Array
    cord: Array
    sinus: Array


@lru_cache(maxsize=1)
def surroundings() -> Surroundings:
    """Of the undeformed template; made once a process."""
    cranium = _cranium()
    return Surroundings(
        cranium=cranium,
        face=_union(
            _ellipsoid((0, 25, -78), (66, 72, 78)),
            _ellipsoid((0, -28, -110), (58, 60, 130)),
            _ellipsoid((0, 92, -62), (15, 16, 26)),
        ),
        eyes=_both(*EYES[0], (EYES[1],) * 3),
        orbits=_union(_both(30, 45, -38, (18, 20, 16)), _both(22, 34, -38, (11, 22, 10))),
        air=_union(
            _ellipsoid((0, 58, -48), (9, 26, 14)),  # ethmoid cells and nose
            _ellipsoid((0, 45, -75), (14, 36, 22)),
            _both(28, 48, -70, (15, 16, 17)),  # maxillary sinuses
            _ellipsoid((0, 14, -40), (13, 12, 9)),  # sphenoid sinus
            _both(12, 82, -22, (10, 5, 9)),  # frontal sinuses
            _ellipsoid((0, 2, -95), (11, 9, 40)),  # throat
            _both(57, -32, -48, (8, 11, 12)),  # mastoid cells
        ),
        cord=_ellipsoid((0, -46, -120), (9, 8, 62)),
        sinus=_sinuses(cranium),
    )


def _cranium() -> Array:
    every = template().brain[::2, ::2, ::2]
    whole = np.zeros(HEAD.shape, bool)
    low = [round((t - h) / 2) for t, h in zip(TEMPLATE.first_mm, HEAD.first_mm)][::-1]
    whole[tuple(slice(a, a + n) for a, n in zip(low, every.shape))] = every
    # Closed by 14 mm, then smooth: the skull does not follow the brain's furrows.
    outside = ndimage.distance_transform_edt(~whole, sampling=HEAD.step_mm)
    closed = ndimage.distance_transform_edt(outside < 14, sampling=HEAD.step_mm) > 13
    closed |= whole
    signed = ndimage.distance_transform_edt(~closed, sampling=HEAD.step_mm)
    signed -= ndimage.distance_transform_edt(closed, sampling=HEAD.step_mm)
    return ndimage.gaussian_filter(signed, 1.5, truncate=2.5).astype(np.float32)


def _sinuses(cranium: Array) -> Array:
    z, y, x = HEAD.axes()
    at_skull = np.abs(cranium + 2.5) - 3.0
    sagittal = np.maximum(np.abs(x) - 3.5, -5 - z)
    transverse = np.maximum(np.abs(z + 20) - 3.5, y + 62)
    return np.maximum(at_skull, np.minimum(sagittal, transverse)).astype(np.float32)


def _ellipsoid(centre: Point, radii: Point) -> Array:
    z, y, x = HEAD.axes()
    scaled = [(a - c) / r for a, c, r in zip((x, y, z), centre, radii)]
    level = np.sqrt(sum(s**2 for s in scaled))
    return ((level - 1) * min(radii)).astype(np.float32)


def _both(x: float, y: float, z: float, radii: Point) -> Array:
    return np.minimum(_ellipsoid((x, y, z), radii), _ellipsoid((-x, y, z), radii))


def _union(*parts: Array) -> Array:
    """Smooth over a few mm, where the parts meet."""
    soft = np.float32(4)
    least = np.minimum.reduce(parts)
    return least - soft * np.log(sum(np.exp(-(part - least) / soft) for part in parts))

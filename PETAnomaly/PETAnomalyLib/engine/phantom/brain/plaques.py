"""Plaques of multiple sclerosis, by the places that the diagnosis asks for.

Periventricular, juxtacortical and infratentorial (McDonald criteria: Thompson et al. 2018, Lancet
Neurol 17:162; Filippi et al. 2016, Lancet Neurol 15:292), the others in deep white matter; at least
3 mm. Those at the ventricles lie across them, as Dawson's fingers.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.grid import HALF, Array, Mask, Point
from PETAnomalyLib.engine.phantom.brain.lesion import (
    PLAQUE,
    Disease,
    Layer,
    add,
    blob,
    nothing,
    random_axes,
)
from PETAnomalyLib.engine.phantom.brain.places import infratentorial
from PETAnomalyLib.engine.phantom.brain.template import template

SHARE = {"periventricular": 0.45, "juxtacortical": 0.2, "infratentorial": 0.1, "deep": 0.25}


def draw_plaques(rng: Generator) -> Disease:
    """6 to 60 plaques; one of each place that counts at least."""
    number = int(np.clip(np.exp(rng.normal(np.log(20), 0.5)), 6, 60))
    places = ["periventricular", "juxtacortical", "infratentorial"]
    places += list(rng.choice(list(SHARE), number - len(places), p=list(SHARE.values())))
    where = {place: np.argwhere(mask) for place, mask in _where().items()}
    mild, severe = nothing(), nothing()
    for place in places:
        voxel = where[place][rng.integers(len(where[place]))]
        centre = _point(voxel)
        mean = float(np.clip(np.exp(rng.normal(np.log(3.5), 0.35)), 2.0, 8.0))
        if place == "periventricular":
            axes = _across(voxel)
            radii = (1.6 * mean, 0.85 * mean, 0.85 * mean)
        else:
            axes = random_axes(rng)
            a, b = rng.uniform(0.8, 1.25, 2)
            radii = (a * mean, b * mean, mean / (a * b))
        box, level = blob(rng, centre, radii, axes, 0.1)
        add(severe if mean > 3.5 and rng.random() < 0.3 else mild, box, level)
    return Disease(
        layers=(
            Layer(mild, tissue.PLAQUE, PLAQUE, in_grey=0.7),
            Layer(severe, tissue.BLACK_HOLE, PLAQUE, in_grey=0.7),
        ),
        facts={"painted": {place: places.count(place) for place in SHARE}},
    )


def _where() -> dict[str, Mask]:
    """Where the centres may lie, on the grid `HALF`."""
    maps = template()
    z, y, x = HALF.axes()
    white, grey = (part[::2, ::2, ::2] for part in (maps.white, maps.grey))
    ventricle = maps.ventricle_mm
    below = infratentorial(z, y, x)
    inside = (white > 0.75) & (maps.depth_mm > 5)
    above = inside & (below < -4)
    # Of the lateral ventricles: about the fourth, a plaque counts as infratentorial.
    beside = above & (ventricle > 1.5) & (ventricle < 4.5) & (z > -5)
    rim = above & (grey > 0.02) & (maps.depth_mm < 16) & (ventricle > 14)
    stem = (np.abs(x) < 22) & (y < -15) & (y > -62) & (z < -20) & (z > -52)
    return {
        "periventricular": beside,
        "juxtacortical": rim,
        "infratentorial": (white > 0.45) & (below > 3) & stem & (maps.depth_mm > 5),
        "deep": above & (ventricle > 9) & (maps.depth_mm > 18) & (white > 0.9) & (z > -5),
    }


def _across(voxel: Array) -> Array:
    """The direction away from the ventricle, and two across it."""
    low = [slice(max(int(v) - 2, 0), int(v) + 3) for v in voxel]
    by_z, by_y, by_x = np.gradient(template().ventricle_mm[tuple(low)])
    away = np.array([by_x.mean(), by_y.mean(), by_z.mean()])
    away /= np.linalg.norm(away) + 1e-6
    other = np.cross(away, (0.0, 0.0, 1.0) if abs(away[2]) < 0.8 else (0.0, 1.0, 0.0))
    other /= np.linalg.norm(other)
    return np.stack([away, other, np.cross(away, other)]).astype(np.float32)


def _point(voxel: Array) -> Point:
    k, j, i = (float(v) for v in voxel)
    first, step = HALF.first_mm, HALF.step_mm
    return (first[0] + step * i, first[1] + step * j, first[2] + step * k)

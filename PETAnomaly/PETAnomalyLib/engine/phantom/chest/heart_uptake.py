"""Patterns of the heart's uptake: where in the left ventricle, and whether in the right.

References:
    fasting patterns: base alone, lateral wall, papillary muscles, septum: Gropler et al., J Nucl
    Med 1990; 31: 1749-56; Maurer et al., J Nucl Cardiol 2011; 18: 886-92. The right ventricle is
    seen when it works against pressure: Lange et al., Eur J Nucl Med Mol Imaging 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.waves import Array

COOL = 0.32  # what a wall takes up beside an avid one
PATCHY = (0.0, 0.22)  # standard deviation from place to place in a wall
RIGHT = (0.28, 0.55)  # right ventricle's wall, of the left's: thin, and works less
SCARS = ((0.9, -0.3, -0.7), (0.1, 0.9, 0.1), (0.0, 0.1, 0.9))
SCARRED = 0.75  # uptake that is lost in a scar
RIGHT_LOADED = 0.95  # the same, pattern "right"


@dataclass(frozen=True)
class Wall:
    """Where voxels lie in the left ventricle, mm.

    Attributes:
        along: from its middle towards the apex.
        lateral: from its long axis away from the septum.
        down: from its long axis to the diaphragm.
        rough, coarse: fields of unit variance, fine and coarse.
    """

    along: Array
    lateral: Array
    down: Array
    rough: Array
    coarse: Array


def left_pattern(rng: Generator, heart: str, wall: Wall, radius_mm: float) -> Array:
    """Uptake over the left ventricle, in any unit, for a pattern of `Conditions.heart`."""
    patchy = np.float32(rng.uniform(*PATCHY))
    even = np.clip(1 + np.float32(0.08) * wall.rough + patchy * wall.coarse, 0.3, 2)
    if heart == "base":
        start = rng.uniform(-0.2, 0.15) * radius_mm
        return even * _from(COOL, (start - wall.along) / (0.4 * radius_mm))
    if heart in ("lateral", "septal"):
        side = 1 if heart == "lateral" else -1
        turn = rng.normal(0, 0.4)
        facing = side * (np.cos(turn) * wall.lateral + np.sin(turn) * wall.down) / radius_mm
        return even * _from(COOL, 0.3 + 1.1 * facing)
    if heart == "papillary":
        value = np.full_like(wall.along, COOL)
        for down in (0.6, -0.6):
            far = (wall.along - 0.1 * radius_mm) ** 2 + (wall.lateral - 0.5 * radius_mm) ** 2
            far = far + (wall.down - down * radius_mm) ** 2
            value += rng.uniform(0.5, 0.9) * np.exp(-far / (0.35 * radius_mm) ** 2)
        return even * value
    if heart == "none":
        return 1 + np.float32(0.04) * wall.rough
    apex = np.clip(1 - 0.15 * (wall.along / radius_mm - 0.8), 0.75, 1)  # thin there: partial volume
    return even * apex * (1 + np.float32(rng.uniform(0, 0.12)) * wall.lateral / radius_mm)


def _from(low: float, rising: Array) -> Array:
    """`low` where `rising` is 0 or less, 1 where it is 1 or more."""
    found: Array = (low + (1 - low) * np.clip(rising, 0, 1)).astype(np.float32)
    return found


def right_pattern(rng: Generator, heart: str) -> float:
    """Uptake of the right ventricle's wall, of the left's mean."""
    drawn = float(rng.uniform(*RIGHT))
    return {"right": RIGHT_LOADED, "none": 1.0}.get(heart, drawn)


def scar(rng: Generator, wall: Wall, radius_mm: float) -> Array:
    """What an old infarct has left of the uptake: a piece of wall in one vessel's territory."""
    # Anterior and apex, lateral, inferior: along, lateral, down, in radii.
    along, lateral, down = SCARS[int(rng.integers(len(SCARS)))]
    far = (wall.along - along * radius_mm) ** 2 + (wall.lateral - lateral * radius_mm) ** 2
    far = far + (wall.down - down * radius_mm) ** 2
    reach = rng.uniform(0.5, 0.9) * radius_mm
    return (1 - SCARRED * np.clip(2 * (1 - far / reach**2), 0, 1)).astype(np.float32)

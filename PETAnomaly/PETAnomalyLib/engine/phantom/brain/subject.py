"""Whose head it is: age, sex, sizes and pose, drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream

YOUNGEST, OLDEST = 20, 90
INTRACRANIAL_ML = {"F": (1289.0, 111.0), "M": (1469.0, 102.0)}
"""Mean and standard deviation (Matsumae et al. 1996, J Neurosurg 84:982)."""


@dataclass(frozen=True)
class Subject:
    """A head to be made.

    Attributes:
        seed: names the head.
        sex, age: F or M, years; evenly from 20 to 90.
        intracranial_ml: brain with all its CSF.
        proportions: x, y, z; their product is 1.
        tilt_deg: rotation about x, y, z (RAS axes) in the scanner.
        offset_mm: x, y, z (RAS) of the head from the middle of the field of view.
        ventricle_growth: how far the ventricles' walls stand from the template's, mm.
        sulcal_growth: natural logarithm of how much more CSF the sulci hold.
        skull_mm, scalp_mm: thickness over the convexity.
    """

    seed: int
    sex: str
    age: int
    intracranial_ml: float
    proportions: tuple[float, float, float]
    tilt_deg: tuple[float, float, float]
    offset_mm: tuple[float, float, float]
    ventricle_growth: float
    sulcal_growth: float
    skull_mm: float
    scalp_mm: float

    def stream(self, name: str) -> Generator:
        """The random numbers of one part of this head."""
        return stream(self.seed, f"brain {name}")


def draw_subject(seed: int) -> Subject:
    """The head of a seed."""
    rng = stream(seed, "brain subject")
    sex = "F" if rng.random() < 0.5 else "M"
    age = int(rng.integers(YOUNGEST, OLDEST + 1))
    mean, spread = INTRACRANIAL_ML[sex]
    stretch = np.exp(np.clip(rng.normal(0, 0.02, 3), -0.05, 0.05))
    stretch /= np.prod(stretch) ** (1 / 3)
    ventricles, sulci = _atrophy(rng, age)
    return Subject(
        seed=seed,
        sex=sex,
        age=age,
        intracranial_ml=_clipped(rng, mean, spread, 2.2),
        proportions=(float(stretch[0]), float(stretch[1]), float(stretch[2])),
        tilt_deg=(_clipped(rng, 0, 5, 2), _clipped(rng, 0, 2.5, 2), _clipped(rng, 0, 3, 2)),
        offset_mm=(_clipped(rng, 0, 3, 2), _clipped(rng, 0, 4, 2), _clipped(rng, 0, 2, 2)),
        ventricle_growth=ventricles,
        sulcal_growth=sulci,
        skull_mm=_clipped(rng, 6.5, 0.8, 2),
        scalp_mm=_clipped(rng, 6.5, 1.3, 2),
    )


def _atrophy(rng: Generator, age: int) -> tuple[float, float]:
    """Growth of ventricles and sulci, slow at first.

    From 20 to 70 years about as Pfefferbaum et al. 1994 (Arch Neurol 51:874) measured in healthy
    men: ventricles +0.3 ml a year, CSF of the sulci +0.6 ml, cortical grey matter -0.7 ml, white
    matter the same.
    """
    years = (age - YOUNGEST) / (OLDEST - YOUNGEST)
    ventricles = -0.2 + 5.2 * years**1.4 + _clipped(rng, 0, 0.6, 2)
    sulci = -0.1 + 1.5 * years**2.2 + _clipped(rng, 0, 0.15, 2)
    return ventricles, sulci


def _clipped(rng: Generator, mean: float, spread: float, most: float) -> float:
    """Normal, within `most` standard deviations."""
    return float(mean + spread * np.clip(rng.standard_normal(), -most, most))

"""How far a patient stands from the middle of the population, and numbers that depend on it.

A number of an organ is drawn log-normally about its published mean, so that it stays positive and
has the long upper tail that volumes and SUVs have. Part of its spread comes from what the patient
is (size, fat, age), the rest from chance; the whole is the published one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.patient.build import Build
from PETAnomalyLib.engine.phantom.patient.ranges import Range

FURTHEST = 2.3  # standard deviations
# Mean and standard deviation over `draw_build`; a test keeps them true.
SURFACE_M2 = {"F": (1.775, 0.21), "M": (2.035, 0.215)}
LOG_BMI = (3.262, 0.185)
LOG_WEIGHT = (4.323, 0.225)
AGE = (53.5, 20.8)


@dataclass(frozen=True)
class Standing:
    """Standard deviations from the mean of all patients (`size`: of the patient's sex).

    Attributes:
        size: body surface.
        bmi: body mass index, logarithm.
        weight: body weight, logarithm.
        age: years.
    """

    size: float
    bmi: float
    weight: float
    age: float

    def part(self, loadings: Mapping[str, float]) -> float:
        """What of an organ's number these explain, in its own standard deviations."""
        return float(sum(loading * getattr(self, name) for name, loading in loadings.items()))


def standing(build: Build) -> Standing:
    """Of a patient."""
    mean, sd = SURFACE_M2[build.sex]
    return Standing(
        size=(build.surface_m2 - mean) / sd,
        bmi=(float(np.log(build.bmi)) - LOG_BMI[0]) / LOG_BMI[1],
        weight=(float(np.log(build.weight_kg)) - LOG_WEIGHT[0]) / LOG_WEIGHT[1],
        age=(build.age - AGE[0]) / AGE[1],
    )


def log_sd(known: Range) -> float:
    """Standard deviation of the logarithm, of a log-normal number with this mean and spread."""
    return float(np.sqrt(np.log(1 + (known.sd / known.mean) ** 2)))


def positive(known: Range, z: float) -> float:
    """The log-normal number `z` standard deviations from the middle."""
    spread = log_sd(known)
    z = float(np.clip(z, -FURTHEST, FURTHEST))
    return known.mean * float(np.exp(spread * z - spread**2 / 2))


def draw_z(rng: Generator, part: float, loadings: Mapping[str, float]) -> float:
    """Standard deviations: `part` that is explained by `loadings`, and chance for the rest."""
    left = max(0.0, 1 - sum(loading**2 for loading in loadings.values()))
    return part + float(np.sqrt(left) * rng.normal())

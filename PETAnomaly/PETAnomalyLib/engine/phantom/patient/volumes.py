"""How large a patient's organs are: by sex, body size, age, and chance."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.build import Build
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.patient.ranges import Range
from PETAnomalyLib.engine.phantom.patient.standing import draw_z, positive, standing

LOADINGS: dict[Organ, dict[str, float]] = {
    # Surface explains 30 % of the liver's variance and 45 % of the kidneys' (r 0.55 and 0.68).
    Organ.LIVER: {"size": 0.55, "age": -0.15},
    Organ.KIDNEY: {"size": 0.66, "age": -0.2},
    Organ.SPLEEN: {"size": 0.35, "age": -0.25},
    Organ.PANCREAS: {"bmi": 0.35, "age": -0.3},
    Organ.MYOCARDIUM: {"size": 0.6},
    Organ.LUNG: {"size": 0.35, "bmi": -0.35},
    Organ.THYROID: {"size": 0.3, "age": 0.15},
    Organ.BRAIN: {"size": 0.25, "age": -0.45},
    Organ.CEREBELLUM: {"size": 0.2, "age": -0.3},
    Organ.PAROTID: {"bmi": 0.5},
    Organ.SUBMANDIBULAR_GLAND: {"bmi": 0.25, "age": -0.2},
    Organ.SUBLINGUAL_GLAND: {"age": -0.3},
    Organ.TONSIL: {"age": -0.6},
    Organ.TONGUE: {"bmi": 0.4, "size": 0.3},
    Organ.ADRENAL: {"size": 0.4},
    Organ.TESTIS: {"size": 0.15, "age": -0.35},
    Organ.BREAST: {"bmi": 0.25, "age": -0.5},
    Organ.BLADDER_WALL: {"age": 0.25},
}
"""What of an organ's spread the patient explains, in its standard deviations."""

BY_AGE: dict[Organ, tuple[tuple[float, ...], tuple[float, ...], float]] = {
    # Years, volume there (ml, men's where both sexes have it), spread of people of one age.
    Organ.UTERUS: ((18, 25, 37, 48, 55, 65, 75), (42, 58, 72, 62, 42, 32, 24), 0.28),
    Organ.OVARY: ((18, 25, 35, 45, 52, 58, 75), (14.5, 13.4, 12.2, 9.6, 5.6, 4.7, 3.6), 0.3),
    Organ.PROSTATE: ((18, 40, 60, 78), (23, 27, 35, 47.5), 0.27),
    Organ.THYMUS: ((18, 30, 45, 60, 85), (25, 20.5, 13, 9, 5.5), 0.33),
}
"""Organs that grow or shrink over life: Well 2007, Pavlik 2000, Araki 2016."""


def draw_volume(seed: int, organ: Organ, build: Build) -> float:
    """Volume of an organ of this patient, both sides together, ml.

    Raises:
        KeyError: no volume of it is published for this sex.
    """
    known = PUBLISHED[organ].volume(build.sex)
    if known is None:
        raise KeyError(f"no volume of {organ.name} for sex {build.sex}")
    rng = stream(seed, f"volume {organ.name}")
    if organ in BY_AGE:
        years, volumes, spread = BY_AGE[organ]
        here = float(np.interp(build.age, years, volumes))
        men = PUBLISHED[organ].male_ml
        if build.female and men is not None:
            here *= known.mean / men.mean
        return positive(Range(here, spread * here, known.source), float(rng.normal()))
    loadings = LOADINGS.get(organ, {})
    return positive(known, draw_z(rng, standing(build).part(loadings), loadings))

"""How dense a patient's organs are in CT: age, fat, contrast medium, and chance."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.build import Build
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.patient.standing import FURTHEST, draw_z, standing

LOADINGS: dict[Organ, dict[str, float]] = {
    Organ.MARROW: {"age": -0.8},  # 2.5 HU a year
    Organ.LIVER: {"bmi": -0.45},  # steatosis
    Organ.PANCREAS: {"bmi": -0.35, "age": -0.4},
    Organ.MUSCLE: {"bmi": -0.3, "age": -0.4},  # fat between its fibres
    Organ.PAROTID: {"bmi": -0.45, "age": -0.35},
    Organ.SUBMANDIBULAR_GLAND: {"bmi": -0.3, "age": -0.35},
    Organ.THYMUS: {"age": -0.85},
    Organ.BREAST: {"age": -0.4},
    Organ.LUNG: {"bmi": 0.3},
}
"""What of an organ's spread the patient explains, in its standard deviations."""

ENHANCED_TOGETHER = {"weight": -0.5}  # one dose in more blood
SHARED = 0.6  # of the rest's standard deviation is the patient's, not the organ's


def draw_attenuation(seed: int, organ: Organ, build: Build, contrast: bool) -> float:
    """Mean attenuation of an organ of this patient, HU."""
    known = PUBLISHED[organ]
    loadings = LOADINGS.get(organ, {})
    rng = stream(seed, f"attenuation {organ.name}")
    stands = standing(build)
    z = draw_z(rng, stands.part(loadings), loadings)
    native = known.hu.mean + known.hu.sd * float(np.clip(z, -FURTHEST, FURTHEST))
    if not contrast or known.enhancement is None:
        return native
    patient = float(stream(seed, "enhancement").normal())
    chance = SHARED * patient + float(np.sqrt(1 - SHARED**2) * rng.normal())
    left = float(np.sqrt(1 - ENHANCED_TOGETHER["weight"] ** 2))
    z = float(np.clip(stands.part(ENHANCED_TOGETHER) + left * chance, -FURTHEST, FURTHEST))
    return native + known.enhancement.mean + known.enhancement.sd * z

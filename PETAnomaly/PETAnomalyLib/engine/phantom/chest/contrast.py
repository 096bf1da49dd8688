"""Attenuation of the blood: contrast medium is not everywhere alike some 70 s after injection."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED

PLACES: dict[str, tuple[float, float]] = {
    "artery": (0.98, 1.1),
    "left heart": (0.98, 1.1),
    "right heart": (0.92, 1.12),
    "pulmonary": (0.94, 1.1),
    "upper vein": (0.85, 1.05),
    "lower vein": (0.6, 0.95),
    "leg vein": (0.35, 0.8),
}
"""Enhancement of each place, of the blood's mean: lowest and highest."""

STREAMING, STREAMED = 0.15, (1.6, 3.5)
"""Share of patients in whom contrast medium still streams in from the arm, and what the superior
vena cava then has."""


def blood_hu(patient: Patient, place: str) -> float:
    """Attenuation of the blood at a place of `PLACES`, HU."""
    mean = patient.hu(Organ.BLOOD)
    if not patient.conditions.contrast:
        return mean
    rng = patient.stream(f"contrast medium {place}")
    drawn, share = rng.uniform(*PLACES[place]), rng.random()
    if place == "upper vein" and share < STREAMING:
        drawn = rng.uniform(*STREAMED)
    native = PUBLISHED[Organ.BLOOD].hu.mean
    return native + drawn * (mean - native)

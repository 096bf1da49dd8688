"""How hot and how dense urine is: by time since injection, drinking, voiding, contrast medium."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.patient.patient import Patient

FRESH_SUV = 11.0
"""Median SUV of urine in calyces and ureters at 65 minutes, g/ml; 5 to 25 in most patients."""
SPREAD = 0.55  # standard deviation of its logarithm: by hydration
EARLY_URINE = 1.6  # of who hasn't voided: the bladder still holds the hottest, first urine
LEAST_SUV, MOST_SUV = 1.2, 90.0
EXCRETED_SHARE = 0.2  # of scans with contrast medium that come late enough for it to be in urine


@dataclass(frozen=True)
class Urine:
    """Urine of one patient.

    Attributes:
        fresh: SUV in calyces, pelves and ureters, g/ml.
        bladder: SUV in the bladder, g/ml.
        hu: in kidneys and ureters; 150 and more where contrast medium has come.
        bladder_hu: in front of the bladder; contrast medium lies behind.
        excreted: whether contrast medium has come.
        voided: just before the scan.
    """

    fresh: float
    bladder: float
    hu: float
    bladder_hu: float
    excreted: bool
    voided: bool


def draw_urine(patient: Patient) -> Urine:
    """The urine of a patient."""
    rng = patient.stream("urine")
    minutes = patient.uptake.minutes
    drawn = rng.normal(0, SPREAD, 3)
    voided = bool(rng.random() < 0.7)
    excreted = patient.conditions.contrast and bool(rng.random() < EXCRETED_SHARE)
    # The blood's tracer, and so that of fresh urine, falls by about t^-0.7 in the second hour.
    fresh = FRESH_SUV * (65.0 / minutes) ** 0.7 * np.exp(drawn[0])
    bladder = fresh * (1.0 if voided else EARLY_URINE) * np.exp(0.6 * drawn[1])
    return Urine(
        fresh=float(np.clip(fresh, LEAST_SUV, MOST_SUV)),
        bladder=float(np.clip(bladder, LEAST_SUV, MOST_SUV)),
        hu=float(rng.uniform(150, 420) if excreted else rng.uniform(2, 16)),
        bladder_hu=float(rng.uniform(0, 14)),
        excreted=excreted,
        voided=voided,
    )

"""Bellies to test on: an envelope with bodies that must be kept, then `paint_abdomen`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PETAnomalyLib.engine.phantom.abdomen.abdomen import paint_abdomen
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, paint_envelope, spine_y
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from seen_patient import seen_patient

HEALTHY: dict[str, Any] = {
    "missing_kidney": 0, "transplant": 0, "stoma": 0, "no_gallbladder": False, "no_spleen": False,
    "ascites_ml": 0.0, "stimulated_marrow": 1.0, "metformin": False,
}  # fmt: skip
WHOLE_TRUNK = (-130.0, 480.0)
SPINE = (Organ.MUSCLE, Organ.VISCERAL_FAT)


@dataclass
class Belly:
    """A patient whose abdomen was painted; `before`: the organs ahead of it."""

    patient: Patient
    canvas: Canvas
    envelope: Envelope
    before: np.ndarray

    def mask(self, *organs: Organ) -> Mask:
        return np.isin(self.canvas.organ, organs)

    def ml(self, *organs: Organ) -> float:
        return float(self.mask(*organs).sum()) * VOXEL_ML

    def mean(self, values: np.ndarray, *organs: Organ) -> float:
        return float(values[self.mask(*organs)].mean())


def belly(seed: int, ends: tuple[float, float] = WHOLE_TRUNK, **conditions: Any) -> Belly:
    """A seed's belly with these conditions, healthy but for them, from body z to body z."""
    patient = seen_patient(seed, *ends, **{**HEALTHY, **conditions})
    canvas = Canvas(patient.pose, (300, 230), seed)
    envelope = paint_envelope(canvas, patient)
    spine = [(0, spine_y(z), z, 22) for z in range(110, 460, 40)]
    paint(canvas, tube(canvas, spine), Organ.MARROW, 1.5, 200.0, SPINE)
    aorta = [(10, spine_y(z) - 32, z, 9) for z in range(160, 380, 40)]
    paint(canvas, tube(canvas, aorta), Organ.BLOOD, 1.6, 45.0, SPINE)
    before = canvas.organ.copy()
    paint_abdomen(canvas, patient, envelope)
    return Belly(patient, canvas, envelope, before)


def seed_of(sex: str, low: int = 0, high: int = 89) -> int:
    """The first seed of a patient of this sex and age."""
    return next(
        seed
        for seed in range(1000)
        if (build := draw_patient(seed).build).sex == sex and low <= build.age <= high
    )

"""A phantom's patient seen from here to there, with the conditions that a test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PETAnomalyLib.engine.phantom.patient.conditions import Conditions
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient


def seen_patient(seed: int, bottom: float, top: float, **conditions: Any) -> Patient:
    """The patient of a seed, scanned from `bottom` to `top` (body z, mm), with these conditions."""
    patient = draw_patient(seed)
    length = float((top - bottom) * patient.pose.scale[2])
    patient.pose = replace(patient.pose, bottom_mm=bottom, length_mm=length)
    own: Conditions = replace(patient.conditions, **conditions)
    patient.conditions = own
    patient.uptake = replace(patient.uptake, conditions=own)
    return patient

"""What is seen in muscle, fat and veins: exercise, brown fat, tracer beside the vein."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.brown_fat import paint_brown_fat
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.frame.exercise import paint_exercise
from PETAnomalyLib.engine.phantom.frame.extravasation import paint_extravasation
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_trunk_findings(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint those that the patient has."""
    if patient.conditions.exercised:
        paint_exercise(canvas, patient)
    if patient.conditions.brown_fat:
        paint_brown_fat(canvas, patient, envelope)
    if patient.conditions.extravasation:
        paint_extravasation(canvas, patient, envelope)

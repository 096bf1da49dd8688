"""Chest: lungs, heart, great vessels, and what lies between them."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.chest.airways import paint_bronchi
from PETAnomalyLib.engine.phantom.chest.breath import breathe
from PETAnomalyLib.engine.phantom.chest.coronaries import paint_coronaries
from PETAnomalyLib.engine.phantom.chest.devices import paint_devices
from PETAnomalyLib.engine.phantom.chest.heart import heart_middle, paint_heart
from PETAnomalyLib.engine.phantom.chest.lungs import paint_lungs
from PETAnomalyLib.engine.phantom.chest.mediastinum import (
    paint_hilar_nodes,
    paint_mediastinal_fat,
    paint_oesophagus,
    paint_thymus,
)
from PETAnomalyLib.engine.phantom.chest.pleura import paint_pleura
from PETAnomalyLib.engine.phantom.chest.vessels import paint_vessels
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_chest(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the chest, and the great vessels of the whole trunk and the thighs."""
    breathe(canvas, patient, envelope)
    paint_mediastinal_fat(canvas, patient)
    paint_bronchi(canvas, patient)
    paint_heart(canvas, patient, envelope)
    paint_vessels(canvas, patient, envelope)
    paint_coronaries(canvas, patient, envelope, heart_middle(patient, envelope))
    paint_oesophagus(canvas, patient)
    paint_thymus(canvas, patient)
    paint_hilar_nodes(canvas, patient)
    paint_pleura(canvas, patient, envelope)
    paint_lungs(canvas, patient)
    paint_devices(canvas, patient, envelope)

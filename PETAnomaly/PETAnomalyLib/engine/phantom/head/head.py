"""Head and neck: everything above the thoracic inlet that is not bone."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.head.airways import paint_airways
from PETAnomalyLib.engine.phantom.head.brain import paint_brain
from PETAnomalyLib.engine.phantom.head.face import paint_face
from PETAnomalyLib.engine.phantom.head.larynx import paint_larynx
from PETAnomalyLib.engine.phantom.head.mouth import paint_mouth
from PETAnomalyLib.engine.phantom.head.neck_vessels import paint_neck_vessels
from PETAnomalyLib.engine.phantom.head.orbits import paint_orbits
from PETAnomalyLib.engine.phantom.head.salivary_glands import paint_salivary_glands
from PETAnomalyLib.engine.phantom.head.thyroid import paint_thyroid
from PETAnomalyLib.engine.phantom.patient.patient import Patient

LOWEST_MM = 535.0  # body z: below it there is nothing of head and neck


def paint_head(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint brain, eyes, airways, mouth, glands, larynx, thyroid and the vessels of the neck."""
    if float(canvas.z[-1].max()) < LOWEST_MM:
        return
    paint_face(canvas, patient, envelope)
    paint_brain(canvas, patient)
    paint_airways(canvas, patient, envelope)
    paint_orbits(canvas, patient)
    paint_larynx(canvas, patient)
    paint_thyroid(canvas, patient)
    paint_neck_vessels(canvas, patient)
    paint_salivary_glands(canvas, patient)
    paint_mouth(canvas, patient)

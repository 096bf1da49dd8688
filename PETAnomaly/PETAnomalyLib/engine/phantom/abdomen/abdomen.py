"""Abdomen and pelvis: solid organs first, then hollow ones into what they leave, then fluid."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.abdomen.ascites import paint_ascites
from PETAnomalyLib.engine.phantom.abdomen.bladder import (
    draw_bladder,
    paint_bladder,
    paint_urethra,
)
from PETAnomalyLib.engine.phantom.abdomen.colon import paint_colon
from PETAnomalyLib.engine.phantom.abdomen.female import paint_uterus
from PETAnomalyLib.engine.phantom.abdomen.gallbladder import paint_gallbladder
from PETAnomalyLib.engine.phantom.abdomen.hernia import paint_hernias
from PETAnomalyLib.engine.phantom.abdomen.liver import paint_liver
from PETAnomalyLib.engine.phantom.abdomen.male import paint_prostate, paint_scrotum
from PETAnomalyLib.engine.phantom.abdomen.mesentery import paint_mesentery
from PETAnomalyLib.engine.phantom.abdomen.muscles import paint_muscles
from PETAnomalyLib.engine.phantom.abdomen.pancreas import paint_adrenals, paint_pancreas
from PETAnomalyLib.engine.phantom.abdomen.small_bowel import paint_duodenum, paint_small_bowel
from PETAnomalyLib.engine.phantom.abdomen.spleen import paint_spleen
from PETAnomalyLib.engine.phantom.abdomen.stoma import draw_stoma, paint_stoma
from PETAnomalyLib.engine.phantom.abdomen.stomach import paint_stomach
from PETAnomalyLib.engine.phantom.abdomen.urinary import paint_urinary
from PETAnomalyLib.engine.phantom.abdomen.urine import draw_urine
from PETAnomalyLib.engine.phantom.abdomen.veins import paint_veins
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.patient.patient import Patient

ORAL_CONTRAST_SHARE = 0.35  # of diagnostic CTs: positive contrast medium in stomach and bowel


def paint_abdomen(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint all organs below the diaphragm, after the great vessels."""
    urine = draw_urine(patient)
    bladder, stoma = draw_bladder(patient, urine), draw_stoma(canvas, patient, envelope)
    oral = patient.conditions.diagnostic_ct and bool(
        patient.stream("oral contrast").random() < ORAL_CONTRAST_SHARE
    )
    paint_muscles(canvas, patient, envelope)
    if not patient.build.female:
        paint_prostate(canvas, patient, bladder)
    paint_bladder(canvas, patient, urine, bladder)
    if patient.build.female:
        paint_uterus(canvas, patient, bladder)
    paint_adrenals(canvas, patient)
    paint_urinary(canvas, patient, urine, bladder)
    paint_gallbladder(canvas, patient)
    paint_pancreas(canvas, patient)
    paint_veins(canvas, patient)
    paint_duodenum(canvas, patient, envelope, oral)
    paint_spleen(canvas, patient, envelope)
    paint_liver(canvas, patient, envelope)
    paint_stomach(canvas, patient, envelope)
    paint_colon(canvas, patient, envelope, stoma, oral)
    if stoma is not None:
        paint_stoma(canvas, patient, stoma)
    paint_small_bowel(canvas, patient, envelope, oral)
    paint_mesentery(canvas, patient, envelope)
    paint_ascites(canvas, patient, envelope)
    paint_hernias(canvas, patient, envelope)
    if not patient.build.female:
        paint_scrotum(canvas, patient)
    paint_urethra(canvas, patient, urine, bladder)

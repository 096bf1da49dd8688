"""All bones of a patient, and worn joints among them."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.bone import bone_tissue
from PETAnomalyLib.engine.phantom.frame.degeneration import paint_degeneration
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.frame.hands_feet import paint_foot_bones, paint_hand_bones
from PETAnomalyLib.engine.phantom.frame.long_bones import paint_arm_bones, paint_leg_bones
from PETAnomalyLib.engine.phantom.frame.pelvis import paint_pelvis
from PETAnomalyLib.engine.phantom.frame.posture import draw_arms, draw_legs
from PETAnomalyLib.engine.phantom.frame.ribs import paint_ribs, paint_sternum
from PETAnomalyLib.engine.phantom.frame.shoulder_girdle import paint_shoulder_girdle
from PETAnomalyLib.engine.phantom.frame.skull import paint_skull
from PETAnomalyLib.engine.phantom.frame.spine import paint_spine
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_skeleton(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint all bones: red marrow in the trunk and the proximal limbs, fat in the rest."""
    bone = bone_tissue(patient)
    arms, legs = draw_arms(patient, envelope), draw_legs(patient)
    paint_spine(canvas, patient, bone)
    paint_ribs(canvas, patient, bone, envelope)
    paint_sternum(canvas, patient, bone, envelope)
    paint_shoulder_girdle(canvas, patient, bone, arms)
    paint_pelvis(canvas, patient, bone)
    for arm in arms:
        paint_arm_bones(canvas, bone, arm)
        paint_hand_bones(canvas, bone, arm)
    for leg in legs:
        paint_leg_bones(canvas, patient, bone, leg)
        paint_foot_bones(canvas, bone, leg)
    paint_skull(canvas, patient, bone)
    if patient.conditions.stimulated_marrow > 1:
        patient.variants.append("stimulated marrow")
    paint_degeneration(canvas, patient, arms, legs)

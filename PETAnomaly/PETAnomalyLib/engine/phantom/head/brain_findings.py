"""Brains of the old: scars of strokes, and the patterns of degeneration.

References:
    temporoparietal and precuneus hypometabolism: Silverman, J Nucl Med 2004; 45: 594-607.
    crossed cerebellar diaschisis: Baron et al., Trans Am Neurol Assoc 1980; 105: 459-61.
"""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape
from PETAnomalyLib.engine.phantom.head.brain_coordinates import brain_coordinates
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

STROKE_YEARS, STROKE = 55, 0.05  # age from which, share of patients with a scar
SCAR_SUV, SCAR_HU, DIASCHISIS = 0.3, -22.0, 0.85  # of what was there; over it; of the cerebellum
SCAR_MM = (14.0, 30.0)
DEGENERATION_YEARS, DEGENERATION = 65, 0.07
DEGENERATED = ((50, 42, 776), (46, 18, 735), (5, 52, 792))  # temporoparietal, temporal, precuneus
LEFT_OF_IT = (0.6, 0.85)  # of uptake


def paint_brain_findings(canvas: Canvas, patient: Patient, cavity: Shape) -> None:
    """Change the painted brain of the cranial cavity's box."""
    rng = patient.stream("brain findings")
    stroke, degeneration, side = rng.random(), rng.random(), float(rng.choice([-1, 1]))
    box = cavity.box
    brain = canvas.where(box, (Organ.BRAIN,))
    if not brain.any():
        return
    x, y, z = brain_coordinates(canvas, box)
    if patient.build.age > STROKE_YEARS and stroke < STROKE:
        centre = np.array([side * 50, 2, 774]) + rng.normal(0, [4, 14, 12])
        far = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2) ** 0.5
        scar = np.clip((rng.uniform(*SCAR_MM) - far) / 5 + 0.5 + canvas.rough[2][box], 0, 1)
        canvas.suv[box][brain] *= (1 + (SCAR_SUV - 1) * scar)[brain].astype(np.float32)
        canvas.hu[box][brain] += (SCAR_HU * scar)[brain]
        other = canvas.where(box, (Organ.CEREBELLUM,)) & (np.sign(x) == -side)
        canvas.suv[box][other] *= np.float32(DIASCHISIS)
        patient.variants.append("old stroke")
    if patient.build.age > DEGENERATION_YEARS and degeneration < DEGENERATION:
        left = rng.uniform(*LEFT_OF_IT)
        for aside, back, up in DEGENERATED:
            far = (np.abs(x) - aside) ** 2 + (y - back) ** 2 + (z - up) ** 2
            share = np.exp(-far / np.float32(900))
            canvas.suv[box][brain] *= (1 + (left - 1) * share)[brain].astype(np.float32)
        patient.variants.append("temporoparietal hypometabolism")

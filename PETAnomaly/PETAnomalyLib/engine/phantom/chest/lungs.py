"""What is in the lungs: vessels that fan out from the hila, fissures, emphysema."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.chest.contrast import blood_hu
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

HILUM = (40.0, 14.0, 448.0)  # of the left
VESSEL_MM = 34.0  # distance from the hilum over which vessels thin
EMPHYSEMA = 0.1  # share of patients beyond 45
EMPHYSEMA_HU = -110.0
FISSURE_HU = 70.0


def paint_lungs(canvas: Canvas, patient: Patient) -> None:
    """Paint vessels, fissures and emphysema into the lungs that the envelope has left."""
    box = canvas.box([(0, 0, 300), (0, 0, 555)], 140)
    if box == EMPTY:
        return
    lung = np.nonzero(canvas.organ[box] == Organ.LUNG)
    if not len(lung[0]):
        return
    rng = patient.stream("lungs")
    x, y, z, fine, coarse = (
        field[box][lung]
        for field in (canvas.x, canvas.y, canvas.z, canvas.rough[2], canvas.rough[0])
    )
    suv, hu = canvas.suv[box][lung], canvas.hu[box][lung]
    aside = np.abs(x)
    distance = np.sqrt((aside - HILUM[0]) ** 2 + (y - HILUM[1]) ** 2 + (0.75 * (z - HILUM[2])) ** 2)
    # Two random surfaces meet in lines: branches, thick at the hilum and thin at the pleura.
    line = np.sqrt(fine**2 + (1.6 * coarse) ** 2)
    width = np.float32(0.75) * np.exp(-distance / np.float32(VESSEL_MM)) + np.float32(0.1)
    vessel = np.clip((width - line) / (0.6 * width) + 0.2, 0, 1)
    blood = patient.suv(Organ.BLOOD), blood_hu(patient, "pulmonary")
    _emphysema(patient, hu, z, canvas.rough[1][box][lung])
    fissure = np.abs(z - (448 - 1.05 * (y + 5)) - 6 * coarse) < 2.6
    fissure |= (x < 0) & (np.abs(z - 438 - 5 * coarse) < 2.2) & (y < 0)
    hu += FISSURE_HU * fissure * rng.uniform(0.3, 1)
    suv += vessel * (0.8 * blood[0] - suv)
    hu += vessel * (np.minimum(blood[1], 60) - hu)
    canvas.suv[box][lung], canvas.hu[box][lung] = suv, hu
    full = vessel > 0.9
    organ = canvas.organ[box][lung]
    organ[full] = Organ.BLOOD
    canvas.organ[box][lung] = organ
    canvas.hu[box][tuple(axis[full] for axis in lung)] = blood[1]
    canvas.suv[box][tuple(axis[full] for axis in lung)] = blood[0]


def _emphysema(patient: Patient, hu: np.ndarray, z: np.ndarray, rough: np.ndarray) -> None:
    """Holes, most of them in the upper lobes."""
    rng = patient.stream("emphysema")
    degree = rng.uniform(0.5, 1.2)
    if patient.build.age > 45 and rng.random() < EMPHYSEMA:
        patient.variants.append("emphysema")
        hu += EMPHYSEMA_HU * degree * np.clip(rough + (z - 440) / 90, 0, 1.3)
        np.clip(hu, -990, None, out=hu)

"""Air of the head and neck: sinuses, nose, mouth, throat, larynx, upper trachea."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.inlet import TRACHEA
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

AIR_HU = -985.0
AIR_SUV = 0.1  # scattered events that are taken for the air's
BENEATH = 0.93  # of the muscle layer: how close to the skin of the face air comes
SINUSES = (  # of the left: centre, radii, share of patients in whom it is cloudy
    ("maxillary", (28, -62, 690), (12, 15, 15), 0.08),
    ("ethmoid", (8, -62, 713), (5, 19, 10), 0.04),
    ("frontal", (11, -81, 738), (9, 4, 8), 0.03),
    ("sphenoid", (7, -22, 700), (7, 11, 7), 0.03),
)
MUCOSA_HU, WALL_MM = 30.0, 4.0
GLOTTIS_MM = 4.0  # half width of the air between the vocal cords
MUCOSA_SUV = (1.2, 2.6)  # of nose and throat, of a patient
INFLAMED_SUV = (1.8, 4.5)  # of a sinus that is filled and inflamed


def paint_airways(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the air, with its mucosa, and sinuses that are filled instead."""
    rng = patient.stream("airways")
    _throat(canvas, patient)
    size = rng.normal(1, 0.09)
    for name, centre, radii, cloudy in SINUSES:
        for side in (-1, 1):
            place = np.array(centre) * [side, 1, 1] + rng.normal(0, 1.5, 3)
            shape = ellipsoid(
                canvas, place, np.array(radii) * size * rng.normal(1, 0.08), roughness=0.1,
                square=0.3,
            )  # fmt: skip
            drawn, value = rng.random(), rng.uniform(*INFLAMED_SUV)
            if shape.empty:
                continue
            deep = envelope.trunk[shape.box] < BENEATH
            if drawn < cloudy:
                patient.variants.append(f"sinusitis: {name}")
                suv = canvas.mottled(value, shape.box)
                paint(canvas, shape, Organ.SOFT, suv, 25.0, OPEN_NECK, only=deep)
            else:
                paint(canvas, shape, Organ.AIRWAY, AIR_SUV, AIR_HU, OPEN_NECK, only=deep)
    for side in (-1, 1):  # nasal cavities with conchae between which air passes
        shape = ellipsoid(canvas, (side * 8, -64, 694), (6, 28, 15), roughness=0.1, square=0.3)
        if shape.empty:
            continue
        passage = np.sin((canvas.z[shape.box] - 680) * np.float32(0.55)) > rng.uniform(-0.5, 0.4)
        suv = canvas.mottled(_mucosa_suv(patient), shape.box, 0.15)
        paint(canvas, shape, Organ.SOFT, suv, MUCOSA_HU, OPEN_NECK, only=~passage)
        deep = envelope.trunk[shape.box] < BENEATH
        paint(canvas, shape, Organ.AIRWAY, AIR_SUV, AIR_HU, OPEN_NECK, only=deep & passage)


def _mucosa_suv(patient: Patient) -> float:
    return float(patient.stream("mucosa").uniform(*MUCOSA_SUV))


def _throat(canvas: Canvas, patient: Patient) -> None:
    """Pharynx, larynx and trachea down to the chest, and what air the mouth holds."""
    rng = patient.stream("throat")
    wide = rng.normal(1, 0.08)
    line = np.array(
        [(0, -24, 694, 8), (0, -12, 684, 8), (0, -9, 660, 7), (0, -11, 634, 8), (0, -19, 611, 6.5),
         (0, -20, 603, GLOTTIS_MM), (0, -20, 595, 7.5), (0, -14, 570, 8.5), TRACHEA]
    )  # fmt: skip
    line[:, 3] *= wide
    line[1:-1, 0] += rng.normal(0, 1.5)
    throat = tube(canvas, smooth_line(line, 8.0), reach=1.6)
    if not throat.empty:
        paint(canvas, throat, Organ.AIRWAY, AIR_SUV, AIR_HU, OPEN_NECK)
        mucosa = canvas.mottled(_mucosa_suv(patient), throat.box, 0.15)
        canvas.fill(
            throat.box, (throat.level < 1 + WALL_MM / line[:, 3].mean())
            & canvas.where(throat.box, OPEN_NECK), Organ.SOFT, mucosa, MUCOSA_HU,
        )  # fmt: skip
    thick = 9.0 if rng.random() < 0.15 else 3.0  # the mouth is open
    mouth = ellipsoid(canvas, (0, -54, 683 - 0.4 * thick), (20, 26, thick), roughness=0.05)
    paint(canvas, mouth, Organ.AIRWAY, AIR_SUV, AIR_HU, OPEN_NECK)

"""The face: nose and ears, and the muscles and mucosa that make it warmer than other muscle."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.head.airways import AIR_HU, AIR_SUV
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

CARTILAGE_HU, CARTILAGE_SUV = 40.0, 0.8
NOSE_SUV = (1.2, 2.6)  # skin and mucosa of the nose's tip
MIMIC_FACTOR = (1.3, 2.4)  # muscles of expression, of other muscle: nobody keeps the face still
MIMIC_MM = (636.0, 714.0)  # body z of the mouth's and cheeks' muscles
GUMS_FACTOR = (1.4, 2.6)  # gums and lips, of muscle
PALATE_SUV = (1.8, 3.4)  # soft palate: 2.9 to 3.1 in Nakamoto et al., Radiology 2005; 234: 879-85
TEETH, TOOTH_SUV = 0.15, (2.4, 5.5)  # share of patients with an inflamed tooth, and its uptake


def paint_face(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint nose with nostrils and ears into the air round the head, then the face's warmth."""
    rng = patient.stream("face")
    size = rng.normal(1, 0.1)
    length = rng.normal(0, 3)
    nose = ellipsoid(canvas, (0, -96, 697), np.array([12, 15, 18]) * size, (25, 0, 0), 0.03)
    if not nose.empty:
        suv = canvas.mottled(rng.uniform(*NOSE_SUV), nose.box, 0.1)
        paint(canvas, nose, Organ.SOFT, suv, CARTILAGE_HU, (Organ.AIR,))
    for side in (-1, 1):
        nostril = ellipsoid(canvas, (side * 5, -97, 689), (3, 11, 5), roughness=0.0)
        paint(canvas, nostril, Organ.AIRWAY, AIR_SUV, AIR_HU, (Organ.SOFT,))
        ear = ellipsoid(canvas, (side * 76, 16 + length, 704), (5, 13, 27 * size),
                        (0, side * -8, side * 22), 0.05)  # fmt: skip
        paint(canvas, ear, Organ.SOFT, CARTILAGE_SUV, CARTILAGE_HU, (Organ.AIR,))
    warm = patient.stream("warm face")
    _muscles(canvas, warm, envelope)
    _teeth(canvas, patient)
    palate = ellipsoid(canvas, (0, -22, 679), (13, 12, 3.5), (-20, 0, 0), 0.08)
    if not palate.empty:
        suv = canvas.mottled(warm.uniform(*PALATE_SUV), palate.box, 0.08)
        paint(canvas, palate, Organ.SOFT, suv, CARTILAGE_HU, OPEN_NECK)


def _muscles(canvas: Canvas, rng: Generator, envelope: Envelope) -> None:
    """Muscles of expression beneath the skin, gums and lips round the mouth."""
    mimic, gums = rng.uniform(*MIMIC_FACTOR), rng.uniform(*GUMS_FACTOR)
    box = canvas.box([(0, -70, z) for z in MIMIC_MM], 58)
    if box == EMPTY:
        return
    y, z = canvas.y[box], canvas.z[box]
    muscle = canvas.where(box, (Organ.MUSCLE,))
    shell = np.clip((envelope.trunk[box] - 0.62) / 0.15, 0, 1)
    shell *= np.clip((-30 - y) / 20, 0, 1) * (z > MIMIC_MM[0]) * (z < MIMIC_MM[1])
    factor = 1 + (mimic - 1) * shell * np.clip(1 + 0.5 * canvas.rough[2][box], 0, 2)
    mouth = (canvas.x[box] / 33) ** 2 + ((y + 48) / 40) ** 2 + ((z - 661) / 26) ** 2
    ring = np.exp(-(((mouth - 1) / 0.3) ** 2)) * (y < -30)
    factor = np.maximum(factor, 1 + (gums - 1) * ring)
    canvas.suv[box][muscle] *= factor[muscle].astype(np.float32)


def _teeth(canvas: Canvas, patient: Patient) -> None:
    """An inflamed tooth or gum: a small hot focus at the jaw."""
    rng = patient.stream("teeth")
    if rng.random() >= TEETH:
        return
    along = rng.uniform(-1, 1)
    place = (36 * along, -84 + 40 * along**2, rng.choice([648.0, 668.0]))
    shape = ellipsoid(canvas, place, rng.uniform(3.5, 7, 3), roughness=0.1)
    value = rng.uniform(*TOOTH_SUV)
    into = (Organ.MUSCLE, Organ.SOFT, Organ.MARROW)
    if not shape.empty and paint(canvas, shape, Organ.BENIGN, value, None, into).any():
        patient.variants.append("periodontitis")

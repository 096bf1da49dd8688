"""Stomach: wall, contents, gas in front; a hot wall; a hiatal hernia."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.gut import Contents, paint_gut
from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import OPEN_CHEST, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

HOT_SHARE, HOT_SUV = 0.25, (2.8, 6.5)  # gastritis, or a contracted fundus
HERNIA_SHARE = 0.07


def paint_stomach(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the stomach by volume, from the fundus under the left dome to the pylorus."""
    rng = patient.stream("stomach")
    low, forward = float(rng.normal(0, 18)), 18 * patient.build.visceral
    full = float((patient.volume_ml(Organ.STOMACH) / 320) ** 0.5)
    line = smooth_line(
        [(52, 10, 362, 24), (62, 0, 342, 27), (66, -28, 310, 23), (54, -46, 282 + 0.6 * low, 18),
         (20, -52, 262 + low, 15), (-20, -42, 264 + 0.4 * low, 11)],
        10.0,
    )  # fmt: skip
    line[:, 1] -= forward
    line[:, 3] *= full
    shape = tube(canvas, line, 0.1, 1.7)
    if not shape.empty:
        count = shape.count
        at = (np.arange(count) + 0.5) / count
        hot = np.zeros(count)
        if rng.random() < HOT_SHARE:
            patient.variants.append("stomach wall")
            centre = float(rng.choice([0.1, 0.2, 0.85, rng.uniform(0, 1)]))
            hot = rng.uniform(*HOT_SUV) * np.exp(-(((at - centre) / 0.16) ** 2))
        water = rng.uniform(5, 35) if rng.random() < 0.7 else rng.uniform(40, 200)
        gas = np.full(count, rng.uniform(-0.5, 0.3))
        room = canvas.z[shape.box] < envelope.diaphragm[shape.box] - 1
        paint_gut(
            canvas, line, shape, Organ.STOMACH, patient.suv(Organ.STOMACH),
            patient.hu(Organ.STOMACH), Contents(np.full(count, water), gas), np.ones(count), hot,
            patient.volume_ml(Organ.STOMACH), 5.0, room,
        )  # fmt: skip
    if rng.random() < HERNIA_SHARE:
        _hiatal_hernia(canvas, patient, rng)


def _hiatal_hernia(canvas: Canvas, patient: Patient, rng: Generator) -> None:
    """A pouch of stomach above the diaphragm, behind the heart; its wall may be hot."""
    size = float(rng.uniform(13, 28))
    line = smooth_line([(14, 26, 352, 10), (8, 30, 372, size), (6, 30, 372 + size, 0.8 * size)], 8)
    shape = tube(canvas, line, 0.1, 1.2)
    suv = patient.suv(Organ.STOMACH) * rng.uniform(0.9, 1.8)
    inside = paint_parenchyma(
        canvas, shape, Organ.STOMACH, suv, patient.hu(Organ.STOMACH), into=OPEN_CHEST, mottle=0.12
    )
    if inside.any():
        patient.variants.append("hiatal hernia")
        gas = inside & (shape.level < 0.55) & (canvas.y[shape.box] < 30)
        canvas.fill(shape.box, gas, None, 0.3, -880.0)

"""Duodenum, jejunum and ileum: loops that lie differently in every patient."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.gut import (
    draw_contents,
    hot_segments,
    paint_gut,
    restless,
)
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

DUODENUM = 0.13  # of the small bowel's volume
LOOPS = {0: 0.4, 1: 0.3, 2: 0.18, 4: 0.12}  # hot ones
LOOP_SUV = (2.2, 6.0)
METFORMIN = (1.2, 2.6)  # of its uptake without it; the colon gets more: Gontier et al. 2008
HOT_DUODENUM_SHARE = 0.2


def paint_duodenum(canvas: Canvas, patient: Patient, envelope: Envelope, oral: bool) -> None:
    """A C round the pancreas' head; painted before the loops, which leave it its place."""
    rng = patient.stream("duodenum")
    line = np.array(
        [(-26, -40, 264, 11), (-44, -24, 254, 12), (-48, -8, 222, 12), (-34, -8, 202, 12),
         (-4, -20, 200, 11), (24, -18, 210, 11), (32, -26, 228, 10)], float
    )  # fmt: skip
    line[:, :3] += rng.normal(0, 4, 3)
    hot = int(rng.random() < HOT_DUODENUM_SHARE)
    knots = smooth_line(line, 9.0)
    painted = _paint(canvas, patient, envelope, rng, knots, DUODENUM, hot, oral)
    if hot and painted:
        patient.variants.append("duodenum")


def paint_small_bowel(canvas: Canvas, patient: Patient, envelope: Envelope, oral: bool) -> None:
    """Jejunum and ileum, into what the other organs have left of the belly."""
    rng = patient.stream("small bowel")
    number = int(rng.choice(list(LOOPS), p=list(LOOPS.values())))
    line = smooth_line(_loops(patient, rng), 15.0)
    painted = _paint(canvas, patient, envelope, rng, line, 1 - DUODENUM, number, oral)
    if number and painted:
        patient.variants.append("small bowel loop")


def _loops(patient: Patient, rng: Generator) -> Vector:
    """A wandering line, kept in the middle of the belly by reflection."""
    half = np.array([74 + 16 * patient.build.visceral, 36 + 8 * patient.build.visceral, 92])
    middle = np.array([rng.normal(0, 7), -32 - 16 * patient.build.visceral, 142])
    heading = rng.normal(size=3)
    place = np.array([0.4, -0.2, 0.8])  # where the duodenum ends
    points = []
    for _ in range(int(rng.integers(66, 84))):
        heading = 0.55 * heading + rng.normal(0, 0.75, 3)
        place = place + 0.48 * heading / np.linalg.norm(heading) * [1.0, 1.3, 0.8]
        over = np.abs(place) > 1
        heading[over] *= -1
        place = np.clip(place, -1, 1)
        points.append([*(middle + place * half), rng.uniform(9, 12.5)])
    return np.array(points)


def _paint(
    canvas: Canvas,
    patient: Patient,
    envelope: Envelope,
    rng: Generator,
    line: Vector,
    share: float,
    hot: int,
    oral: bool,
) -> bool:
    shape = tube(canvas, line, reach=1.7)
    if shape.empty:
        return False
    count = shape.count
    suv = patient.suv(Organ.SMALL_BOWEL)
    if patient.conditions.metformin:
        suv *= float(patient.stream("metformin small bowel").uniform(*METFORMIN))
    inside = paint_gut(
        canvas, line, shape, Organ.SMALL_BOWEL, suv,
        patient.hu(Organ.SMALL_BOWEL), draw_contents(rng, count, 0.08, 10, 50, oral),
        restless(rng, count, 0.28), hot_segments(rng, count, hot, *LOOP_SUV),
        share * patient.volume_ml(Organ.SMALL_BOWEL), 4.5, envelope.cavity[shape.box] < 1.0,
    )  # fmt: skip
    return bool(inside.any())

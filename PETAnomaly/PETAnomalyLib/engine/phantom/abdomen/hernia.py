"""Hernias of the navel and the groin: fat, and at times bowel, in a sac under the skin."""

from __future__ import annotations

from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube, united
from PETAnomalyLib.engine.phantom.frame.envelope import LOWEST_MM, Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

UMBILICAL_SHARE = 0.05
INGUINAL_SHARE = {"M": 0.05, "F": 0.01}
LOOP_SHARE = 0.4  # of hernias that hold bowel
NAVEL_MM = 165.0  # body z
WALL = (Organ.MUSCLE, Organ.FAT, Organ.SOFT)


def paint_hernias(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint a patient's hernias, after the organs of the belly."""
    rng = patient.stream("hernia")
    if rng.random() < UMBILICAL_SHARE:
        level = int(NAVEL_MM) - LOWEST_MM
        muscle = float(envelope.middle[level] - envelope.depth[level])
        size = min(float(rng.uniform(9, 22)), 6 + 0.7 * float(envelope.fat[level]))
        neck = tube(canvas, [(0, muscle + 24, NAVEL_MM, 7), (0, muscle - 4, NAVEL_MM, 7)])
        sac = ellipsoid(canvas, (0, muscle - 0.6 * size, NAVEL_MM), (size, size, 1.1 * size))
        _paint(canvas, patient, rng, [neck, sac], size, "umbilical hernia")
    if rng.random() < INGUINAL_SHARE[patient.build.sex]:
        side = int(rng.choice([-1, 1]))
        size = float(rng.uniform(9, 16))
        line = [(side * 52, -52, 30, 8), (side * 40, -74, 10, size), (side * 26, -86, -20, size)]
        sac = tube(canvas, smooth_line(line, 9.0), 0.08)
        _paint(canvas, patient, rng, [sac], size, "inguinal hernia")


def _paint(
    canvas: Canvas, patient: Patient, rng: Generator, parts: list[Shape], size: float, name: str
) -> None:
    sac = united(parts)
    inside = paint(
        canvas, sac, Organ.VISCERAL_FAT, patient.suv(Organ.VISCERAL_FAT),
        patient.hu(Organ.VISCERAL_FAT), WALL,
    )  # fmt: skip
    if not inside.any():
        return
    patient.variants.append(name)
    if rng.random() < LOOP_SHARE and size > 12:
        paint_parenchyma(
            canvas, sac, Organ.SMALL_BOWEL, patient.suv(Organ.SMALL_BOWEL) * rng.uniform(0.8, 2.0),
            patient.hu(Organ.SMALL_BOWEL), only=inside & (sac.level < 0.35), mottle=0.1,
        )  # fmt: skip

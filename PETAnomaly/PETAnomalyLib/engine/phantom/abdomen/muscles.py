"""Muscles at the back of the belly, and the fat round the kidneys."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import paint, tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, spine_y
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_muscles(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Open the perirenal space, then paint psoas, quadratus lumborum and the crura."""
    rng = patient.stream("psoas")
    thick = patient.build.muscle * (1.0 if patient.build.age < 65 else 0.88)
    suv, hu = patient.suv(Organ.MUSCLE), patient.hu(Organ.MUSCLE)
    for side in (-1, 1):
        _perirenal_fat(canvas, patient, envelope, side)
        size = thick * (1 + 0.06 * rng.normal())
        psoas = [(side * 25, spine_y(295) + 4, 295, 8), (side * 38, spine_y(215) + 10, 215, 16),
                 (side * 46, spine_y(160) + 8, 160, 20), (side * 54, spine_y(120) + 2, 120, 21),
                 (side * 68, 0, 70, 17), (side * 86, -14, 0, 13)]  # fmt: skip
        quadratus = [
            (side * 66, spine_y(280) + 34, 280, 9),
            (side * 72, spine_y(180) + 34, 180, 13),
        ]
        crus = [(side * 12, spine_y(345) - 22, 345, 4.5), (side * 15, spine_y(260) - 22, 260, 5.5)]
        for line in (psoas, quadratus, crus):
            shape = tube(canvas, np.array(line) * [1, 1, 1, size], 0.08)
            paint_parenchyma(
                canvas, shape, Organ.MUSCLE, suv, hu,
                into=(Organ.VISCERAL_FAT,), mottle=0.1,
            )  # fmt: skip


def _perirenal_fat(canvas: Canvas, patient: Patient, envelope: Envelope, side: int) -> None:
    """The envelope's muscle beside the spine makes room for a kidney and its fat."""
    x, y = side * 64, spine_y(240) + 8
    shape = tube(
        canvas, [(x, y + 2, 292, 32), (x + side * 4, y, 240, 37), (x + side * 8, y, 188, 32)]
    )
    if shape.empty:
        return
    room = (envelope.cavity[shape.box] < 1) & (np.abs(canvas.x[shape.box]) > 24)
    room &= canvas.z[shape.box] < envelope.diaphragm[shape.box] - 2
    paint(
        canvas, shape, Organ.VISCERAL_FAT, patient.suv(Organ.VISCERAL_FAT),
        patient.hu(Organ.VISCERAL_FAT), (Organ.MUSCLE,), only=room,
    )  # fmt: skip

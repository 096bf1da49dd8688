"""Mesentery and omentum: the vessels that run through the belly's fat."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

VESSEL_WIDTH = 0.1  # of the rough fields' standard deviations: one voxel or two
BLOOD_SHARE = 0.5  # of a voxel with a small vessel; the rest is fat


def paint_mesentery(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Make voxels of the belly's fat with a vessel in them denser and a little more avid.

    They stay fat: vessels are where two smooth fields are both about zero, which is along lines.
    """
    box = canvas.box([[0, -30, 90], [0, -30, 250]], 95)
    if box == EMPTY:
        return
    line = canvas.rough[0][box] ** 2 + canvas.rough[2][box] ** 2 < VESSEL_WIDTH
    line &= canvas.where(box, OPEN_BELLY) & (canvas.y[box] < envelope.spine[box] - 25)
    share = np.float32(BLOOD_SHARE)
    for values, blood in (
        (canvas.suv, patient.suv(Organ.BLOOD)),
        (canvas.hu, patient.hu(Organ.BLOOD)),
    ):
        values[box][line] += share * (np.float32(blood) - values[box][line])

"""How far the lungs are filled: the diaphragm stands where they have the patient's volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, VOXEL_ML, Box, Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import MEDIASTINUM_TABLE, Envelope
from PETAnomalyLib.engine.phantom.organs import OPEN_CHEST, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

HIGHEST_MM, LOWEST_MM = 36.0, 28.0  # how far it moves up and down at most
ENDS_MM = (290.0, 576.0)  # body z of the lungs: what is not seen of them cannot be measured
SPINE_MM, RECESS_MM = 25.0, 16.0  # half width of the spine; how far before its middle
TAKEN = 0.9  # share of the envelope's lungs that heart and vessels leave


def breathe(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Move the diaphragm, in `envelope` and on the canvas, before anything is painted on it."""
    box = canvas.box([(0, 0, z) for z in ENDS_MM], 140)
    if box == EMPTY or canvas.z[0].max() > ENDS_MM[0] or canvas.z[-1].min() < ENDS_MM[1]:
        return
    _recesses(canvas, patient, envelope)
    lung = np.nonzero(canvas.organ[box] == Organ.LUNG)
    excess = round(len(lung[0]) - patient.volume_ml(Organ.LUNG) / TAKEN / VOXEL_ML)
    height = (canvas.z[box] - envelope.diaphragm[box])[lung]
    if excess > 0:
        up = min(float(np.partition(height, excess)[excess]), HIGHEST_MM)
        gone = tuple(axis[height < up] for axis in lung)
        canvas.organ[box][gone] = Organ.VISCERAL_FAT
        canvas.suv[box][gone] = patient.suv(Organ.VISCERAL_FAT)
        canvas.hu[box][gone] = patient.hu(Organ.VISCERAL_FAT)
    else:
        up = -_lower(canvas, patient, envelope, -excess)
    envelope.diaphragm += np.float32(up)
    envelope.dome_right += up
    envelope.dome_left += up


def _lower(canvas: Canvas, patient: Patient, envelope: Envelope, wanted: int) -> float:
    """Fill lung into the belly's fat below the diaphragm; returns by how many mm."""
    box = canvas.box([(0, 0, z) for z in (ENDS_MM[0], envelope.dome_right)], 140)
    aside = np.abs(canvas.x[box]) > MEDIASTINUM_TABLE[envelope.level[box]]
    depth = envelope.diaphragm[box] - canvas.z[box]
    room = np.nonzero(
        (canvas.organ[box] == Organ.VISCERAL_FAT) & aside & (depth >= 0) & (depth < LOWEST_MM)
        & (canvas.z[box] > ENDS_MM[0] - 20)
    )  # fmt: skip
    depths = depth[room]
    wanted = min(wanted, len(depths) - 1)
    if wanted < 1:
        return 0.0
    down = float(np.partition(depths, wanted)[wanted])
    _air(canvas, patient, box, tuple(axis[depths < down] for axis in room))
    return down


def _recesses(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Lung reaches back beside the spine, behind heart and oesophagus."""
    box = canvas.box([(0, 60, z) for z in ENDS_MM], 44)
    beside = np.abs(canvas.x[box]) - SPINE_MM - np.float32(3) * canvas.rough[0][box]
    behind = canvas.y[box] - envelope.spine[box] + RECESS_MM
    room = (np.minimum(beside, behind) > 0) & (envelope.cavity[box] < 1)
    room &= canvas.z[box] > envelope.diaphragm[box]
    room &= canvas.where(box, OPEN_CHEST)
    _air(canvas, patient, box, np.nonzero(room))


def _air(canvas: Canvas, patient: Patient, box: Box, new: tuple[NDArray[np.intp], ...]) -> None:
    """Fill lung in: denser and better perfused behind, as the envelope has it."""
    sag = np.float32(0.0022) * canvas.y[box][new]
    grain = canvas.rough[2][box][new]
    canvas.organ[box][new] = Organ.LUNG
    canvas.suv[box][new] = patient.suv(Organ.LUNG) * (1 + 1.2 * sag + 0.12 * grain)
    canvas.hu[box][new] = patient.hu(Organ.LUNG) * (1 - 0.35 * sag) + 18 * grain

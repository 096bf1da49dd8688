"""Fluid in the pleural space, and lung that has collapsed: both lie where gravity puts them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, VOXEL_ML, Box, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

FLUID_HU, FLUID_SUV = (2.0, 22.0), (0.7, 1.4)  # transudate to exudate
COLLAPSED_HU, ENHANCED_HU = (25.0, 50.0), 55.0
COLLAPSED_SUV = (1.1, 2.3)  # no air between its cells any more, and some inflammation
LOWER_LOBE = 0.5  # of a lung
SHRINKS = 0.4  # volume of collapsed lung, of what it was
DEPENDENT_HU, DEPENDENT_MM = 140.0, 14.0  # the few mm that collapse in everybody who lies
TALC, TALC_SUV, PLEURA = 0.006, (3.0, 9.0), 0.91  # share a side, uptake; of the cavity
BASE_MM = 60.0  # of a lung below the top of its dome
UNEVEN_MM = 9.0  # how far an atelectasis is from a slab
MOST_FLUID = 0.6  # of a lung's space

Index = tuple[NDArray[np.intp], ...]


def paint_pleura(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint effusions, then atelectases in front of them, then what collapses in everybody."""
    conditions = patient.conditions
    box = canvas.box([(0, 0, 290), (0, 0, 560)], 140)
    if box == EMPTY:
        return
    lungs = np.nonzero(canvas.organ[box] == Organ.LUNG)
    aside = canvas.x[box][lungs]
    for side, number in ((-1, 0), (1, 1)):
        fluid, share = conditions.effusion_ml[number], conditions.atelectasis[number]
        lung = _at(lungs, np.flatnonzero((aside > 0) == (side > 0)))
        dome = envelope.dome_right if side < 0 else envelope.dome_left
        # Fluid and collapse begin at the bases: a scan that starts above them shows neither.
        if not len(lung[0]) or canvas.z[0].min() > dome - BASE_MM:
            continue
        rng = patient.stream(f"pleura {number}")
        x, y, z = (field[box][lung] for field in (canvas.x, canvas.y, canvas.z))
        # Its surface is level in a patient on the back; it creeps up along the wall.
        low = -y + np.float32(0.1) * (z - dome) - np.float32(0.12) * np.abs(x)
        if fluid:
            used = min(round(fluid / VOXEL_ML), round(MOST_FLUID * len(low)))
            _fill(canvas, box, _at(lung, np.argsort(low, kind="stable")[:used]), Organ.EFFUSION,
                  rng.uniform(*FLUID_SUV), rng.uniform(*FLUID_HU))  # fmt: skip
            patient.variants.append("pleural effusion")
        if share:
            uneven = np.float32(UNEVEN_MM) * canvas.rough[0][box][lung]
            _collapse(canvas, patient, box, lung, low + _base(z, dome) + uneven, share)
        if patient.stream(f"talc {number}").random() < TALC:
            _talc(canvas, patient, box, lung, envelope.cavity[box][lung])
        rest = np.flatnonzero(canvas.organ[box][lung] == Organ.LUNG)
        if len(rest):
            _dependent(canvas, box, _at(lung, rest), low[rest], rng.uniform(0.2, 1.0))


def _base(z: Array, dome: float) -> Array:
    """What makes collapse begin at the diaphragm, not at the apex."""
    return np.float32(0.5) * np.clip(z - dome, 0, None)


def _collapse(
    canvas: Canvas, patient: Patient, box: Box, lung: Index, low: Array,
    share: float,
) -> None:  # fmt: skip
    """Paint an atelectasis into what air the side has left."""
    rng = patient.stream("atelectasis")
    still = canvas.organ[box][lung] == Organ.LUNG
    count = round(SHRINKS * share * LOWER_LOBE * len(low))
    chosen = np.argsort(np.where(still, low, np.inf), kind="stable")[: min(count, int(still.sum()))]
    hu = rng.uniform(*COLLAPSED_HU) + (ENHANCED_HU if patient.conditions.contrast else 0)
    where = _at(lung, chosen)
    grain = canvas.rough[2][box][where]
    _fill(canvas, box, where, Organ.ATELECTASIS,
          rng.uniform(*COLLAPSED_SUV) * (1 + 0.1 * grain), hu + 12 * grain)  # fmt: skip
    if len(chosen):
        patient.variants.append("atelectasis")


def _talc(canvas: Canvas, patient: Patient, box: Box, lung: Index, cavity: Array) -> None:
    """Talc that once glued the pleura: dense plaques, inflamed for years."""
    rng = patient.stream("pleurodesis")
    plaque = (cavity > PLEURA) & (canvas.y[box][lung] > 20) & (canvas.rough[0][box][lung] > 0.4)
    plaque &= canvas.organ[box][lung] == Organ.LUNG
    where = _at(lung, np.flatnonzero(plaque))
    grain = 1 + 0.2 * canvas.rough[2][box][where]
    _fill(canvas, box, where, Organ.BENIGN, rng.uniform(*TALC_SUV) * grain, rng.uniform(90, 300))
    if plaque.any():
        patient.variants.append("pleurodesis")


def _dependent(canvas: Canvas, box: Box, lung: Index, low: Array, degree: float) -> None:
    """Denser lung along the back of everybody who lies."""
    near = np.clip(1 - (low - low.min()) / DEPENDENT_MM, 0, 1) * np.float32(degree)
    canvas.hu[box][lung] += DEPENDENT_HU * near
    canvas.suv[box][lung] *= 1 + near


def _at(lung: Index, chosen: NDArray[np.intp]) -> Index:
    return tuple(axis[chosen] for axis in lung)


def _fill(
    canvas: Canvas, box: Box, where: Index, organ: Organ,
    suv: float | Array, hu: float | Array,
) -> None:  # fmt: skip
    canvas.organ[box][where] = organ
    canvas.suv[box][where] = suv
    canvas.hu[box][where] = hu

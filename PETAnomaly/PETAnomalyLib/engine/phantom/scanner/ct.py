"""The CT: a moment of breathing, a patient who has moved, metal, truncation, streaks, noise."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.breathing import Breathing
from PETAnomalyLib.engine.phantom.scanner.couch import couch
from PETAnomalyLib.engine.phantom.scanner.image_grid import ImageGrid
from PETAnomalyLib.engine.phantom.scanner.metal import add_metal_streaks
from PETAnomalyLib.engine.phantom.scanner.sampling import HU_STEPS, blurring, sampled
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner
from PETAnomalyLib.engine.phantom.scanner.white_noise import white_noise

AIR_HU, NOTHING_HU = -1000.0, -1024.0
FWHM_MM = 3.0  # of a CT that was laid onto a PET's voxels
ARMS_MOVE, HEAD_MOVES = 0.15, 0.3  # shares of patients who move these between CT and PET
NECK_MM = 590.0  # body z above which the head moves
STARVED_MM = 330.0
"""Water along a row beyond which too few photons come through a low-dose CT."""
MOST_STREAK_HU = 110.0


def ct_moment(
    canvas: Canvas, patient: Patient, envelope: Envelope, breathing: Breathing, scanner: Scanner
) -> Array:
    """HU on the canvas (k, j, i) as they were when the CT was taken, as far as it could see."""
    hu = canvas.hu.copy()
    hu[breathing.slab] = breathing.at(canvas.hu, scanner.ct_breath_mm, HU_STEPS)
    _move_arms(hu, patient, envelope)
    _move_head(hu, canvas, patient)
    distance = np.hypot(canvas.axes[1][:, None], canvas.axes[2][None, :])
    hu[:, distance > scanner.ct_field_mm / 2] = AIR_HU
    return hu


def _move_arms(hu: Array, patient: Patient, envelope: Envelope) -> None:
    rng = patient.stream("arms move")
    if rng.random() >= ARMS_MOVE:
        return
    voxels = [int(n) for n in np.rint(rng.normal(0, 12, 2) / STEP_MM)]
    beside = envelope.arms | ((envelope.skin > 1.1) & (hu < -500))
    hu[beside] = np.roll(hu, voxels, (1, 2))[beside]


def _move_head(hu: Array, canvas: Canvas, patient: Patient) -> None:
    """The head turned or nodded: the higher up, the farther it has moved, to a voxel."""
    rng = patient.stream("head moves")
    if rng.random() >= HEAD_MOVES:
        return
    z = canvas.z[:, canvas.shape[1] // 2, canvas.shape[2] // 2]
    share = np.clip((z - NECK_MM) / 120, 0, 1) * np.float32(rng.uniform(0.5, 1.0))
    above = np.flatnonzero(share > 0)
    if not len(above):
        return
    part = hu[above[0] :]
    moved = np.roll(part, int(rng.choice([-1, 1])), int(rng.integers(1, 3)))
    part += share[above[0] :, None, None] * (moved - part)


def measure_ct(
    moment: Array, canvas: Canvas, patient: Patient, scanner: Scanner, grid: ImageGrid
) -> Array:
    """The CT (HU, float32) on the whole of `grid`, (k, j, i), as if resampled to the PET's voxels.

    Args:
        moment: from `ct_moment`.
        canvas: the patient.
        patient: whose random numbers decide.
        scanner: that measures.
        grid: of the image.
    """
    rng = patient.stream("ct noise")
    hu = moment - np.float32(AIR_HU)
    starved = _starved(hu)
    body = hu > 300
    hu += (_streaks(rng, scanner, starved)[:, :, None]) * body
    add_metal_streaks(hu, canvas, rng)
    axes = [
        blurring(grid.axis(axis) - scanner.apart_mm[2 - axis], canvas.axes[axis], FWHM_MM, 0,
                 axis == 0)
        for axis in range(3)
    ]  # fmt: skip
    part = sampled(hu, axes, HU_STEPS)
    part += np.float32(AIR_HU)
    np.maximum(part, couch(canvas, patient, grid)[None], out=part)
    _add_noise(part, rng, scanner, np.interp(grid.axis(0), canvas.axes[0], starved.mean(1)))
    y, x = grid.axis(1) - scanner.apart_mm[1], grid.axis(2) - scanner.apart_mm[0]
    unseen = np.hypot(y[:, None], x[None, :]) > scanner.ct_field_mm / 2
    part[:, unseen] = NOTHING_HU
    np.clip(part, NOTHING_HU, 3071, out=part)
    return grid.whole(part, NOTHING_HU)


def _starved(above_air: Array) -> Array:
    """Water along each row, left to right, mm, (k, j)."""
    water = np.minimum(above_air[:, :, ::2], 2000).sum(2, dtype=np.float64)
    starved: Array = (water * (2 * STEP_MM / 1000)).astype(np.float32)
    return starved


def _streaks(rng: np.random.Generator, scanner: Scanner, water_mm: Array) -> Array:
    """HU of horizontal streaks through shoulders and hips, (k, j)."""
    streaks = rng.standard_normal(water_mm.shape, dtype=np.float32)
    streaks += np.float32(0.7) * np.roll(streaks, 1, 1)
    least = np.float32(3.0 if scanner.low_dose else 1.2)
    size = least * np.exp(np.float32(0.0105) * (water_mm - np.float32(STARVED_MM)))
    streaks *= np.clip(size, 0, MOST_STREAK_HU / (1 if scanner.low_dose else 2.5))
    return streaks


def _add_noise(part: Array, rng: np.random.Generator, scanner: Scanner, water_mm: Array) -> None:
    """Noise of every slice, more where the patient is thick; tube currents make up for half."""
    size = scanner.ct_noise_hu * np.exp(np.clip((water_mm - water_mm.mean()) / 260, -0.5, 0.6))
    noise = white_noise(rng, part.shape)
    noise[:, :, 1:] += np.float32(0.6) * noise[:, :, :-1]
    noise *= (size / np.hypot(1, 0.6)).astype(np.float32)[:, None, None]
    part += noise

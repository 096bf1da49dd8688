"""Errors of the PET's corrections: attenuation that is not the CT's, scatter of hot organs."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.coarse import CELL_MM, pooled, spread_out
from PETAnomalyLib.engine.phantom.scanner.sampling import SUV_STEPS, sampled
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner

WATER_PER_MM = 0.0096
"""Attenuation of 511 keV photons in water."""
METAL_EXCESS = 0.9
"""How much more attenuation the CT's scaling gives to metal than 511 keV photons meet, water's."""
STARVED_MM = 340.0
"""Water along a row beyond which too few photons of the CT are left."""
BETWEEN_ARMS = 0.09  # one standard deviation of attenuation, 150 mm of water above that
HOT_SUV = 12.0
"""Organs hotter than this, and large, have too much scatter taken away round them."""
LEAST_ERROR = 0.01


def apply_correction_errors(
    emission: Array,
    canvas: Canvas,
    patient: Patient,
    scanner: Scanner,
    absorbs: Array,
    ct: Array,
) -> None:
    """Multiply `emission` (k, j, i) in place by what wrong corrections make of it.

    Args:
        emission: uptake on the canvas.
        canvas: the patient.
        patient: whose random numbers decide.
        scanner: that measured.
        absorbs: HU that the photons met, averaged over the PET's time.
        ct: HU that the CT showed, on the canvas.
    """
    excess = _excess(canvas, absorbs, ct)
    if patient.build.arms != "up":
        excess += _between_arms(patient, pooled(ct))
    factor = np.exp(WATER_PER_MM * _along_lines(excess))
    factor *= _scatter(pooled(emission), scanner)
    wrong = np.flatnonzero((np.abs(factor - 1) > LEAST_ERROR).any((1, 2)))
    if not len(wrong):
        return
    cells = canvas.shape[0] / len(factor)
    slices = slice(max(0, int((wrong[0] - 1) * cells)), int((wrong[-1] + 2) * cells) + 1)
    emission[slices] *= sampled(factor.astype(np.float32), spread_out(canvas, slices), SUV_STEPS)


def _excess(canvas: Canvas, absorbs: Array, ct: Array) -> Array:
    """Attenuation that the CT shows too much, in water's, on coarse cells."""
    difference = ct - absorbs
    np.clip(difference, -1100, 1100, out=difference)
    metal = canvas.organ == Organ.METAL
    if metal.any():
        difference[metal] += 1000 * METAL_EXCESS
    excess = pooled(difference)
    excess /= 1000
    return excess


def _between_arms(patient: Patient, hu: Array) -> Array:
    """Attenuation that the CT shows too little or too much in rows that lead through both arms:
    the beam hardens, and few photons are left. On coarse cells, water's."""
    rng = patient.stream("between arms")
    body = hu > -500
    water = np.clip(1 + hu / 1000, 0, 2).sum(2) * CELL_MM
    starved = np.clip((water - STARVED_MM) / 150, 0, 1.5)
    bands = rng.normal(-0.5, 1, starved.shape) * BETWEEN_ARMS * starved
    return (bands[:, :, None] * body).astype(np.float32)


def _along_lines(excess: Array) -> Array:
    """The integral of `excess` along lines through each cell, mean over all directions, mm.

    The mean over directions of line integrals in a plane is a convolution with 1 / (pi r).
    """
    if not np.abs(excess).max() > 0:
        return excess
    rows, columns = excess.shape[1:]
    size = [fft.next_fast_len(2 * n) for n in (rows, columns)]
    v, u = (np.minimum(np.arange(n), n - np.arange(n))[:, None] * CELL_MM for n in size)
    distance = np.hypot(v, u.T)
    distance[0, 0] = 1.0
    kernel = CELL_MM**2 / (np.pi * distance)
    kernel[0, 0] = CELL_MM * 4 * np.log(1 + np.sqrt(2)) / np.pi  # the mean over the cell itself
    spectrum = fft.rfft2(excess.astype(np.float64), size) * fft.rfft2(kernel)
    found: Array = fft.irfft2(spectrum, size)[:, :rows, :columns].astype(np.float32)
    return found


def _scatter(uptake: Array, scanner: Scanner) -> Array:
    """Factor of each cell: a cold halo round very hot organs, most beside them in the plane."""
    hot = np.maximum(uptake - HOT_SUV, 0) / HOT_SUV
    if not hot.any():
        return np.ones_like(uptake)
    halo = 3 * ndimage.gaussian_filter(hot, (0.8, 2.0, 2.6), truncate=3.0)
    return 1 - scanner.scatter * np.minimum(halo, 1) * (uptake < HOT_SUV / 2)

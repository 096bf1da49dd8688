"""The PET: breathing, wrong corrections, resolution, noise."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.breathing import Breathing
from PETAnomalyLib.engine.phantom.scanner.correction import apply_correction_errors
from PETAnomalyLib.engine.phantom.scanner.image_grid import ImageGrid
from PETAnomalyLib.engine.phantom.scanner.noise import count_noise
from PETAnomalyLib.engine.phantom.scanner.sampling import (
    HU_STEPS,
    SUV_STEPS,
    Matrix,
    blurring,
    sampled,
)
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner


def point_spread(canvas: Canvas, scanner: Scanner, grid: ImageGrid) -> tuple[Matrix, ...]:
    """Weights along z, y and x of the canvas's voxels in each voxel of `grid.box`."""
    return tuple(
        blurring(grid.axis(axis), canvas.axes[axis], scanner.fwhm_mm, scanner.overshoot, axis == 0)
        for axis in range(3)
    )


def measure_pet(
    canvas: Canvas,
    patient: Patient,
    breathing: Breathing,
    scanner: Scanner,
    grid: ImageGrid,
    ct: Array,
) -> Array:
    """The PET (SUV, float32) of the painted uptake on the whole of `grid`, (k, j, i).

    Args:
        canvas: painted.
        patient: whose random numbers decide.
        breathing: of the patient.
        scanner: that measures.
        grid: of the image.
        ct: HU on the canvas that the attenuation is corrected with: `ct_moment`.
    """
    emission, absorbs = canvas.suv.copy(), canvas.hu.copy()
    emission[breathing.slab] = breathing.averaged(canvas.suv, scanner.breath_mm, SUV_STEPS)
    absorbs[breathing.slab] = breathing.averaged(canvas.hu, scanner.breath_mm, HU_STEPS)
    apply_correction_errors(emission, canvas, patient, scanner, absorbs, ct)
    pet = sampled(emission, point_spread(canvas, scanner, grid), SUV_STEPS)
    pet += count_noise(emission, canvas, patient, scanner, grid)
    np.maximum(pet, 0, out=pet)
    return grid.whole(pet, 0)

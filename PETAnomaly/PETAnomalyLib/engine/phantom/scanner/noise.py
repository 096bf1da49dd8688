"""The PET's noise: how much by counts, attenuation and bed, and which texture."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.coarse import CELL_MM, cell_axis, pooled
from PETAnomalyLib.engine.phantom.scanner.correction import WATER_PER_MM
from PETAnomalyLib.engine.phantom.scanner.image_grid import ImageGrid
from PETAnomalyLib.engine.phantom.scanner.sampling import (
    SUV_STEPS,
    Matrix,
    linear,
    sampled,
    unit_variance,
)
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner
from PETAnomalyLib.engine.phantom.scanner.white_noise import white_noise

AVERAGE_RADIUS_MM = 140.0
"""Of a cylinder of water that absorbs as an average abdomen does; noise is given for that."""
SIZE_EXPONENT = {False: 0.85, True: 0.5}  # without and with time of flight
WHITE_PER_FWHM = 1.45
"""White noise is drawn so many times per width of the filter, or once a voxel if that is less."""
FEWEST_COUNTS = 0.14  # of the middle of a bed, at the ends of a scan


def count_noise(
    emission: Array, canvas: Canvas, patient: Patient, scanner: Scanner, grid: ImageGrid
) -> Array:
    """Noise (SUV) of the voxels of `grid.box`.

    Args:
        emission: uptake on the canvas, as it was counted.
        canvas: the patient.
        patient: whose random numbers decide.
        scanner: that measured.
        grid: of the image.
    """
    lattice = [_lattice(grid, axis, scanner) for axis in range(3)]
    halves = pooled(emission, 2)
    carry = [linear(lattice[axis], cell_axis(canvas, axis, 2)) for axis in range(3)]
    spread = np.sqrt(np.maximum(sampled(halves, carry, SUV_STEPS), 0) + 0.003)
    level = scanner.liver_cov * np.sqrt(patient.suv(Organ.LIVER))
    level *= _by_size(canvas, scanner, lattice[0]) * _by_bed(patient, scanner, lattice[0])
    spread *= level[:, None, None].astype(np.float32)
    spread *= _by_depth(patient, lattice)
    axes = [
        unit_variance(grid.axis(axis), lattice[axis], scanner.noise_fwhm_mm) for axis in range(3)
    ]
    spread *= _white(patient, scanner, spread.shape, axes)
    return sampled(spread, axes, SUV_STEPS)


def _lattice(grid: ImageGrid, axis: int, scanner: Scanner) -> Matrix:
    """Where white noise is drawn along an array axis, mm on the canvas."""
    voxels = grid.axis(axis)
    pitch = scanner.noise_fwhm_mm / WHITE_PER_FWHM
    if grid.spacing_mm[2 - axis] >= pitch:
        return voxels
    return np.arange(voxels[0] - 2 * pitch, voxels[-1] + 2 * pitch, pitch)


def _white(patient: Patient, scanner: Scanner, shape: tuple[int, ...], axes: list[Matrix]) -> Array:
    """White noise, and in it noise that neighbours share, so that blobs come out of the filter."""
    rng = patient.stream("counts")
    white = white_noise(rng, shape)
    white *= np.float32(np.sqrt(1 - scanner.blobs))
    blocks = white_noise(rng, tuple(-(-n // 2) for n in shape))
    # What the filter makes of the variance of noise that two neighbours share along each axis.
    grown = 1.0
    for weights in axes:
        pairs = np.add.reduceat(weights, np.arange(0, weights.shape[1], 2), 1)
        grown *= float((pairs * pairs).sum() / (weights * weights).sum())
    blocks *= np.float32(np.sqrt(scanner.blobs / grown))
    blocks = np.repeat(blocks, 2, axis=2)[:, :, : shape[2]]
    for k in (0, 1):
        for j in (0, 1):
            part = white[k::2, j::2]
            part += blocks[: part.shape[0], : part.shape[1]]
    return white


def _by_size(canvas: Canvas, scanner: Scanner, z: Matrix) -> Matrix:
    """Factor at each z: how much of the radiation the patient's cross-section absorbs."""
    water = np.clip(1 + pooled(canvas.hu) / 1000, 0, 1.6).sum((1, 2), dtype=np.float64)
    radius = np.sqrt(water * CELL_MM**2 / np.pi)
    absorbed = WATER_PER_MM * SIZE_EXPONENT[scanner.model.time_of_flight]
    excess = np.clip(absorbed * (radius - AVERAGE_RADIUS_MM), -0.7, 0.55)
    factor: Matrix = np.exp(np.interp(z, cell_axis(canvas, 0), excess))
    return factor


def _by_depth(patient: Patient, lattice: list[Matrix]) -> Array:
    """Factor of each column: the middle of the body is seen through more tissue."""
    x, y = lattice[2] / (170 * patient.pose.scale[0]), lattice[1] / (115 * patient.pose.scale[1])
    outwards = np.minimum(x[None, :] ** 2 + y[:, None] ** 2, 2)
    return np.clip(1.12 - 0.3 * outwards, 0.72, 1.12).astype(np.float32)


def _by_bed(patient: Patient, scanner: Scanner, z: Matrix) -> Matrix:
    """Factor at each z: a bed counts most in its middle, and nothing overlaps the scan's ends."""
    rng = patient.stream("beds")
    low, high = float(z[0]) - STEP_MM, float(z[-1]) + STEP_MM
    length = scanner.model.bed_mm
    if length == 0:  # the couch moves on: even but for the run-in
        counts = np.clip(np.minimum(z - low, high - z) / 40, FEWEST_COUNTS, 1)
        return 1 / np.sqrt(counts)
    overlap = rng.uniform(0.25, 0.5)
    beds = max(1, int(np.ceil((high - low - overlap * length) / (length * (1 - overlap)))))
    step = (high - low - length) / (beds - 1) if beds > 1 else 0.0
    middles = low + length / 2 + step * np.arange(beds) if beds > 1 else [(low + high) / 2]
    counts = np.zeros(len(z))
    for middle in middles:
        counts += np.maximum(1 - np.abs(z - middle) / (length / 2), 0)
    return 1 / np.sqrt(np.maximum(counts / np.median(counts), FEWEST_COUNTS))

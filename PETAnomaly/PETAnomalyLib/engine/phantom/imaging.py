"""The scanner: point-spread, breathing, count noise and CT noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PETAnomalyLib.engine.phantom.body import Envelope
from PETAnomalyLib.engine.phantom.canvas import GRID_IJ, SPACING_MM, Array, Canvas
from PETAnomalyLib.engine.phantom.patient import Patient

FWHM_TO_SD = 1 / np.sqrt(8 * np.log(2))


@dataclass(frozen=True)
class Scanner:
    """How a study was measured.

    Attributes:
        fwhm_mm: point-spread of the reconstructed PET.
        liver_cov: coefficient of variation of liver voxels, from counts alone.
        breath_mm: full width of the respiratory blur at the diaphragm.
        ct_noise_hu: standard deviation of CT noise.
    """

    fwhm_mm: float
    liver_cov: float
    breath_mm: float
    ct_noise_hu: float

    @property
    def psf_voxels(self) -> tuple[float, float, float]:
        """Standard deviation of the point-spread in voxels along k, j, i."""
        sd = self.fwhm_mm * FWHM_TO_SD
        return (sd / SPACING_MM[2], sd / SPACING_MM[1], sd / SPACING_MM[0])


def draw_scanner(patient: Patient) -> Scanner:
    """Scanner and protocol: heavier patients give fewer counts and noisier images."""
    rng = patient.stream("scanner")
    return Scanner(
        fwhm_mm=float(rng.uniform(5.0, 7.0)),
        liver_cov=float(
            np.clip(0.1 * (patient.build.bmi / 26) ** 0.8 * np.exp(rng.normal(0, 0.16)), 0.07, 0.13)
        ),
        breath_mm=float(rng.uniform(3, 13)),
        ct_noise_hu=float(rng.uniform(6, 16)),
    )


def measure_pet(canvas: Canvas, patient: Patient, envelope: Envelope, scanner: Scanner) -> Array:
    """The PET (SUV) of the painted uptake, on the canvas (k, j, i)."""
    pet = canvas.suv
    breathing = _breathing(pet, envelope, canvas, scanner)
    pet = ndimage.gaussian_filter(breathing, scanner.psf_voxels, truncate=3.0)
    rng = patient.stream("counts")
    noise = rng.standard_normal(canvas.shape, dtype=np.float32)
    # Reconstruction correlates neighbours, over about the width of its post-filter.
    width = [0.85 * sd for sd in scanner.psf_voxels]
    noise = ndimage.gaussian_filter(noise, width, truncate=3.0)
    noise /= np.float32(noise[::4, ::4, ::4].std())
    scale = scanner.liver_cov * np.sqrt(patient.uptake.liver)
    # The middle of the body is seen through more tissue: more attenuation, more noise.
    depth = np.clip(1.12 - 0.3 * np.minimum(envelope.trunk, 2), 0.7, 1.12)
    spread = np.sqrt(np.maximum(pet, 0) + 0.004)
    spread *= np.float32(scale) * depth.astype(np.float32)
    pet += spread * noise
    np.maximum(pet, 0, out=pet)
    return pet


def _breathing(pet: Array, envelope: Envelope, canvas: Canvas, scanner: Scanner) -> Array:
    """PET averages over minutes of breathing, CT is a moment: domes blur along z."""
    low, high = _slab(canvas, 250, 440)
    if high - low < 4:
        return pet
    part = pet[low:high]
    moved = ndimage.uniform_filter1d(part, max(1, round(scanner.breath_mm / SPACING_MM[2])), axis=0)
    weight = np.exp(-(((canvas.z[low:high] - 360) / 55) ** 2)) * (envelope.cavity[low:high] < 1.05)
    result = pet.copy()
    result[low:high] += (moved - part) * weight.astype(np.float32)
    return result


def _slab(canvas: Canvas, low_mm: float, high_mm: float) -> tuple[int, int]:
    inside = np.flatnonzero((canvas.z > low_mm).any((1, 2)) & (canvas.z < high_mm).any((1, 2)))
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)


def measure_ct(canvas: Canvas, patient: Patient, scanner: Scanner) -> Array:
    """The CT (HU) on the whole grid (k, 168, 168): body, couch, noise; in PET voxels."""
    hu = ndimage.gaussian_filter(canvas.hu, (0.55, 0.5, 0.5), truncate=2.5)
    full = np.full((canvas.shape[0], GRID_IJ, GRID_IJ), -1000, np.float32)
    _, j, i = canvas.first
    _couch(full, canvas, patient)
    part = full[:, j : j + canvas.shape[1], i : i + canvas.shape[2]]
    np.maximum(part, hu, out=part)
    rng = patient.stream("ct noise")
    noise = rng.standard_normal(part.shape, dtype=np.float32)
    noise = ndimage.uniform_filter1d(noise, 2, axis=2)
    part += np.float32(1.4 * scanner.ct_noise_hu) * noise
    np.clip(full, -1024, 3000, out=full)
    return full


def _couch(full: Array, canvas: Canvas, patient: Patient) -> None:
    """A curved carbon couch just behind the back."""
    body = np.flatnonzero((canvas.tissue > 0).any((0, 2)))
    back = canvas.first[1] + int(body[-1]) + 1 if len(body) else GRID_IJ // 2
    rng = patient.stream("couch")
    bend = rng.uniform(0.0012, 0.0022)
    columns = (np.arange(GRID_IJ) - (GRID_IJ - 1) / 2) * SPACING_MM[0]
    for column, x in enumerate(columns):
        if abs(x) > 212:
            continue
        top = back + round((26 - bend * x * x * 0.55) / SPACING_MM[1]) - 5
        for row, value in ((top, -320), (top + 1, -870), (top + 2, -880), (top + 6, -350)):
            if 0 <= row < GRID_IJ:
                full[:, row, column] = value

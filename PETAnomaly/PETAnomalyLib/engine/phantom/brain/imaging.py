"""The scanner: point-spread and slice thickness, receive field, noise."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from PETAnomalyLib.engine.phantom.brain.grid import Array

FWHM_TO_SD = 1 / np.sqrt(8 * np.log(2))


class Scan:
    """How one contrast of a head is measured, drawn by seed.

    Attributes:
        fwhm_mm: point-spread in the plane.
        slice_mm: thickness of the slices that were measured, along z.
        bias: largest receive field as a part of the smallest.
        noise: standard deviation in each channel, of white matter's signal.
        gain: white matter's value in the image.
    """

    def __init__(self, rng: Generator, contrast: str, field_tesla: float) -> None:
        # T1w is measured in three dimensions; half of all T2w and FLAIR in slices.
        sliced = contrast in ("T2w", "FLAIR") and rng.random() < 0.5
        self.slice_mm = float(rng.uniform(2.0, 5.0)) if sliced else 1.0
        self.fwhm_mm = float(rng.uniform(0.9, 1.25))
        strength = 0.30 if field_tesla > 2 else 0.16
        self.coefficients = rng.normal(0, 1, (4, 4, 4))
        for a, b, c in np.ndindex(4, 4, 4):
            if not 0 < a + b + c < 4:
                self.coefficients[a, b, c] = 0
        self.log_range = float(rng.uniform(0.5, 1.3) * strength)
        self.noise = float(rng.uniform(0.015, 0.045) * (1 if field_tesla > 2 else 1.3))
        self.gain = float(np.exp(rng.uniform(np.log(250), np.log(1200))))

    def measure(self, rng: Generator, signal: Array, white: float, voxel_mm: float) -> Array:
        """The magnitude image of a signal (k x j x i), float32.

        Args:
            rng: of the noise.
            signal: without noise.
            white: of a voxel full of white matter.
            voxel_mm: the edge of the voxels.
        """
        image = self.blurred(signal, voxel_mm) * np.float32(self.gain / white)
        image *= self.receive_field(signal.shape)
        sd = np.float32(self.noise * self.gain)
        image += sd * rng.standard_normal(signal.shape, dtype=np.float32)
        image *= image
        image += (sd * rng.standard_normal(signal.shape, dtype=np.float32)) ** 2
        return np.sqrt(image, out=image)

    def blurred(self, signal: Array, voxel_mm: float) -> Array:
        """As the point-spread and the slices show it; a voxel averages over itself at least."""
        width = max(self.fwhm_mm, 0.9 * voxel_mm) * FWHM_TO_SD / voxel_mm
        image = ndimage.gaussian_filter(signal, (0, width, width), truncate=2.5)
        if self.slice_mm <= voxel_mm:
            return ndimage.gaussian_filter1d(image, width, axis=0, truncate=2.5)
        return ndimage.convolve1d(image, _box(self.slice_mm / voxel_mm), axis=0)

    def receive_field(self, shape: tuple[int, ...]) -> Array:
        """A polynomial of third degree whose exponential it is, as coils have it; k x j x i."""
        powers = [
            np.linspace(-1, 1, n, dtype=np.float32)[None] ** np.arange(4)[:, None] for n in shape
        ]
        slabs = np.einsum("abc,bj,ci->aji", self.coefficients, powers[1], powers[2])
        scale = np.abs(np.einsum("aji,ak->kji", slabs[:, ::8, ::8], powers[0][:, ::8])).max()
        slabs *= self.log_range / max(scale, 1e-6)
        field = np.zeros(shape, np.float32)
        for power, slab in zip(powers[0], slabs.astype(np.float32)):
            field += power.astype(np.float32)[:, None, None] * slab
        return np.exp(field, out=field)


def _box(width: float) -> Array:
    """A box of `width` voxels, the outermost in part."""
    reach = int(np.ceil((width - 1) / 2))
    kernel = np.ones(2 * reach + 1)
    if reach:
        kernel[[0, -1]] = (width - (2 * reach - 1)) / 2
    return kernel / kernel.sum()

"""Smooth random fields: sums of plane waves, the same on every machine to the bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SLICES = 16


def waves(
    rng: np.random.Generator,
    axes: Sequence[Array],
    count: int,
    wavelength_mm: tuple[float, float],
) -> Array:
    """A smooth random field of unit standard deviation: `count` plane waves, (k, j, i).

    A plane wave is a product of functions of z and of (y, x), so that the sum is one matrix
    product and costs milliseconds. Threads and processors add such sums in different orders:
    rounding to 1/4096 makes the field the same, bit for bit, on all of them.
    """
    z, y, x = axes
    length = np.exp(rng.uniform(np.log(wavelength_mm[0]), np.log(wavelength_mm[1]), count))
    direction = rng.normal(size=(count, 3))
    direction *= (2 * np.pi / length / np.linalg.norm(direction, axis=1))[:, None]
    phase = rng.uniform(0, 2 * np.pi, count)
    along_z = direction[:, :1] * z + phase[:, None]
    plane = direction[:, 1, None, None] * y[:, None] + direction[:, 2, None, None] * x
    plane = plane.reshape(count, -1)
    left = np.concatenate([np.sin(along_z), np.cos(along_z)]).T * (4096 * np.sqrt(2.0 / count))
    right = np.concatenate([np.cos(plane), np.sin(plane)])
    field = np.empty((len(z), right.shape[1]), np.float32)
    # Some slices at a time: they stay in the processor's cache.
    for start in range(0, len(z), SLICES):
        part = left[start : start + SLICES] @ right
        np.rint(part, out=part)
        np.multiply(part, 1 / 4096, out=field[start : start + SLICES], casting="same_kind")
    return field.reshape(len(z), len(y), len(x))

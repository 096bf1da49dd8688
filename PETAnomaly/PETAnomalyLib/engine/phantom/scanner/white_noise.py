"""White noise of many voxels, some of which is used again elsewhere: drawing it all takes long."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.waves import Array

DRAWN = 1_500_000
"""Numbers that are drawn at most; further slices are windows somewhere in them."""
FEWEST_SLICES = 6  # that are drawn, however large they are


def white_noise(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Normal numbers of unit variance, float32 (k, j, i)."""
    count = int(np.prod(shape[1:]))
    drawn = min(shape[0] * count, max(DRAWN, FEWEST_SLICES * count))
    pool: Array = rng.standard_normal(drawn, dtype=np.float32)
    if drawn == shape[0] * count:
        return pool.reshape(shape)
    noise = np.empty((shape[0], count), np.float32)
    for number, start in enumerate(rng.integers(0, drawn - count + 1, shape[0])):
        noise[number] = pool[start : start + count]
    return noise.reshape(shape)

"""Blurring and resampling along the axes of a grid, the same on every machine to the bit.

A scanner's resolution is nearly separable: what an image shows is a matrix product along z, along
y and along x. Processors and thread counts add such products in different orders; here values and
weights are whole numbers (of small units) whose sums are exact in double precision, so that order
does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from PETAnomalyLib.engine.phantom.canvas.waves import Array

Matrix = NDArray[np.float64]

FWHM_TO_SD = 1 / np.sqrt(8 * np.log(2))
WEIGHT_STEPS = 2.0**14
"""Weights are multiples of 1/2**14."""
LOBES, NARROWER = 1.5, 0.14
"""Negative lobes are so much wider than the point-spread, which they make so much narrower."""
SUV_STEPS = 4096.0
HU_STEPS = 16.0
"""What is sampled is rounded to one of so many steps a unit: far below any noise."""
CHUNKS = (16, 64, 64)
"""Rows of the matrices along z, y, x that are applied at a time: most columns are zero there."""


def blurring(
    at_mm: Matrix, cells_mm: Array, fwhm_mm: float, overshoot: float = 0.0, continues: bool = False
) -> Matrix:
    """Weights (at x cells) of a Gaussian point-spread on an axis.

    Args:
        at_mm: where the image is sampled.
        cells_mm: middles of the cells that the object is made of, evenly spaced.
        fwhm_mm: of the point-spread.
        overshoot: weight of the negative lobes that resolution recovery leaves: at 1, edges
            overshoot by some 4 %, small hot organs by 15 %; 0 for none.
        continues: beyond its ends the object goes on as it ends; else nothing is there.
    """
    half = float(cells_mm[1] - cells_mm[0]) / 2 if len(cells_mm) > 1 else 2.0
    apart = cells_mm.astype(np.float64)[None, :] - at_mm[:, None]

    def covered(sd: float) -> Matrix:
        width = np.sqrt(2.0) * sd
        if continues:
            upper = np.concatenate([apart[:, :-1] + half, np.full((len(at_mm), 1), 1e9)], 1)
            lower = np.concatenate([np.full((len(at_mm), 1), -1e9), apart[:, 1:] - half], 1)
        else:
            upper, lower = apart + half, apart - half
        share: Matrix = 0.5 * (erf(upper / width) - erf(lower / width))
        return share

    # What is taken away makes the middle narrower: about as much is given before.
    sd = fwhm_mm * FWHM_TO_SD / (1 - NARROWER * overshoot)
    weights = covered(sd)
    if overshoot:
        weights = (1 + overshoot) * weights - overshoot * covered(LOBES * sd)
    return _whole(weights)


def linear(at_mm: Matrix, cells_mm: Array) -> Matrix:
    """Weights (at x cells) of linear interpolation; beyond the ends the last value holds."""
    step = float(cells_mm[1] - cells_mm[0]) if len(cells_mm) > 1 else 1.0
    place = np.clip((at_mm - float(cells_mm[0])) / step, 0, len(cells_mm) - 1)
    weights: Matrix = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(len(cells_mm))))
    return _whole(weights)


def unit_variance(at_mm: Matrix, cells_mm: Matrix, fwhm_mm: float) -> Matrix:
    """Weights (at x cells) of a Gaussian that leave the variance of white noise at one."""
    u = (cells_mm[None, :] - at_mm[:, None]) / (fwhm_mm * FWHM_TO_SD)
    weights: Matrix = np.exp(-0.5 * u * u) * (np.abs(u) < 4)
    weights /= np.sqrt((weights * weights).sum(1, keepdims=True))
    return np.rint(weights * WEIGHT_STEPS)


def sampled(values: Array, axes: Sequence[Matrix], steps: float) -> Array:
    """`values` (k, j, i) through the weights of the axes z, y and x, in that order.

    Args:
        values: of the cells; rounded to 1/`steps`.
        axes: weights from `blurring`, `linear` or `unit_variance`.
        steps: `SUV_STEPS` or `HU_STEPS`.
    """
    along_z, along_y, along_x = (_bands(weights, chunk) for weights, chunk in zip(axes, CHUNKS))
    shape = tuple(len(weights) for weights in axes)
    result = np.empty(shape, np.float32)
    # Some slices at a time: what is worked on stays in the processor's cache.
    for slices, below, weights in along_z:
        part = np.rint(np.multiply(values[below], steps, dtype=np.float64))
        mixed = (weights @ part.reshape(len(part), -1)).reshape(-1, *part.shape[1:])
        _rounded(mixed)
        plane = np.empty((len(mixed), shape[1], mixed.shape[2]))
        for rows, columns, matrix in along_y:
            np.matmul(matrix, mixed[:, columns], out=plane[:, rows])
        _rounded(plane)
        lines = plane.reshape(-1, plane.shape[2])
        whole = np.empty((len(lines), shape[2]))
        for rows, columns, matrix in along_x:
            np.matmul(lines[:, columns], matrix.T, out=whole[:, rows])
        whole *= 1 / (WEIGHT_STEPS * steps)
        result[slices] = whole.reshape(-1, *shape[1:])
    return result


def mixed_slices(values: Array, weights: Matrix, steps: float) -> Array:
    """`values` (k, j, i) through the weights of the axis z alone."""
    mixed = np.empty((len(weights), *values.shape[1:]), np.float32)
    for slices, below, matrix in _bands(weights * (1 / (WEIGHT_STEPS * steps)), CHUNKS[0] // 2):
        part = np.rint(np.multiply(values[below], steps, dtype=np.float64))
        mixed[slices] = (matrix @ part.reshape(len(part), -1)).reshape(-1, *values.shape[1:])
    return mixed


def _whole(weights: Matrix) -> Matrix:
    """Weights in whole steps, rows of which add up to what they did, to the step."""
    steps = weights * WEIGHT_STEPS
    whole: Matrix = np.rint(steps)
    whole[np.arange(len(whole)), steps.argmax(1)] += np.rint(steps.sum(1)) - whole.sum(1)
    return whole


def _rounded(values: Matrix) -> None:
    values *= 1 / WEIGHT_STEPS
    np.rint(values, out=values)


def _bands(weights: Matrix, chunk: int) -> list[tuple[slice, slice, Matrix]]:
    """Rows of a matrix, the columns in which any of them is not zero, and what stands there."""
    bands = []
    for start in range(0, len(weights), chunk):
        rows = slice(start, min(start + chunk, len(weights)))
        used = np.flatnonzero(weights[rows].any(0))
        columns = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        bands.append((rows, columns, np.ascontiguousarray(weights[rows, columns])))
    return bands

"""Where one volume fits best on another: normalised correlation over every whole-voxel shift.

Each volume has a mask of where it was measured, so that a study shorter or longer than the template
is compared only where both exist. Computed with Fourier transforms, in a third of the seconds that
ITK's MaskedFFTNormalizedCorrelation takes (Testing/benchmarks/bench_libraries.py).

Reference: D. Padfield, Masked object registration in the Fourier domain, IEEE Transactions on Image
Processing 21(5), 2706-2718 (2012), equations 23-27.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft


def masked_correlation(
    fixed: NDArray[np.floating],
    fixed_mask: NDArray[np.bool_],
    moving: NDArray[np.floating],
    moving_mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Pearson correlation and overlap for every shift d: fixed voxel x lies on moving voxel x + d.

    Args:
        fixed, fixed_mask: (K, J, I) values, and True where measured.
        moving, moving_mask: (K', J', I') the same for the other volume, on the same voxel size.

    Returns:
        correlation in [-1, 1], of shape (K + K' - 1, J + J' - 1, I + I' - 1): element e is the
        shift d = e - (K - 1, J - 1, I - 1). It is 0 where nothing overlaps or one side is constant.
    """
    shape = [f + m - 1 for f, m in zip(fixed.shape, moving.shape)]
    padded = [fft.next_fast_len(n, real=True) for n in shape]
    f = np.asarray(fixed, dtype=np.float64) * fixed_mask
    m = np.asarray(moving, dtype=np.float64) * moving_mask
    # Reversing the fixed volume turns the convolution of the Fourier theorem into a correlation.
    transformed_f = [
        fft.rfftn(a[::-1, ::-1, ::-1], padded) for a in (1.0 * fixed_mask, f, f * fixed)
    ]
    transformed_m = [fft.rfftn(a, padded) for a in (1.0 * moving_mask, m, m * moving)]

    def correlate(a: NDArray, b: NDArray) -> NDArray[np.float64]:
        full: NDArray[np.float64] = fft.irfftn(a * b, padded)
        return full[: shape[0], : shape[1], : shape[2]]

    ones_f, values_f, squares_f = transformed_f
    ones_m, values_m, squares_m = transformed_m
    overlap = correlate(ones_f, ones_m)
    count = np.maximum(overlap, 1.0)
    sum_f, sum_m = correlate(values_f, ones_m), correlate(ones_f, values_m)
    covariance = correlate(values_f, values_m) - sum_f * sum_m / count
    variance_f = correlate(squares_f, ones_m) - sum_f**2 / count
    variance_m = correlate(ones_f, squares_m) - sum_m**2 / count

    # Below this a variance is rounding error of the transforms, not structure.
    floor_f = 1e-9 * float((f * fixed).sum()) + np.finfo(np.float64).tiny
    floor_m = 1e-9 * float((m * moving).sum()) + np.finfo(np.float64).tiny
    usable = (overlap > 0.5) & (variance_f > floor_f) & (variance_m > floor_m)
    denominator = np.sqrt(np.where(usable, variance_f * variance_m, 1.0))
    return np.where(usable, np.clip(covariance / denominator, -1.0, 1.0), 0.0)


def shared_voxels(fixed: NDArray[np.bool_], moving: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many voxels two masks share at every shift, as `masked_correlation` counts the shifts.

    What `scipy.signal.correlate` gives with moving and fixed; importing that takes half a second.

    Args:
        fixed, moving: (K, J, I) and (K', J', I'), on the same voxel size.
    """
    shape = [f + m - 1 for f, m in zip(fixed.shape, moving.shape)]
    padded = [fft.next_fast_len(n, real=True) for n in shape]
    reversed_fixed = fft.rfftn(1.0 * fixed[::-1, ::-1, ::-1], padded)
    shared: NDArray[np.float64] = fft.irfftn(
        reversed_fixed * fft.rfftn(1.0 * moving, padded), padded
    )
    return shared[: shape[0], : shape[1], : shape[2]]

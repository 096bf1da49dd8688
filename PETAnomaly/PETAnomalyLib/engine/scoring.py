"""How unlikely each voxel is, given n pseudo-healthy reconstructions (paper 1, sections 3.1-3.4).

Pure functions of arrays, all in the model's intensity unit; larger means more anomalous.

Shapes: `image` D x H x W, `reconstructions` n x D x H x W, maps D x H x W, float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

# 2 ** 16 voxels x n reconstructions in double precision stay in a few tens of megabytes.
BLOCK = 2**16


def residual(image: Array, reconstructions: Array) -> Array:
    """max(0, x - mean(x_r)): paper 1, section 3.1, positive residuals only."""
    difference = image - reconstructions.mean(axis=0, dtype=np.float64)
    return np.maximum(difference, 0.0).astype(np.float32)


def zscore(image: Array, reconstructions: Array, epsilon_percentile: float) -> Array:
    """(x - mean) / (std + eps): paper 1, equation 1.

    Args:
        image: the study.
        reconstructions: its n >= 2 healed reconstructions.
        epsilon_percentile: eps is this percentile (0..100) of all standard deviations of the study.
    """
    mean = reconstructions.mean(axis=0, dtype=np.float64)
    std = reconstructions.std(axis=0, dtype=np.float64)
    epsilon = np.percentile(std, epsilon_percentile)
    # A study without a single masked token and dropout without effect: no spread anywhere.
    return ((image - mean) / np.maximum(std + epsilon, np.finfo(np.float32).tiny)).astype(
        np.float32
    )


def kde(image: Array, reconstructions: Array, min_bandwidth: float) -> Array:
    """-log f_h(x) in nats: paper 1, equations 2 and 3.

    f_h(x) = 1/(n h) sum_i K((x - x_i)/h) with Gaussian K and h = (4 std^5 / (3 n))^(1/5), never
    under `min_bandwidth` (paper 1, section 3.4, end). Computed as a log-sum-exp: far from all
    reconstructions the density itself is zero in floating point.

    Args:
        image: the study.
        reconstructions: its n >= 2 healed reconstructions.
        min_bandwidth: h_min > 0, in the model's intensity unit.
    """
    n = len(reconstructions)
    x = image.reshape(-1)
    x_r = reconstructions.reshape(n, -1)
    nats = np.empty(x.shape, np.float32)
    for start in range(0, x.size, BLOCK):
        block = slice(start, start + BLOCK)
        x_i = x_r[:, block].astype(np.float64)
        h = np.maximum((4.0 * x_i.std(axis=0) ** 5 / (3.0 * n)) ** 0.2, min_bandwidth)
        exponent = -0.5 * ((x[block] - x_i) / h) ** 2
        largest = exponent.max(axis=0)
        log_sum = largest + np.log(np.exp(exponent - largest).sum(axis=0))
        nats[block] = np.log(n * h * np.sqrt(2.0 * np.pi)) - log_sum
    return nats.reshape(image.shape)


def lowest_unless_elevated(score: Array, image: Array, reconstructions: Array) -> Array:
    """The map at its lowest value wherever uptake is not elevated, x <= mean(x_r).

    The lowest value is that of the elevated voxels, so that what is left out is never above them.
    """
    elevated = image > reconstructions.mean(axis=0, dtype=np.float64)
    lowest = score[elevated].min() if elevated.any() else score.min()
    return np.where(elevated, score, lowest).astype(np.float32)


def score_maps(
    image: Array,
    reconstructions: Array,
    *,
    scorers: tuple[str, ...],
    min_bandwidth: float,
    epsilon_percentile: float,
    elevated_only: bool = True,
) -> dict[str, Array]:
    """Each map asked for, by its scorer's name; by default for elevated uptake only."""
    compute: dict[str, Callable[[], Array]] = {
        "kde": lambda: kde(image, reconstructions, min_bandwidth),
        "zscore": lambda: zscore(image, reconstructions, epsilon_percentile),
        "residual": lambda: residual(image, reconstructions),
    }
    maps = {name: compute[name]() for name in scorers}
    if not elevated_only:
        return maps
    return {name: lowest_unless_elevated(m, image, reconstructions) for name, m in maps.items()}

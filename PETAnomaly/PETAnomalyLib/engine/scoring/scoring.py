"""How unlikely each voxel is, given n pseudo-healthy reconstructions (paper 1, sections 3.1-3.4).

Pure functions of arrays, all in the model's intensity unit; larger means more anomalous. They work
on a part of the volume at a time, wherever the reconstructions are, so that memory does not grow
with n: `score_tiles` for a study whose reconstructions come tile by tile, the others for arrays.

Shapes: `image` D x H x W, `reconstructions` n x D x H x W, maps D x H x W, float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from PETAnomalyLib.engine.scoring.normative import NormativeResidual

Array = npt.NDArray[np.float32]
Voxels = tuple[slice, ...]

# n reconstructions x voxels at a time: few enough for the CPU's cache, many enough for its threads.
# Measured for n = 128 on two: 1.2, 0.86 and 0.70 s for 2e6 voxels with 2^17, 2^18 and 2^19.
BLOCK = 2**19
LARGE_BLOCK = 2**26


@dataclass(frozen=True)
class Statistics:
    """What the maps are made of, D x H x W.

    Attributes:
        mean: of the reconstructions, float64.
        std: their population standard deviation, float64.
        nats: -log f_h(x), float32; None if it was not asked for.
    """

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    nats: Array | None


def residual(image: Array, reconstructions: Array) -> Array:
    """max(0, x - mean(x_r)): paper 1, section 3.1, positive residuals only."""
    return residual_of(image, statistics_of(image, reconstructions))


def zscore(image: Array, reconstructions: Array, epsilon_percentile: float) -> Array:
    """(x - mean) / (std + eps): paper 1, equation 1.

    Args:
        image: the study.
        reconstructions: its n >= 2 healed reconstructions.
        epsilon_percentile: eps is this percentile (0..100) of all standard deviations of the study.
    """
    return zscore_of(image, statistics_of(image, reconstructions), epsilon_percentile)


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
    nats = _statistics(image, _whole(reconstructions), min_bandwidth).nats
    assert nats is not None  # a bandwidth was given
    return nats


def lowest_unless_elevated(score: Array, image: Array, reconstructions: Array) -> Array:
    """The map at its lowest value wherever uptake is not elevated, x <= mean(x_r).

    The lowest value is that of the elevated voxels, so that what is left out is never above them.
    """
    return lowest_unless_elevated_of(score, image, statistics_of(image, reconstructions))


def statistics_of(image: Array, reconstructions: Array) -> Statistics:
    """Mean and spread alone, for whoever makes several maps of the same reconstructions."""
    return _statistics(image, _whole(reconstructions))


def residual_of(image: Array, statistics: Statistics, absolute: bool = False) -> Array:
    """`residual` of reconstructions whose mean is known; `absolute`: what is darker counts too."""
    difference = image - statistics.mean
    return (np.abs(difference) if absolute else np.maximum(difference, 0.0)).astype(np.float32)


def zscore_of(image: Array, statistics: Statistics, epsilon_percentile: float) -> Array:
    """`zscore` of reconstructions whose mean and spread are known."""
    epsilon = np.percentile(statistics.std, epsilon_percentile)
    # A study without a single masked token and dropout without effect: no spread anywhere.
    denominator = np.maximum(statistics.std + epsilon, np.finfo(np.float32).tiny)
    return ((image - statistics.mean) / denominator).astype(np.float32)


def normative_zscore(
    image: Array, statistics: Statistics, normative: NormativeResidual, absolute: bool = False
) -> Array:
    """(x - mean(x_r) - mu) / sigma of healthy heads; `absolute`: what is darker counts too."""
    z = normative.zscore(image - statistics.mean)
    return np.abs(z) if absolute else z


def is_elevated(image: Array, statistics: Statistics) -> npt.NDArray[np.bool_]:
    """Where uptake lies above the mean reconstruction, x > mean(x_r)."""
    return np.asarray(image > statistics.mean)


def lowest_unless_elevated_of(score: Array, image: Array, statistics: Statistics) -> Array:
    """`lowest_unless_elevated` of reconstructions whose mean is known."""
    elevated = is_elevated(image, statistics)
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
    return score_tiles(
        image,
        _whole(reconstructions),
        scorers=scorers,
        min_bandwidth=min_bandwidth,
        epsilon_percentile=epsilon_percentile,
        elevated_only=elevated_only,
    )


def score_tiles(
    image: Array,
    tiles: Iterable[tuple[Voxels, Tensor]],
    *,
    scorers: tuple[str, ...],
    min_bandwidth: float,
    epsilon_percentile: float,
    elevated_only: bool = True,
    absolute: bool = False,
    normative: NormativeResidual | None = None,
) -> dict[str, Array]:
    """`score_maps` of reconstructions that come part by part.

    Args:
        image: the study.
        tiles: parts that cover the study: slices of D x H x W, and the n reconstructions there
            (n x the part's shape, float32, on any device).
        scorers: the maps that are wanted: `kde`, `zscore`, `residual`.
        min_bandwidth: h_min of `kde`.
        epsilon_percentile: of `zscore`; it needs the whole study, and is taken at the end.
        elevated_only: see `lowest_unless_elevated`.
        absolute: |image - mean| in place of its positive part; the same of a normative Z-score.
        normative: of healthy heads: `zscore` is by it in place of the study's own spread.
    """
    statistics = _statistics(image, tiles, min_bandwidth if "kde" in scorers else None)
    compute: dict[str, Callable[[], Array | None]] = {
        "kde": lambda: statistics.nats,
        "zscore": lambda: (
            zscore_of(image, statistics, epsilon_percentile)
            if normative is None
            else normative_zscore(image, statistics, normative, absolute)
        ),
        "residual": lambda: residual_of(image, statistics, absolute),
    }
    maps: dict[str, Array] = {}
    for name in scorers:
        score = compute[name]()
        assert score is not None  # nats are there where KDE is asked for
        maps[name] = lowest_unless_elevated_of(score, image, statistics) if elevated_only else score
    return maps


def _whole(reconstructions: Array) -> list[tuple[Voxels, Tensor]]:
    everywhere = (slice(None),) * (reconstructions.ndim - 1)
    return [(everywhere, torch.from_numpy(np.ascontiguousarray(reconstructions)))]


@torch.inference_mode()
def _statistics(
    image: Array, tiles: Iterable[tuple[Voxels, Tensor]], min_bandwidth: float | None = None
) -> Statistics:
    mean, std = np.empty(image.shape, np.float64), np.empty(image.shape, np.float64)
    nats = None if min_bandwidth is None else np.empty(image.shape, np.float32)
    for voxels, values in tiles:
        # Apple's GPU has no double precision.
        x_r = (values.cpu() if values.device.type == "mps" else values).flatten(1)
        x = torch.from_numpy(np.ascontiguousarray(image[voxels])).to(x_r.device).flatten()
        tile_mean, tile_std = (torch.empty_like(x, dtype=torch.float64) for _ in range(2))
        tile_nats = torch.empty_like(x)
        n = len(x_r)
        block = max(1, (BLOCK if x.device.type == "cpu" else LARGE_BLOCK) // n)
        for start in range(0, len(x), block):
            here = slice(start, start + block)
            tile_mean[here], tile_std[here] = _mean_and_std(x_r[:, here])
            if min_bandwidth is not None:
                h = tile_std[here] * (4.0 / (3.0 * n)) ** 0.2
                tile_nats[here] = _nats(x[here], x_r[:, here], h.clamp_min_(min_bandwidth))
        shape = image[voxels].shape
        mean[voxels] = tile_mean.view(shape).cpu().numpy()
        std[voxels] = tile_std.view(shape).cpu().numpy()
        if nats is not None:
            nats[voxels] = tile_nats.view(shape).cpu().numpy()
        del values, x_r  # before the next tile is made: two would not fit
    return Statistics(mean, std, nats)


def _mean_and_std(x_r: Tensor) -> tuple[Tensor, Tensor]:
    """Of n x v values, as float64: a spread of 1e-4 around 1 is common, and decides h.

    Taken from the first reconstruction, differences are exact in single precision where they are
    small. All values in double precision would cost five times as much, most of it for memory that
    is given back and asked for again with every block.
    """
    difference = x_r - x_r[0]
    mean = difference.mean(0, dtype=torch.float64)
    nearly = mean.float()  # as the differences are; what it lacks comes off the mean square
    square = difference.sub_(nearly).square_().mean(0, dtype=torch.float64)
    std = (square - (mean - nearly).square_()).clamp_min_(0.0).sqrt_()
    return mean.add_(x_r[0]), std


def _nats(x: Tensor, x_r: Tensor, h: Tensor) -> Tensor:
    """-log f_h(x) of v voxels, of their n x v reconstructions and their bandwidths (float64).

    exp(-d^2 / 2h^2) of the nearest reconstruction is taken out of the sum; what is left,
    exp((nearest^2 - d^2) / 2h^2), is at most 1 and needs no more than single precision: what d^2
    loses by rounding is a ten-millionth of the result, as is the result's own rounding.
    """
    square = (x_r - x).square_()
    nearest = square.amin(0)
    steepness = 0.5 / h.square()
    # Below -80 nothing counts, and exp is 15 times slower where its result is denormal or 0.
    exponent = square.sub_(nearest).mul_(-steepness.float()).clamp_min_(-80.0)
    log_sum = exponent.exp_().sum(0).double().log_()
    scale = (h * (len(x_r) * (2.0 * torch.pi) ** 0.5)).log_()
    return (scale + nearest.double() * steepness - log_sum).float()

"""Norms of healthy heads' residuals against plain formulas."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PETAnomalyLib.engine.scoring.normative import SMOOTHING_MM, STEP, NormativeResidual
from PETAnomalyLib.engine.scoring.scoring import score_tiles
from torch import from_numpy

SHAPE = (9, 12, 14)
VOXEL_MM = (1.5, 1.5, 1.5)


def heads(values: list[np.ndarray], brain: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((value.astype(np.float32), brain) for value in values)


def test_of_even_residuals_they_are_mean_and_standard_deviation_over_heads() -> None:
    brain = np.zeros(SHAPE, bool)
    brain[2:7, 3:9, 4:10] = True
    levels = np.random.default_rng(0).normal(0.05, 0.1, 8)
    values = [np.full(SHAPE, level) for level in levels]
    found = NormativeResidual.of(lambda: heads(values, brain), VOXEL_MM)
    assert np.allclose(found.mean[brain], levels.mean(), atol=STEP)
    assert np.allclose(found.std[brain], levels.std(), atol=2 * STEP)


def test_a_voxel_is_averaged_with_its_neighbours_by_a_gaussian_of_millimetres() -> None:
    """Brute force at one voxel, in a brain that fills the frame."""
    rng = np.random.default_rng(1)
    shape, voxel_mm = (15, 15, 15), (2.0, 1.5, 1.5)
    values = [rng.normal(0, 0.2, shape).astype(np.float32) for _ in range(5)]
    found = NormativeResidual.of(lambda: heads(values, np.ones(shape, bool)), voxel_mm)
    place = np.indices(shape) - 7
    square = sum((axis * mm) ** 2 for axis, mm in zip(place, voxel_mm))
    weight = np.exp(-square / (2 * SMOOTHING_MM**2))
    # Four standard deviations are looked at, along each axis.
    for axis, mm in zip(place, voxel_mm):
        weight[np.abs(axis) > int(4 * SMOOTHING_MM / mm + 0.5)] = 0
    mean = sum((weight * value).sum() for value in values) / (5 * weight.sum())
    assert found.mean[7, 7, 7] == pytest.approx(mean, abs=STEP)
    assert found.std.min() > 0.1


def test_beyond_the_brains_the_nearest_voxel_counts() -> None:
    brain = np.zeros(SHAPE, bool)
    brain[:, :, :7] = True
    values = [np.full(SHAPE, level) for level in (0.0, 0.2)]
    found = NormativeResidual.of(lambda: heads(values, brain), VOXEL_MM)
    assert np.allclose(found.std, 0.1, atol=2 * STEP)
    assert np.isfinite(found.mean).all()


def test_where_all_heads_agree_a_score_stays_finite() -> None:
    brain = np.ones(SHAPE, bool)
    found = NormativeResidual.of(lambda: heads([np.zeros(SHAPE)] * 3, brain), VOXEL_MM)
    assert np.all(found.std == STEP)
    assert np.isfinite(found.zscore(np.ones(SHAPE, np.float32))).all()


@pytest.mark.parametrize("absolute", [False, True])
def test_the_z_score_of_one_reconstruction_is_by_the_norms(absolute: bool) -> None:
    rng = np.random.default_rng(2)
    image, made = (rng.uniform(0, 1, SHAPE).astype(np.float32) for _ in range(2))
    norms = NormativeResidual(
        rng.normal(0, 0.1, SHAPE).astype(np.float32), rng.uniform(0.1, 0.2, SHAPE).astype("f4")
    )
    everywhere = (slice(None),) * 3
    maps = score_tiles(
        image,
        [(everywhere, from_numpy(made[None]))],
        scorers=("zscore", "residual"),
        min_bandwidth=0.1,
        epsilon_percentile=50.0,
        elevated_only=False,
        absolute=absolute,
        normative=norms,
    )
    z = (image.astype(float) - made - norms.mean) / norms.std
    assert np.allclose(maps["zscore"], np.abs(z) if absolute else z, rtol=1e-4, atol=1e-4)

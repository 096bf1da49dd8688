"""What a reader points at: the hottest voxel nearby and its contour, against a flood fill."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.findings.growing import GrowthLimits
from PETAnomalyLib.engine.findings.hot_spot import NEARBY_MM, hottest_near, spot_contour
from scipy import ndimage

SPACING = (5.0, 4.0, 3.0)


def noise(seed: int, shape: tuple[int, ...] = (14, 18, 22)) -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5)
    return (1.0 + 20.0 * (smooth - smooth.min())).astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_hottest_of_all_voxels_within_ten_millimetres(seed: int) -> None:
    pet = noise(seed)
    point = np.random.default_rng(100 + seed).uniform(-1.0, np.array(pet.shape))
    grid = np.moveaxis(np.indices(pet.shape), 0, -1)
    near = np.linalg.norm((grid - point) * SPACING, axis=-1) <= NEARBY_MM
    found = hottest_near(pet, SPACING, tuple(point))
    assert found is not None
    assert near[found]
    assert pet[found] == pet[near].max()


def test_beside_the_image_there_is_none() -> None:
    assert hottest_near(noise(0), SPACING, (30.0, 5.0, 5.0)) is None


@pytest.mark.parametrize("seed", range(8))
def test_the_contour_is_the_flood_fill(seed: int) -> None:
    pet = noise(seed)
    hottest = hottest_near(pet, SPACING, (7.0, 9.0, 11.0))
    assert hottest is not None
    bound = np.float32(0.7) * pet[hottest]
    unlimited = GrowthLimits(np.inf, np.inf, 0.0)
    drawn = spot_contour(pet, SPACING, hottest, float(bound), unlimited)
    assert drawn is not None
    mask, start = drawn
    whole = np.zeros(pet.shape, bool)
    whole[tuple(slice(s, s + n) for s, n in zip(start, mask.shape))] = mask
    labels, _count = ndimage.label(pet >= bound, np.ones((3, 3, 3)))
    assert np.array_equal(whole, labels == labels[hottest])


def test_the_guard_strikes_where_the_contour_leaks() -> None:
    pet = np.ones((40, 40, 40), np.float32)
    pet[20, 20, 20] = 2.0
    assert spot_contour(pet, SPACING, (20, 20, 20), 0.8) is None
    drawn = spot_contour(pet, SPACING, (20, 20, 20), 1.5)
    assert drawn is not None
    assert drawn[0].sum() == 1

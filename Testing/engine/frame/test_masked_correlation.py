from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.frame.masked_correlation import masked_correlation, shared_voxels
from scipy import ndimage, signal

ENOUGH = 8  # voxels; of fewer, variances come near the rounding of the transforms


def test_every_shift_has_the_pearson_correlation_of_the_voxels_measured_in_both() -> None:
    rng = np.random.default_rng(3)
    fixed, moving = rng.normal(2, 1, (3, 4, 5)), rng.normal(-1, 3, (4, 3, 4))
    fixed_mask, moving_mask = rng.random(fixed.shape) < 0.8, rng.random(moving.shape) < 0.7
    correlation = masked_correlation(fixed, fixed_mask, moving, moving_mask)
    assert correlation.shape == (6, 6, 8)

    for element in np.ndindex(*correlation.shape):
        shift = np.array(element) - np.array(fixed.shape) + 1
        pairs = []
        for x in itertools.product(*(range(n) for n in fixed.shape)):
            y = tuple(np.array(x) + shift)
            inside = all(0 <= a < n for a, n in zip(y, moving.shape))
            if inside and fixed_mask[x] and moving_mask[y]:
                pairs.append((fixed[x], moving[y]))
        if len(pairs) >= 2:
            expected = np.corrcoef(np.array(pairs).T)[0, 1]
            assert correlation[element] == pytest.approx(expected, abs=1e-6)
        else:
            assert correlation[element] == 0.0


@pytest.mark.parametrize("seed", range(8))
def test_it_is_itks_masked_correlation_where_enough_voxels_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volumes, masks = [], []
    for _ in range(2):
        shape = rng.integers(4, 14, 3)
        volumes.append(ndimage.gaussian_filter(rng.normal(size=shape), 0.7) + rng.normal())
        masks.append(rng.random(shape) < rng.uniform(0.5, 1.0))
    (fixed, moving), (fixed_mask, moving_mask) = volumes, masks
    correlation = masked_correlation(fixed, fixed_mask, moving, moving_mask)
    itk = sitk.GetArrayFromImage(
        sitk.MaskedFFTNormalizedCorrelation(
            sitk.GetImageFromArray(fixed),
            sitk.GetImageFromArray(moving),
            sitk.GetImageFromArray(fixed_mask.astype(np.float64)),
            sitk.GetImageFromArray(moving_mask.astype(np.float64)),
            requiredNumberOfOverlappingPixels=ENOUGH,
        )
    )
    # ITK moves the other way round, so that its elements are ours from the last to the first.
    itk = itk[::-1, ::-1, ::-1]
    assert itk.shape == correlation.shape
    compared = itk != 0
    assert compared.mean() > 0.2
    np.testing.assert_allclose(correlation[compared], itk[compared], atol=1e-6)


def test_a_constant_volume_correlates_with_nothing() -> None:
    rng = np.random.default_rng(4)
    everywhere = np.ones((4, 4, 4), dtype=bool)
    correlation = masked_correlation(
        np.full((4, 4, 4), 7.0), everywhere, rng.normal(size=(4, 4, 4)), everywhere
    )
    np.testing.assert_array_equal(correlation, 0.0)


def test_a_copy_is_found_at_its_shift_with_correlation_one() -> None:
    rng = np.random.default_rng(5)
    large = rng.normal(size=(9, 8, 7))
    part = large[3:8, 2:7, 1:6]
    correlation = masked_correlation(
        part, np.ones(part.shape, dtype=bool), large, np.ones(large.shape, dtype=bool)
    )
    shift_320 = tuple(np.array((3, 2, 1)) + np.array(part.shape) - 1)
    assert correlation[shift_320] == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_shared_voxels_are_scipys_correlation_of_the_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fixed, moving = (rng.random(rng.integers(2, 12, 3)) < 0.4 for _ in range(2))
    expected = signal.correlate(moving.astype(float), fixed.astype(float), method="direct")
    assert shared_voxels(fixed, moving) == pytest.approx(expected, abs=1e-9)

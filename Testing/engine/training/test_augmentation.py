"""Augmentation: what moves together, what changes, and what stays as it is."""

from __future__ import annotations

import numpy as np
from PETAnomalyLib.engine.training.augmentation import (
    CONTRAST,
    INTENSITY_SHIFT,
    NOISE,
    deformed,
    intensity_changed,
    shifted,
)


def test_volumes_are_shifted_together_and_by_whole_voxels() -> None:
    volume = np.random.default_rng(0).random((6, 7, 8))
    one, other = shifted([volume, 2 * volume], 2, np.random.default_rng(1))
    assert np.array_equal(2 * one, other)
    cut = [slice(2, -2)] * 3
    inner = volume[tuple(cut)]
    positions = [
        (z, y, x)
        for z in range(-2, 3)
        for y in range(-2, 3)
        for x in range(-2, 3)
        if np.array_equal(
            one[2 : 2 + inner.shape[0], 2 : 2 + inner.shape[1], 2 : 2 + inner.shape[2]],
            volume[2 + z : 4 + z, 2 + y : 5 + y, 2 + x : 6 + x],
        )
    ]
    assert len(positions) == 1


def test_pet_and_ct_are_deformed_alike_by_a_voxel_or_so() -> None:
    """Volumes that hold their own coordinates tell where each voxel came from."""
    places = np.indices((24, 30, 36)).astype(np.float32)
    inner = (slice(6, -6),) * 3
    moved = [
        (came_from - place)[inner]
        for came_from, place in zip(deformed(list(places), np.random.default_rng(3)), places)
    ]
    for component in moved:
        assert 0.2 < component.std() < 1.5
        steps = np.abs(np.diff(component, axis=0))
        assert steps.max() < 1.0  # smooth: nothing is folded over
    again = deformed(list(places[:1]), np.random.default_rng(3))[0] - places[0]
    assert np.allclose(again[inner], moved[0], atol=1e-4)


def test_a_deformation_keeps_most_of_the_noise() -> None:
    noise = np.random.default_rng(0).normal(size=(32, 32, 32))
    [after] = deformed([noise], np.random.default_rng(1))
    assert after.std() > 0.75 * noise.std()


def test_intensities_change_by_contrast_shift_and_noise() -> None:
    ramp = np.linspace(0.0, 1.0, 40_000).reshape(20, 40, 50)
    factors, shifts = [], []
    for seed in range(40):
        changed = intensity_changed(ramp, np.random.default_rng(seed))
        factor, shift = np.polyfit(ramp.ravel(), changed.ravel(), 1)
        rest = changed - factor * ramp - shift
        assert abs(rest.std() / NOISE - 1) < 0.05
        factors.append(factor)
        shifts.append(shift)
    assert max(abs(f - 1) for f in factors) < 1.01 * CONTRAST
    assert max(abs(s) for s in shifts) < INTENSITY_SHIFT + NOISE / 10
    assert np.std(factors) > 0.3 * CONTRAST
    assert np.std(shifts) > 0.3 * INTENSITY_SHIFT

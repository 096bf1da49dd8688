"""A finding is parted between its two hot spots, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.findings.splitting import split


def hills(
    *centres: tuple[float, ...], heights: tuple[float, ...], width: float = 2.5
) -> np.ndarray:
    grid = np.moveaxis(np.indices((16, 20, 34)), 0, -1)
    return np.max(
        [
            height * np.exp(-np.sum((grid - centre) ** 2, axis=-1) / (2 * width**2))
            for centre, height in zip(np.array(centres), heights)
        ],
        axis=0,
    )


def test_two_equal_hills_are_parted_half_way() -> None:
    suv = hills((8, 10, 11), (8, 10, 21), heights=(10.0, 10.0))
    mask = suv > 0.3
    parts = split(mask, suv)
    assert parts is not None
    i = np.indices(suv.shape)[2]
    assert np.array_equal(parts > 0, mask)
    left, right = (parts[8, 10, 11], parts[8, 10, 21])
    assert {int(left), int(right)} == {1, 2}
    assert (parts[mask & (i < 16)] == left).all()
    assert (parts[mask & (i > 16)] == right).all()


def test_of_three_hills_the_most_prominent_one_is_cut_off() -> None:
    suv = hills((8, 10, 7), (8, 10, 11), (8, 10, 25), heights=(9.9, 10.0, 6.0))
    mask = suv > 0.05
    parts = split(mask, suv)
    assert parts is not None
    assert parts[8, 10, 11] == parts[8, 10, 7] == 1
    assert parts[8, 10, 25] == 2


def test_apart_from_each_other_they_are_parted_as_they_are() -> None:
    mask = np.zeros((3, 3, 9), bool)
    mask[1, 1, :3] = mask[1, 1, 6:] = True
    suv = np.where(mask, 1.0, 0.0)
    suv[1, 1, 1], suv[1, 1, 7] = 5.0, 4.0
    parts = split(mask, suv)
    assert parts is not None
    assert parts[1, 1].tolist() == [1, 1, 1, 0, 0, 0, 2, 2, 2]


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5)])
def test_one_hill_is_not_parted(shape: tuple[int, ...]) -> None:
    mask = np.ones(shape, bool)
    distance = np.linalg.norm(np.indices(shape), axis=0)
    assert split(mask, 10.0 - distance) is None
    assert split(mask, np.full(shape, 3.0)) is None

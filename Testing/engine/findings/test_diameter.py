"""The largest diameter of a finding."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.findings.diameter import largest_diameter


def test_one_voxel_is_as_long_as_its_longest_side() -> None:
    one = np.zeros((3, 3, 3), bool)
    one[1, 1, 1] = True
    assert largest_diameter(one, np.diag([2.0, 3.0, 5.0])) == pytest.approx(5.0)


def test_nothing_has_none() -> None:
    assert largest_diameter(np.zeros((2, 2, 2), bool), np.eye(3)) == 0.0


def test_a_ball_has_twice_its_radius() -> None:
    k, j, i = np.indices((60, 40, 40))
    ball = ((i - 20) * 2.0) ** 2 + ((j - 20) * 2.0) ** 2 + ((k - 30) * 1.0) ** 2 <= 25.0**2
    assert largest_diameter(ball, np.diag([2.0, 2.0, 1.0])) == pytest.approx(50.0, abs=2.0)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_the_longest_of_all_pairs_on_any_grid(seed: int) -> None:
    draw = np.random.default_rng(seed)
    inside = draw.random(draw.integers(1, 7, 3)) < 0.3
    axes = draw.normal(size=(3, 3)) * 4
    points = []
    for k, j, i in np.argwhere(inside):
        for axis in range(3):
            for half in (-0.5, 0.5):
                point = np.array([i, j, k], float)
                point[axis] += half
                points.append(axes @ point)
    longest = max((np.linalg.norm(a - b) for a in points for b in points), default=0.0)
    assert largest_diameter(inside, axes) == pytest.approx(longest)

"""Clusters of a latent space against what they were made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from absent_package import make_absent
from PETAnomalyLib.engine.evaluation.slices.latent_space import (
    clusters_of,
    ellipse_of,
    in_the_plane,
    require_umap,
    told_apart,
)
from PETAnomalyLib.engine.runtime.known_error import MissingPackageError


@pytest.mark.parametrize("degrees", [-80.0, -30.0, 0.0, 45.0, 89.0])
def test_an_ellipse_has_the_axes_and_the_direction_of_its_points(degrees: float) -> None:
    """Points of standard deviation 3 and 1, turned; by hand: 6 and 2."""
    along, across = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41))
    wide = np.stack([along.ravel(), across.ravel()], 1)
    wide *= np.array([3.0, 1.0]) / wide.std(0, ddof=1)
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = ellipse_of(wide @ turn.T + (5.0, -7.0))
    assert found.centre == pytest.approx((5.0, -7.0))
    assert found.semi_axes == pytest.approx((6.0, 2.0))
    assert found.degrees == pytest.approx(degrees, abs=1e-6)


def test_clusters_that_are_the_groups_are_told_apart_whatever_their_numbers() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 30)
    points = rng.normal(0, 1, (60, 2)) + 20 * groups[:, None]
    clusters = clusters_of(points)
    assert told_apart(clusters, groups) == 1.0
    assert told_apart(1 - clusters, groups) == 1.0
    assert told_apart(np.tile([0, 1], 30), groups) == 0.5


@pytest.mark.slow
def test_far_clusters_stay_apart_in_the_plane_and_it_is_always_the_same() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1], 25)
    vectors = rng.normal(0, 1, (50, 40)) + 10 * groups[:, None]
    points = in_the_plane(vectors)
    assert points.shape == (50, 2)
    assert told_apart(clusters_of(points), groups) == 1.0
    assert np.array_equal(points, in_the_plane(vectors))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    make_absent("umap", (), monkeypatch)
    with pytest.raises(MissingPackageError, match="umap-learn"):
        require_umap()

"""Deformations: exponentials of velocities, without folds."""

from __future__ import annotations

import numpy as np
import pytest
from nilearn_template import needs_nilearn
from PETAnomalyLib.engine.phantom.brain.anatomy import individual_displacement, stays_in_skull
from PETAnomalyLib.engine.phantom.brain.deformation import (
    exponential,
    jacobian,
    moved,
    push,
    random_velocity,
)
from PETAnomalyLib.engine.phantom.brain.grid import DEFORMATION
from PETAnomalyLib.engine.phantom.brain.subject import draw_subject


def test_a_constant_velocity_is_a_shift_by_itself() -> None:
    velocity = np.zeros((3, *DEFORMATION.shape), np.float32)
    velocity[0], velocity[2] = 3.0, -5.0
    assert np.allclose(exponential(velocity), velocity, atol=1e-4)
    assert np.allclose(jacobian(exponential(velocity)), 1)


def test_the_exponential_of_the_opposite_velocity_goes_back() -> None:
    velocity = random_velocity(np.random.default_rng(4), 20.0, 4.0)
    there, back = exponential(velocity), exponential(-velocity)
    places = np.random.default_rng(5).uniform(-50, 50, (3, 500)).astype(np.float32)
    assert np.abs(moved(places, there) - places).max() > 4
    assert np.abs(moved(moved(places, there), back) - places).max() < 0.6


def test_a_linear_velocity_grows_with_the_exponential_of_its_slope() -> None:
    """v(p) = a p gives p exp(a), and a Jacobian of exp(3 a), near the origin."""
    slope = 0.2
    z, y, x = DEFORMATION.axes()
    velocity = slope * np.stack(np.broadcast_arrays(x, y, z)).astype(np.float32)
    displacement = exponential(velocity)
    place = np.array([[10.0], [-20.0], [15.0]], np.float32)
    assert moved(place, displacement) == pytest.approx(place * np.exp(slope), rel=0.01)
    middle = tuple(n // 2 for n in DEFORMATION.shape)
    assert jacobian(displacement)[middle] == pytest.approx(np.exp(3 * slope), rel=0.02)


def test_a_push_moves_away_from_its_centre_most_at_its_surface_and_little_far_away() -> None:
    centre = (30.0, 10.0, 20.0)
    displacement = exponential(push(centre, 20.0, 8.0))
    # What lies here now was nearer to the centre before.
    places = np.array([[30 + r, 10, 20] for r in (0.5, 20, 70)], np.float32).T
    shift = np.linalg.norm(moved(places, displacement) - places, axis=0)
    assert moved(places, displacement)[0, 1] < places[0, 1]
    assert 5 < shift[1] < 10
    assert shift[0] < 1
    assert shift[2] < 0.5


@needs_nilearn
def test_a_mass_moves_the_midline_away_and_leaves_the_skull() -> None:
    displacement = exponential(stays_in_skull(push((28.0, -30.0, 6.0), 22.0, 9.0)))
    # The midline, and the top, front and side of the brain.
    places = np.array([(0, -30, 6), (0, -30, 80), (0, 72, 6), (70, -30, 6)], np.float32).T
    shift = moved(places, displacement) - places
    assert 3 < shift[0, 0] < 12  # what is at the midline now was nearer to the mass
    assert np.abs(shift[:, 1:]).max() < 2


@needs_nilearn
def test_no_head_and_no_mass_folds() -> None:
    for seed in (13, 21):  # the widest ventricles of many, and narrow ones
        assert jacobian(individual_displacement(draw_subject(seed))).min() > 0
    velocity = stays_in_skull(push((25.0, 0.0, 25.0), 27.0, 0.45 * 27.0))
    assert jacobian(exponential(velocity)).min() > 0

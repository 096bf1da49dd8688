"""The range of the threshold slider: it ends where the body does."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.panel.scene.map_range import mapRange
from studies import addStudy, addVolume, petArray

pytestmark = pytest.mark.usefixtures("scene")


@pytest.mark.parametrize("floor", [-2.0, 0.0])
def test_at_its_lowest_the_air_is_not_drawn(floor: float) -> None:
    pet, _ct = addStudy()
    body = petArray() > 0
    noise = np.random.default_rng(3).random(petArray().shape)
    score = np.where(body, petArray() * 1.5, 0.2 * noise) + floor  # air has scores of its own
    node = addVolume("map", score.astype(np.float32))
    whole, bounded = mapRange(node, floor + 3.0), mapRange(node, floor + 3.0, pet)
    assert (score > whole.low)[~body].mean() > 0.5
    drawn = score > bounded.low
    assert drawn[~body].mean() < 0.02
    assert drawn[body].all()
    assert bounded.low < floor + 3.0 < bounded.high


def test_a_usual_threshold_stays_within_it() -> None:
    pet, _ct = addStudy()
    node = addVolume("map", np.random.default_rng(4).random(petArray().shape).astype(np.float32))
    assert mapRange(node, 0.5, pet).low <= 0.5
    assert mapRange(addVolume("cut", petArray()[:-1]), 3.0, pet).low < 3.0

"""What is hidden is not seen, and the batch over all positions is the plain loop."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from PETAnomalyLib.engine.families.mae import network as mae
from slice_networks import SMALL, slice_network

SIZE = (16, 24)
EDGE = 8  # voxels: two patches of four


@pytest.fixture
def network() -> Any:
    return slice_network("mae", SMALL["mae"], SIZE)


def test_a_window_is_predicted_without_a_pixel_of_its_own(network: Any) -> None:
    """To the bit: other pixels in it change nothing of its own reconstruction."""
    image = torch.rand(1, 1, *SIZE)
    with torch.no_grad():
        healed = network(image).images
        for top, left in ((0, 0), (8, 16)):
            window = (..., slice(top, top + EDGE), slice(left, left + EDGE))
            changed = image.clone()
            changed[window] = torch.rand(1, 1, EDGE, EDGE) * 5
            found = network(changed).images
            assert torch.equal(found[window], healed[window])
            assert not torch.equal(found, healed)


def test_all_positions_at_once_are_the_loop_over_them(
    network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = torch.rand(3, 1, *SIZE)
    expected = torch.empty_like(images)
    with torch.no_grad():
        together = network(images).images
        for top in range(0, SIZE[0], EDGE):
            for left in range(0, SIZE[1], EDGE):
                patches = [
                    row * 6 + column
                    for row in (top // 4, top // 4 + 1)
                    for column in (left // 4, left // 4 + 1)
                ]
                hidden = torch.zeros(3, 24, dtype=torch.bool)
                hidden[:, patches] = True
                window = (..., slice(top, top + EDGE), slice(left, left + EDGE))
                expected[window] = network.predicted(network.embed(images), hidden)[window]
        assert torch.allclose(together, expected, atol=1e-6)
        monkeypatch.setattr(mae, "_TOKENS_AT_ONCE", 1)
        assert torch.allclose(network(images).images, expected, atol=1e-6)


def test_a_window_of_air_is_left_as_it_is(network: Any) -> None:
    images = torch.rand(2, 1, *SIZE) + 0.1
    images[0, 0, :EDGE, :EDGE] *= 0.04  # under 0.05 everywhere
    with torch.no_grad():
        healed = network(images).images
    left = (healed == images).view(2, 2, EDGE, 3, EDGE).all(4).all(2)
    assert left.nonzero().tolist() == [[0, 0, 0]]


def test_slices_that_windows_do_not_divide_are_healed_to_the_last_voxel() -> None:
    network = slice_network("mae", SMALL["mae"], (13, 18))
    images = torch.rand(2, 1, 13, 18)
    with torch.no_grad():
        healed = network(images).images
    assert healed.shape == images.shape
    assert (healed != 0).all()


def test_training_leaves_what_is_visible_and_hides_whole_windows(network: Any) -> None:
    """Two of six windows: 40 %."""
    torch.manual_seed(3)
    images = torch.rand(5, 1, *SIZE)
    with torch.no_grad():
        seen = network.train()(images).images
    changed = (seen != images).view(5, 2, EDGE, 3, EDGE)
    assert torch.equal(changed.any(4).any(2), changed.all(4).all(2))
    assert changed.any(4).any(2).sum((1, 2)).tolist() == [2] * 5
    places = changed.any(4).any(2).flatten(1)
    assert not all(torch.equal(places[0], other) for other in places[1:])

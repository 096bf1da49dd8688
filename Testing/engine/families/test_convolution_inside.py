"""All that the decoder sees has passed the convolutional autoencoder."""

from __future__ import annotations

import pytest
import torch
from slice_networks import SMALL, slice_network

FAMILIES = pytest.mark.parametrize("family", ["sc-tae", "dc-tae"])


@FAMILIES
def test_nothing_goes_round_the_bottleneck(family: str) -> None:
    network = slice_network(family, SMALL[family], (16, 16))
    one, other = torch.rand(2, 1, 1, 16, 16)
    with torch.no_grad():
        assert (network(one).images - network(other).images).abs().max() > 1e-6
        network.autoencoder.bottleneck.register_forward_hook(
            lambda _module, _given, out: torch.ones_like(out)
        )
        assert torch.equal(network(one).images, network(other).images)


@FAMILIES
def test_half_of_the_layers_stand_on_either_side(family: str) -> None:
    network = slice_network(family, {**SMALL[family], "layers": 6}, (16, 16))
    assert len(network.before.layers) == len(network.behind.layers) == 3

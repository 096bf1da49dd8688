"""With skip connections the reconstruction sees past the coarsest step."""

from __future__ import annotations

import torch
from slice_networks import SMALL, slice_network


def test_the_way_back_sees_the_way_there() -> None:
    network = slice_network("h-tae-s", SMALL["h-tae-s"], (16, 16))
    one, other = torch.rand(2, 1, 1, 16, 16)
    with torch.no_grad():
        network.coarsest.register_forward_hook(lambda _module, _given, out: torch.ones_like(out))
        difference = (network(one).images - network(other).images).abs().max()
        assert difference > 1e-4
        network.fuse[0].weight[:, network.sizes.width :] = 0.0  # the skipped half
        assert torch.equal(network(one).images, network(other).images)

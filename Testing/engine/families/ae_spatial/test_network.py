"""The spatial code: what is seen of a place is what lies round it."""

from __future__ import annotations

import torch
from slice_networks import SMALL, slice_network


def test_a_change_in_one_corner_is_not_seen_in_the_opposite_one() -> None:
    """Two levels of 5 x 5 kernels there and back reach less than 32 voxels."""
    network = slice_network("ae-spatial", SMALL["ae-spatial"], (64, 64))
    image = torch.rand(1, 1, 64, 64)
    changed = image.clone()
    changed[..., :3, :3] += 5.0
    with torch.no_grad():
        difference = (network(changed).images - network(image).images).abs()
    assert difference[..., :8, :8].max() > 1e-5
    assert difference[..., 32:, 32:].max() == 0.0

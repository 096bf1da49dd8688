"""The dense code: every voxel of a slice hangs on every other."""

from __future__ import annotations

import torch
from slice_networks import SMALL, slice_network


def test_a_change_in_one_corner_is_seen_in_the_opposite_one() -> None:
    network = slice_network("ae-dense", SMALL["ae-dense"], (32, 32))
    image = torch.rand(1, 1, 32, 32)
    changed = image.clone()
    changed[..., :3, :3] += 5.0
    with torch.no_grad():
        difference = (network(changed).images - network(image).images).abs()
    assert difference[..., -3:, -3:].max() > 1e-5


def test_reconstructions_differ_along_no_more_directions_than_the_code_has_numbers() -> None:
    """Up to the decoder's first activation: 40 slices, 5 numbers."""
    network = slice_network("ae-dense", SMALL["ae-dense"], (16, 16))
    bottleneck = network.autoencoder.bottleneck
    with torch.no_grad():
        behind = bottleneck(network.autoencoder.encoder(torch.rand(40, 1, 16, 16))).flatten(1)
    singular = torch.linalg.svdvals((behind - behind.mean(0)).double())
    assert int((singular > 1e-3 * singular[0]).sum()) <= 5

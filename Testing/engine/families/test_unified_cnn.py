"""The unified convolutional autoencoder: its levels, and what its bottlenecks let through."""

from __future__ import annotations

import torch
from PETAnomalyLib.engine.families.unified_cnn import encoder, grid_of
from slice_networks import PAPER_2, slice_network


def test_four_levels_of_paper_2_leave_a_grid_of_16_by_16() -> None:
    channels = PAPER_2["ae-spatial"]["channels"]
    features = encoder(channels).eval()(torch.zeros(1, 1, 256, 256))
    assert features.shape == (1, 128, 16, 16)
    assert grid_of((256, 256), len(channels)) == (16, 16)
    assert grid_of((250, 241), len(channels)) == (16, 16)


def test_the_bottlenecks_are_table_4s() -> None:
    dense = slice_network("ae-dense", PAPER_2["ae-dense"], (256, 256))
    spatial = slice_network("ae-spatial", PAPER_2["ae-spatial"], (256, 256))
    variational = slice_network("vae", PAPER_2["vae"], (256, 256))
    features = torch.zeros(1, 128, 16, 16)
    assert dense.autoencoder.bottleneck.code.out_features == 512
    assert spatial.autoencoder.bottleneck[0](features).shape == (1, 16, 16, 16)
    with torch.no_grad():
        assert variational.encoded(torch.zeros(1, 1, 256, 256))[0].shape == (1, 512)

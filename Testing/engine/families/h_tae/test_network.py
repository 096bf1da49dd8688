"""Merging and expanding, and that without skip connections all passes the coarsest step."""

from __future__ import annotations

import torch
from PETAnomalyLib.engine.families.hierarchical_transformer import PatchExpanding, PatchMerging
from slice_networks import PAPER_2, SMALL, slice_network


def test_paper_2s_coarsest_tokens_are_1024_of_768_numbers() -> None:
    network = slice_network("h-tae", PAPER_2["h-tae"], (256, 256))
    with torch.no_grad():
        assert network.merge[0](torch.zeros(1, 4096, 384)).shape == (1, 1024, 768)


def test_merging_sees_two_by_two_tokens_and_expanding_gives_them() -> None:
    torch.manual_seed(0)
    merge, expand = PatchMerging((4, 6), 5), PatchExpanding((2, 3), 10)
    tokens = torch.rand(1, 24, 5)
    changed = tokens.clone()
    changed[0, [14, 15, 20, 21]] += 1.0 * torch.rand(4, 5)  # rows 2 and 3, columns 2 and 3
    with torch.no_grad():
        differs = (merge(changed) - merge(tokens)).abs().amax(2)[0] > 1e-6
        assert differs.tolist() == [False, False, False, False, True, False]
        coarse = torch.rand(1, 6, 10)
        other = coarse.clone()
        other[0, 4] += torch.rand(10)
        fine = (expand(other) - expand(coarse)).abs().amax(2)[0] > 1e-6
    assert [n for n in range(24) if fine[n]] == [14, 15, 20, 21]


def test_nothing_goes_round_the_coarsest_step() -> None:
    network = slice_network("h-tae", SMALL["h-tae"], (16, 16))
    one, other = torch.rand(2, 1, 1, 16, 16)
    with torch.no_grad():
        assert (network(one).images - network(other).images).abs().max() > 1e-6
        network.coarsest.register_forward_hook(lambda _module, _given, out: torch.ones_like(out))
        assert torch.equal(network(one).images, network(other).images)

"""Paper 3's VQVAE: its number of parameters, its sizes, and its codebook by brute force."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from PETAnomalyLib.engine.families.learnt_codebook import COMMITMENT
from slice_networks import PAPER_3, SMALL, slice_network


@pytest.mark.parametrize(("codebook", "count"), [(128, 1_005_825), (256, 1_022_209)])
def test_it_has_as_many_parameters_as_table_4_3_says(codebook: int, count: int) -> None:
    network = slice_network("vqvae", {**PAPER_3["vqvae"], "codebook": codebook}, (95, 79))
    assert sum(p.numel() for p in network.parameters()) == count


def test_a_slice_of_paper_3_passes_a_grid_of_11_by_9() -> None:
    network = slice_network("vqvae", PAPER_3["vqvae"], (95, 79))
    with torch.no_grad():
        assert network.encoder(torch.zeros(1, 1, 95, 79)).shape == (1, 128, 11, 9)
        assert network(torch.zeros(1, 1, 95, 79)).images.shape == (1, 1, 95, 79)


def test_every_vector_becomes_its_nearest_codeword_and_the_loss_is_the_papers() -> None:
    codebook = slice_network("vqvae", SMALL["vqvae"], (15, 15)).codebook
    vectors = torch.randn(2, 3, 4, 5)
    with torch.no_grad():
        found, loss = codebook(vectors)
    for b, row, column in ((b, r, c) for b in range(2) for r in range(4) for c in range(5)):
        vector = vectors[b, :, row, column]
        distances = [(vector - word).square().sum() for word in codebook.codewords]
        nearest = codebook.codewords[int(torch.stack(distances).argmin())]
        assert torch.allclose(found[b, :, row, column], nearest, atol=1e-6)
    assert float(loss) == pytest.approx(float((1 + COMMITMENT) * (found - vectors).square().mean()))


def test_gradients_reach_the_encoder_past_the_codebook_and_the_codebook_by_its_loss_alone() -> None:
    codebook: Any = slice_network("vqvae", SMALL["vqvae"], (15, 15)).codebook
    vectors = torch.randn(1, 3, 2, 2, requires_grad=True)
    codewords, loss = codebook(vectors)
    weights = torch.randn_like(codewords)
    (codewords * weights).sum().backward(retain_graph=True)
    assert vectors.grad is not None
    assert torch.allclose(vectors.grad, weights)
    assert codebook.codewords.grad is None
    (moved,) = torch.autograd.grad(loss, codebook.codewords)
    assert moved.abs().max() > 0

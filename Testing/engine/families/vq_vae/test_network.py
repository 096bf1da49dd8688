"""The nearest codeword, by brute force."""

from __future__ import annotations

import torch
from slice_networks import SMALL, slice_network


def test_every_vector_becomes_its_nearest_codeword() -> None:
    network = slice_network("vq-vae", SMALL["vq-vae"], (16, 20))
    vectors = torch.randn(2, 3, 4, 5)
    with torch.no_grad():
        found, commitment, _ = network.quantizer(vectors)
    codebook = network.quantizer.embedding.weight
    for b, row, column in ((b, r, c) for b in range(2) for r in range(4) for c in range(5)):
        distances = [(vectors[b, :, row, column] - word).square().sum() for word in codebook]
        nearest = codebook[int(torch.stack(distances).argmin())]
        assert torch.allclose(found[b, :, row, column], nearest, atol=1e-6)
    assert torch.allclose(commitment, 0.25 * (found - vectors).square().mean())


def test_evaluation_moves_no_codeword_and_training_does() -> None:
    network = slice_network("vq-vae", SMALL["vq-vae"], (16, 20))
    before = network.quantizer.embedding.weight.clone()
    images = torch.rand(4, 1, 16, 20)
    network(images)
    assert torch.equal(network.quantizer.embedding.weight, before)
    network.train()(images)
    assert not torch.equal(network.quantizer.embedding.weight, before)

"""The distribution of codes: its divergence in closed form, and what is drawn from it."""

from __future__ import annotations

import pytest
import torch
from PETAnomalyLib.engine.families.vae.network import kl_to_standard_normal
from slice_networks import PAPER_3, SMALL, slice_network
from torch.distributions import Normal, kl_divergence

SIZE = (16, 20)


def test_the_divergence_is_torchs() -> None:
    mean, log_variance = torch.randn(4, 6), torch.randn(4, 6)
    q = Normal(mean, torch.exp(0.5 * log_variance))
    expected = kl_divergence(q, Normal(torch.zeros(4, 6), torch.ones(4, 6))).sum(1)
    assert kl_to_standard_normal(mean, log_variance).tolist() == pytest.approx(expected.tolist())


def test_its_penalty_is_the_divergence_a_voxel() -> None:
    network = slice_network("vae", SMALL["vae"], SIZE)
    images = torch.rand(3, 1, *SIZE)
    with torch.no_grad():
        penalty = network(images).penalty
        divergence = kl_to_standard_normal(*network.encoded(images))
    assert float(penalty) == pytest.approx(float(divergence.mean()) / (16 * 20))


def test_without_noise_the_mean_is_decoded() -> None:
    network = slice_network("vae", SMALL["vae"], SIZE)
    images = torch.rand(3, 1, *SIZE)
    with torch.no_grad():
        drawn = network.drawn(images, torch.zeros(2, 3, network.noise))
        likely = network(images).images[:, 0]
    assert torch.allclose(drawn[0], likely, atol=1e-6)
    assert torch.allclose(drawn[0], drawn[1], atol=1e-6)


def test_codes_are_drawn_as_wide_as_the_encoder_says() -> None:
    """A decoder that gives the code back: mean and spread of 4,000 draws."""
    network = slice_network("vae", SMALL["vae"], SIZE)
    codes: list[torch.Tensor] = []
    network.decoder.register_forward_hook(lambda _module, given, _out: codes.append(given[0]))
    image = torch.rand(1, 1, *SIZE)
    with torch.no_grad():
        mean, log_variance = network.encoded(image)
        network.drawn(image, torch.randn(4000, 1, network.noise))
    sigma = torch.exp(0.5 * log_variance)[0]
    assert torch.allclose(codes[0].mean(0), mean[0], atol=0.08 * float(sigma.max()))
    assert torch.allclose(codes[0].std(0), sigma, rtol=0.06)


@pytest.mark.parametrize(("code", "count"), [(64, 1_423_393), (128, 1_915_041)])
def test_table_4_3_of_paper_3_counts_one_linear_layer_more(code: int, count: int) -> None:
    """1,920 numbers from the code and as many biases, which the paper's text does not have."""
    network = slice_network("vae", {**PAPER_3["vae"], "code": code}, (95, 79))
    assert sum(p.numel() for p in network.parameters()) + 12 * 10 * 16 * (code + 1) == count


def test_paper_3_goes_by_12_by_10_cells_and_normalises_what_goes_to_the_code() -> None:
    network = slice_network("vae", PAPER_3["vae"], (95, 79))
    image = torch.rand(2, 1, 95, 79)
    with torch.no_grad():
        assert network.encoder[0](torch.zeros(1, 1, 96, 80)).shape == (1, 128, 12, 10)
        assert network(image).images.shape == image.shape
        assert network.encoder(torch.zeros(1, 1, 96, 80)).shape == (1, 16 * 12 * 10)
    network.encoder.train()
    with torch.no_grad():
        normed = network.encoder[1:3](network.encoder[0](torch.rand(3, 1, 96, 80)))
    assert normed.mean((0, 2, 3)).abs().max() < 1e-4
    assert normed.var((0, 2, 3), correction=0).tolist() == pytest.approx([1.0] * 16, rel=0.05)

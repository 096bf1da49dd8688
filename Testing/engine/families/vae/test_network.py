"""The distribution of codes: its divergence in closed form, and what is drawn from it."""

from __future__ import annotations

import pytest
import torch
from PETAnomalyLib.engine.families.vae.network import kl_to_standard_normal
from slice_networks import SMALL, slice_network
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
    assert torch.equal(drawn[0], drawn[1])


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

"""The VQGAN's training: equation 3.14, and who learns in whose step."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from PETAnomalyLib.engine.families.vqgan.train import (
    LARGEST_WEIGHT,
    SliceVQGANSettings,
    adaptive_weight,
    discriminator,
)
from PETAnomalyLib.engine.training.critic import Critic
from slice_networks import SMALL, slice_network

SIZE = (24, 32)


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def opponents(fabric: Fabric) -> tuple[Any, Critic]:
    network = slice_network("vqgan", SMALL["vqgan"], SIZE).train()
    settings = SliceVQGANSettings(network.sizes, 1, 1, discriminator_channels=4)
    return network, Critic(discriminator(settings), "bce", 1e-2, fabric)


def test_lambda_is_the_quotient_of_two_gradients_of_the_last_layer(fabric: Fabric) -> None:
    """By finite differences along each gradient: nothing of autograd's own is asked."""
    last = torch.randn(1, 4, 3, 3, dtype=torch.double, requires_grad=True)
    features = torch.randn(2, 4, 9, 8, dtype=torch.double)
    image = torch.randn(2, 1, 9, 8, dtype=torch.double)

    def losses(weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        made = torch.nn.functional.conv2d(features, weights, padding=1)
        return (made - image).square().mean(), torch.sigmoid(made).square().sum()

    found = adaptive_weight(*losses(last), last, fabric)
    gradients = torch.zeros(2, last.numel(), dtype=torch.double)
    with torch.no_grad():
        for k in range(last.numel()):
            step = torch.zeros(last.numel(), dtype=torch.double)
            step[k] = 1e-5
            ahead, behind = (losses(last + s * step.view(last.shape)) for s in (1, -1))
            gradients[:, k] = torch.stack([(a - b) / 2e-5 for a, b in zip(ahead, behind)])
    of_lost, of_opposition = gradients.norm(dim=1)
    assert float(found) == pytest.approx(float(of_lost / of_opposition), rel=1e-5)


def test_lambda_is_bounded_where_the_discriminator_says_nothing(fabric: Fabric) -> None:
    last = torch.ones(3, requires_grad=True)
    assert float(adaptive_weight((last * 1e3).sum(), (last * 0).sum(), last, fabric)) == (
        LARGEST_WEIGHT
    )


def test_the_discriminator_gets_no_gradient_in_the_generators_step(fabric: Fabric) -> None:
    network, critic = opponents(fabric)
    images = torch.rand(2, 1, *SIZE)
    before = {name: w.clone() for name, w in critic.network.named_parameters()}
    reconstruction, of_codebook = network(images)
    opposition = critic.loss(reconstruction, images)
    weight = adaptive_weight(reconstruction.abs().mean(), opposition, network.last_weights, fabric)
    (opposition * weight + of_codebook).backward()
    assert all(p.grad is None for p in critic.network.parameters())
    assert all(p.requires_grad for p in critic.network.parameters())
    assert network.last_weights.grad.abs().max() > 0
    assert all(torch.equal(w, before[name]) for name, w in critic.network.named_parameters())


def test_the_generator_gets_none_in_the_discriminators_step(fabric: Fabric) -> None:
    network, critic = opponents(fabric)
    images = torch.rand(2, 1, *SIZE)
    before = [w.clone() for w in critic.network.parameters()]
    critic.learn(network(images).images, images)
    assert all(p.grad is None for p in network.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, critic.network.parameters()))


def test_the_discriminator_learns_to_tell_and_is_believed(fabric: Fabric) -> None:
    """Images of one pattern, reconstructions of none: it gives either what is due, as it learnt to
    in batches of both."""
    torch.manual_seed(0)
    _, critic = opponents(fabric)
    images = torch.zeros(4, 1, *SIZE)
    images[..., ::4] = 1.0
    made = torch.full_like(images, 0.25)
    for _ in range(40):
        critic.learn(made, images)
    guess = math.log(2.0)
    assert float(critic.loss(made, images)) > 2 * guess
    assert float(critic.loss(images, made)) < guess

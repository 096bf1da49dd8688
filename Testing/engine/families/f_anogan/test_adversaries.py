"""f-AnoGAN: who learns in whose step, the slope's penalty, and the size of its network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from PETAnomalyLib.engine.families.f_anogan.adversaries import Adversaries
from PETAnomalyLib.engine.families.f_anogan.critic import WassersteinCritic, slope_penalty
from slice_networks import PAPER_2, SMALL, slice_network

SIZE = (14, 18)


@pytest.fixture
def adversaries() -> Adversaries:
    sizes = slice_network("f-anogan", SMALL["f-anogan"], SIZE).sizes
    torch.manual_seed(0)
    return Adversaries(sizes, 1e-3, Fabric(accelerator="cpu", devices=1))


def images(count: int = 4) -> torch.Tensor:
    return torch.rand(count, 1, *SIZE, generator=torch.Generator().manual_seed(3))


def state(module: Any) -> dict[str, torch.Tensor]:
    """Weights, and what normalisation has counted."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(module: Any, before: dict[str, torch.Tensor]) -> bool:
    return any(not torch.equal(value, before[name]) for name, value in state(module).items())


def test_the_encoder_learns_with_generator_and_critic_frozen(adversaries: Adversaries) -> None:
    network, critic = adversaries.network, adversaries.critic
    adversaries.learn_to_tell(images())  # so that there is momentum to be left alone
    adversaries.learn_to_generate(images())
    before = [state(part) for part in (network.encoder, network.generator, critic)]
    for part in (network.generator, critic):
        part.zero_grad()
    for _ in range(3):
        adversaries.learn_to_encode(images())
    assert moved(network.encoder, before[0])
    assert not moved(network.generator, before[1])
    assert not moved(critic, before[2])
    frozen = (*network.generator.parameters(), *critic.parameters())
    assert all(p.grad is None for p in frozen)


def test_each_of_the_two_learns_in_its_own_step_alone(adversaries: Adversaries) -> None:
    network, critic = adversaries.network, adversaries.critic
    before = [{name: p.clone() for name, p in part.named_parameters()}
              for part in (network.encoder, network.generator, critic)]  # fmt: skip

    def changed() -> list[bool]:
        parts = (network.encoder, network.generator, critic)
        return [
            any(not torch.equal(p, old[name]) for name, p in part.named_parameters())
            for part, old in zip(parts, before)
        ]

    adversaries.learn_to_tell(images())
    assert changed() == [False, False, True]
    before[2] = {name: p.clone() for name, p in critic.named_parameters()}
    adversaries.learn_to_generate(images())
    assert changed() == [False, True, False]


def test_the_penalty_of_a_plane_is_its_slope_less_one_squared() -> None:
    slope = torch.randn(1, 1, *SIZE)
    between = images().requires_grad_()
    scores = (between * slope).sum((1, 2, 3))
    assert float(slope_penalty(scores, between)) == pytest.approx(float((slope.norm() - 1) ** 2))


def test_the_penalty_pulls_the_critic_towards_a_slope_of_one(adversaries: Adversaries) -> None:
    critic = adversaries.critic
    optimizer = torch.optim.Adam(critic.parameters(), 1e-2)
    penalties = []
    for _ in range(60):
        between = images().requires_grad_()
        penalty = slope_penalty(critic(between)[0], between)
        optimizer.zero_grad()
        penalty.backward()
        optimizer.step()
        penalties.append(float(penalty.detach()))
    assert penalties[-1] < 0.05 * penalties[0]


def test_an_images_score_is_its_own(adversaries: Adversaries) -> None:
    """No normalisation over the batch: the penalty could not be an image's otherwise."""
    critic: WassersteinCritic = adversaries.critic.train()
    with torch.no_grad():
        together, _ = critic(images())
        alone = torch.cat([critic(image[None])[0] for image in images()])
    assert torch.allclose(together, alone, atol=1e-6)


def test_paper_4s_size_has_as_many_parameters_as_its_table_1_says() -> None:
    """5.56 M: encoder and generator of slices of 256 x 256, with a code of 512."""
    network = slice_network("f-anogan", PAPER_2["ae-dense"], (256, 256))
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 2) == 5.56


def test_a_code_is_found_for_what_the_generator_made(adversaries: Adversaries) -> None:
    """The encoder alone learns, and the error of generated slices falls."""
    network = adversaries.network
    network.generator.eval()
    torch.manual_seed(1)
    with torch.no_grad():
        made = network.cut(network.generator(3 * torch.randn(8, network.sizes.code)))
    errors = [float(adversaries.learn_to_encode(made)[0]) for _ in range(150)]
    assert errors[-1] < 0.5 * errors[0]

"""Noise and its removal against their closed forms, and against MONAI's scheduler."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.networks.schedulers import DDPMScheduler
from PETAnomalyLib.engine.families.auto_ddpm.diffusion import Diffusion

LEVEL = st.integers(1, 1000)


def kept(level: int) -> float:
    """The product of 1 - beta up to a level, beta from 0.0001 to 0.02 (Ho et al., section 4)."""
    return math.prod(1 - (1e-4 + (0.02 - 1e-4) * n / 999) for n in range(level))


def an_image(seed: int) -> torch.Tensor:
    return torch.rand(2, 1, 3, 4, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(level=LEVEL)
def test_noised_slices_are_equation_4(level: int) -> None:
    image, noise = an_image(0), torch.randn(2, 1, 3, 4)
    expected = math.sqrt(kept(level)) * image + math.sqrt(1 - kept(level)) * noise
    assert torch.allclose(Diffusion().noised(image, noise, level), expected, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(level=LEVEL, share=st.floats(0, 1))
def test_noise_upon_noise_is_that_of_the_higher_level(level: int, share: float) -> None:
    """Mean and variance of q(x_level | x_0) through a level between."""
    diffusion, between = Diffusion(), int(share * level)
    one, none = torch.ones(1), torch.zeros(1)
    mean = diffusion.noised(diffusion.noised(one, none, between), none, level, between)
    spreads = (
        diffusion.noised(diffusion.noised(none, one, between), none, level, between),
        diffusion.noised(none, one, level, between),
    )
    assert float(mean) == pytest.approx(math.sqrt(kept(level)), abs=1e-6)
    variance = sum(float(spread) ** 2 for spread in spreads)
    assert variance == pytest.approx(1 - kept(level), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(level=LEVEL, share=st.floats(0, 1))
def test_the_posterior_is_bayes(level: int, share: float) -> None:
    """q(x_below | x_0) q(x_level | x_below) as a product of normal densities in x_below."""
    below = int(share * (level - 1))
    diffusion = Diffusion()
    image, noisy = 0.3, -0.8
    if below == 0:
        mean = diffusion.posterior(torch.tensor(image), torch.tensor(noisy), level, 0)
        assert float(mean) == pytest.approx(image, abs=1e-6)
        assert diffusion.posterior_variance(level, 0) == 0
        return
    step = kept(level) / kept(below)
    precision = 1 / (1 - kept(below)) + step / (1 - step)
    weighted = math.sqrt(kept(below)) * image / (1 - kept(below))
    weighted += math.sqrt(step) * noisy / (1 - step)
    mean = diffusion.posterior(torch.tensor(image), torch.tensor(noisy), level, below)
    assert float(mean) == pytest.approx(weighted / precision, rel=1e-4, abs=1e-5)
    assert diffusion.posterior_variance(level, below) == pytest.approx(1 / precision, rel=1e-4)


@pytest.mark.parametrize("level", [1, 2, 200, 1000])
def test_one_step_down_is_monais(level: int) -> None:
    """`DDPMScheduler.step`, with the noise of its own stream."""
    scheduler = DDPMScheduler(1000, "linear_beta", prediction_type="sample")
    diffusion = Diffusion()
    noisy, image = an_image(1) * 3 - 1, an_image(2)
    expected, _ = scheduler.step(
        image, level - 1, noisy, generator=torch.Generator().manual_seed(7)
    )
    drawn = torch.randn(2, 1, 3, 4, generator=torch.Generator().manual_seed(7))
    spread = diffusion.posterior_variance(level, level - 1) ** 0.5
    mean = diffusion.posterior(image, noisy, level, level - 1)
    assert torch.allclose(mean + spread * drawn, expected, atol=5e-4)  # theirs is in float32

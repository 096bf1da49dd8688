"""Noise and its removal in closed form, over as many levels at once as are wanted.

Level 0 is the image, level t what t steps of the schedule make of it. MONAI's schedulers go down by
one level, or by a stride that they choose; a posterior between any two levels is the same equation.

References:
    J. Ho et al., Denoising Diffusion Probabilistic Models, 2020, equations 4, 6 and 7.
    J. Song et al., Denoising Diffusion Implicit Models, 2021, equation 12 with eta = 1: strides.
"""

from __future__ import annotations

import torch
from monai.networks.schedulers import DDPMScheduler
from torch import Tensor

from PETAnomalyLib.engine.families.auto_ddpm.levels import LEVELS


class Diffusion:
    """The linear schedule of Ho et al.

    Attributes:
        scheduler: MONAI's; its timesteps count from 0, ours is one more.
    """

    def __init__(self) -> None:
        self.scheduler = DDPMScheduler(LEVELS, "linear_beta", prediction_type="sample")
        kept = torch.cumprod(1 - self.scheduler.betas.double(), 0)
        self._kept = [1.0, *kept.tolist()]

    def kept(self, timesteps: Tensor) -> Tensor:
        """The share of the images' variance that is left, alpha bar; B of B timesteps from 0."""
        return self.scheduler.alphas_cumprod.to(timesteps.device)[timesteps]

    def noised(self, images: Tensor, noise: Tensor, level: int, above: int = 0) -> Tensor:
        """q(x_level | x_above), equation 4.

        Args:
            images: at level `above`.
            noise: standard normal, as large.
            level, above: `above` is the lower one; 0: the images themselves.
        """
        share = self._kept[level] / self._kept[above]
        return share**0.5 * images + (1 - share) ** 0.5 * noise

    def posterior(self, images: Tensor, noisy: Tensor, level: int, below: int) -> Tensor:
        """The mean of q(x_below | x_level, x_0), equation 7 over a stride."""
        high, low = self._kept[level], self._kept[below]
        of_image = low**0.5 * (1 - high / low) / (1 - high)
        of_noisy = (high / low) ** 0.5 * (1 - low) / (1 - high)
        return of_image * images + of_noisy * noisy

    def posterior_variance(self, level: int, below: int) -> float:
        """Its variance; 0 where `below` is the image."""
        high, low = self._kept[level], self._kept[below]
        return (1 - low) / (1 - high) * (1 - high / low)

"""The critic of the Wasserstein GAN (I. Gulrajani et al., 2017), which its training alone needs."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.unified_cnn import KERNEL, DenseSizes, grid_of


class WassersteinCritic(nn.Module):
    """B x 1 x h x w to scores B, high for images, and the features before them, B x n.

    The encoder's convolutions, without normalisation over the batch: the penalty is an image's.
    """

    def __init__(self, sizes: DenseSizes) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((1, *sizes.channels)):
            layers += [nn.Conv2d(before, after, KERNEL, 2, KERNEL // 2), nn.LeakyReLU()]
        rows, columns = grid_of(sizes.size, len(sizes.channels))
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.score = nn.Linear(sizes.channels[-1] * rows * columns, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.score(features)[:, 0], features


def slope_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """Mean of (|gradient of an image's score| - 1)^2, equation 3 of Gulrajani et al.

    Args:
        scores: B, computed from
        images: B x 1 x h x w, which ask for a gradient.
    """
    [gradient] = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()

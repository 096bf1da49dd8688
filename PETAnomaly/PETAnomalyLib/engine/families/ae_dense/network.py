"""AE (dense) of paper 2: the unified convolutional autoencoder round one code."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import DenseBottleneck, UnifiedCNN, grid_of


@dataclass(frozen=True)
class AEDenseSizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        channels: feature channels of each stride-2 level, finest first.
        narrow: channels before the code.
        code: length of the code.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    channels: tuple[int, ...]
    narrow: int
    code: int
    axis: int = 0


class AEDense(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: AEDenseSizes) -> None:
        super().__init__()
        self.sizes = sizes
        grid = grid_of(sizes.size, len(sizes.channels))
        bottleneck = DenseBottleneck(sizes.channels[-1], sizes.narrow, grid, sizes.code)
        self.autoencoder = UnifiedCNN(sizes.channels, bottleneck)

    def forward(self, images: Tensor) -> Reconstructed:
        return Reconstructed(self.autoencoder(images), torch.zeros((), device=images.device))

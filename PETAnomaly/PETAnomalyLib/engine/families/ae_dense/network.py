"""AE (dense) of paper 2: the unified convolutional autoencoder round one code."""

from __future__ import annotations

from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import (
    DenseBottleneck,
    DenseSizes,
    UnifiedCNN,
    grid_of,
)


class AEDense(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: DenseSizes) -> None:
        super().__init__()
        self.sizes = sizes
        grid = grid_of(sizes.size, len(sizes.channels))
        bottleneck = DenseBottleneck(sizes.channels[-1], sizes.narrow, grid, sizes.code)
        self.autoencoder = UnifiedCNN(sizes.channels, bottleneck)

    def forward(self, images: Tensor) -> Reconstructed:
        return Reconstructed.alone(self.autoencoder(images))

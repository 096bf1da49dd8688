"""AE (spatial) of paper 2: the unified convolutional autoencoder round a small image."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import SpatialBottleneck, UnifiedCNN


@dataclass(frozen=True)
class AESpatialSizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        channels: feature channels of each stride-2 level, finest first.
        narrow: channels of the code, a small image.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    channels: tuple[int, ...]
    narrow: int
    axis: int = 0


class AESpatial(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: AESpatialSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.autoencoder = UnifiedCNN(
            sizes.channels, SpatialBottleneck(sizes.channels[-1], sizes.narrow)
        )

    def forward(self, images: Tensor) -> Reconstructed:
        return Reconstructed.alone(self.autoencoder(images))

"""A transformer with a convolutional autoencoder inside (paper 2, figures 5 and 6).

The encoder's tokens become an image again, the autoencoder's bottleneck keeps of it what it can,
and what it gives is read by the transformer's decoder as patches once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import UnifiedCNN
from PETAnomalyLib.engine.families.vision_transformer import (
    PatchEmbedding,
    PatchesToImage,
    PatchSizes,
    transformer_layers,
)


@dataclass(frozen=True, kw_only=True)
class InsideSizes(PatchSizes):
    """What the network is built from: half of `layers` before the autoencoder, half behind it.

    Attributes:
        channels: the autoencoder's, of each stride-2 level, finest first.
        narrow: channels of its code, or before it.
    """

    channels: tuple[int, ...]
    narrow: int


class ConvolutionInside(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit.

    Args:
        sizes: see there.
        bottleneck: of the autoencoder that stands between.
    """

    def __init__(self, sizes: InsideSizes, bottleneck: nn.Module) -> None:
        super().__init__()
        self.sizes = sizes
        size, patch, width = sizes.size, sizes.patch, sizes.width
        self.embed, self.embed_again = (PatchEmbedding(size, patch, width) for _ in range(2))
        self.before, self.behind = (
            transformer_layers(sizes.layers // 2, width, sizes.heads) for _ in range(2)
        )
        self.to_image, self.to_reconstruction = (
            PatchesToImage(self.embed.grid, patch, width) for _ in range(2)
        )
        self.autoencoder = UnifiedCNN(sizes.channels, bottleneck)

    def forward(self, images: Tensor) -> Reconstructed:
        size = images.shape[-2:]
        inside = self.autoencoder(self.to_image(self.before(self.embed(images)), size))
        reconstruction = self.to_reconstruction(self.behind(self.embed_again(inside)), size)
        return Reconstructed.alone(reconstruction)

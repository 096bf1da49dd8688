"""A transformer with a convolutional autoencoder inside (paper 2, figures 5 and 6).

The encoder's tokens become an image again, the autoencoder's bottleneck keeps of it what it can,
and what it gives is read by the transformer's decoder as patches once more.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import UnifiedCNN
from PETAnomalyLib.engine.families.vision_transformer import (
    PatchEmbedding,
    PatchesToImage,
    transformer_layers,
)


class ConvolutionInside(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit.

    Args:
        size: rows and columns of a slice.
        patch: voxels along a patch's edge.
        width: of a token.
        layers: half of them before the autoencoder, half behind it.
        heads: of each layer's attention.
        autoencoder: stands between.
    """

    def __init__(
        self,
        size: tuple[int, int],
        patch: int,
        width: int,
        layers: int,
        heads: int,
        autoencoder: UnifiedCNN,
    ) -> None:
        super().__init__()
        self.embed, self.embed_again = (PatchEmbedding(size, patch, width) for _ in range(2))
        self.before, self.behind = (transformer_layers(layers // 2, width, heads) for _ in range(2))
        self.to_image, self.to_reconstruction = (
            PatchesToImage(self.embed.grid, patch, width) for _ in range(2)
        )
        self.autoencoder = autoencoder

    def forward(self, images: Tensor) -> Reconstructed:
        size = images.shape[-2:]
        inside = self.autoencoder(self.to_image(self.before(self.embed(images)), size))
        reconstruction = self.to_reconstruction(self.behind(self.embed_again(inside)), size)
        return Reconstructed(reconstruction, torch.zeros((), device=images.device))

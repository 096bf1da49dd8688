"""B_TAE of paper 2: patches to tokens, layers of attention, tokens to patches."""

from __future__ import annotations

from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.vision_transformer import (
    PatchEmbedding,
    PatchesToImage,
    PatchSizes,
    transformer_layers,
)


class BTAE(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: PatchSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed = PatchEmbedding(sizes.size, sizes.patch, sizes.width)
        self.layers = transformer_layers(sizes.layers, sizes.width, sizes.heads)
        self.to_image = PatchesToImage(self.embed.grid, sizes.patch, sizes.width)

    def forward(self, images: Tensor) -> Reconstructed:
        reconstruction = self.to_image(self.layers(self.embed(images)), images.shape[-2:])
        return Reconstructed.alone(reconstruction)

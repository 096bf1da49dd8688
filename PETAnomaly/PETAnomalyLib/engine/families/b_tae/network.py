"""B_TAE of paper 2: patches to tokens, layers of attention, tokens to patches."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.vision_transformer import (
    PatchEmbedding,
    PatchesToImage,
    transformer_layers,
)


@dataclass(frozen=True)
class BTAESizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        patch: voxels along a patch's edge.
        width: of a token.
        layers: how many.
        heads: of each layer's attention.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    patch: int
    width: int
    layers: int
    heads: int
    axis: int = 0


class BTAE(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: BTAESizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed = PatchEmbedding(sizes.size, sizes.patch, sizes.width)
        self.layers = transformer_layers(sizes.layers, sizes.width, sizes.heads)
        self.to_image = PatchesToImage(self.embed.grid, sizes.patch, sizes.width)

    def forward(self, images: Tensor) -> Reconstructed:
        reconstruction = self.to_image(self.layers(self.embed(images)), images.shape[-2:])
        return Reconstructed(reconstruction, torch.zeros((), device=images.device))

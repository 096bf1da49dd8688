"""What the transformers of slices are made of: patches to tokens, layers, tokens to patches.

A. Dosovitskiy et al. (2021), as paper 2 takes it: tokens of constant width, learnt places, and a
linear map from each token back to its patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.transformer_sizes import FEEDFORWARD

_PLACE_SPREAD = 0.02  # standard deviation of the learnt places at the start, as in ViT

# torch's fused layers of inference hold every attention matrix: 5.4 s of one core in place of 3.3
# for 100 slices of 464 tokens, six layers of width 96 (torch 2.13).
torch.backends.mha.set_fastpath_enabled(False)


@dataclass(frozen=True, kw_only=True)
class PatchSizes:
    """What every transformer of slices is built from.

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


class PatchEmbedding(nn.Module):
    """B x 1 x h x w to B x N x width: one token a patch, row by row.

    Args:
        size: rows and columns of the image.
        patch: voxels along its edge.
        width: of a token.
        multiple: of which rows and columns of tokens are; zeros are added behind the last.
    """

    def __init__(self, size: Sequence[int], patch: int, width: int, multiple: int = 1) -> None:
        super().__init__()
        self._edge = patch * multiple
        rows, columns = (-(-n // self._edge) * multiple for n in size)
        self.grid = (rows, columns)
        self.project = nn.Conv2d(1, width, patch, patch)
        self.places = nn.Parameter(torch.randn(1, rows * columns, width) * _PLACE_SPREAD)

    def forward(self, images: Tensor) -> Tensor:
        rows, columns = (-n % self._edge for n in images.shape[-2:])
        whole = functional.pad(images, (0, columns, 0, rows))
        return self.project(whole).flatten(2).transpose(1, 2) + self.places


class PatchesToImage(nn.Module):
    """B x N x width to B x 1 x h x w.

    Args:
        grid: rows and columns of tokens.
        patch: voxels along a patch's edge.
        width: of a token.
    """

    def __init__(self, grid: tuple[int, int], patch: int, width: int) -> None:
        super().__init__()
        self._grid, self._patch = grid, patch
        self.project = nn.Linear(width, patch * patch)

    def forward(self, tokens: Tensor, size: Sequence[int]) -> Tensor:
        """Args: tokens, and rows and columns of the image, of which the rest is cut off."""
        patches = self.project(tokens).transpose(1, 2).unflatten(2, self._grid)
        image: Tensor = functional.pixel_shuffle(patches, self._patch)
        return image[..., : size[0], : size[1]]


def transformer_layers(layers: int, width: int, heads: int) -> nn.Module:
    """Layers of attention and feed-forward, normalised before each."""
    layer = nn.TransformerEncoderLayer(
        width, heads, FEEDFORWARD * width, 0.0, functional.gelu, batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)

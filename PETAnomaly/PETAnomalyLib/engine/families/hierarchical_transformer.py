"""Transformers that see a slice at coarser and coarser steps, and back (paper 2, figures 1 and 7).

Two by two tokens merge into one of twice the width, and one expands into two by two of half of it
(appendix D); with skip connections the way back also sees the tokens of the way there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.vision_transformer import (
    PatchEmbedding,
    PatchesToImage,
    PatchSizes,
    transformer_layers,
)


@dataclass(frozen=True, kw_only=True)
class HierarchicalSizes(PatchSizes):
    """What the network is built from: `width` is a token's before the first merging.

    Attributes:
        layers: of all steps together, as many at each: each merging's, twice as many at the
            coarsest, each expanding's.
        mergings: how often two by two tokens merge.
    """

    mergings: int


class PatchMerging(nn.Module):
    """B x (rows * columns) x width to a quarter of the tokens, of twice the width."""

    def __init__(self, grid: tuple[int, int], width: int) -> None:
        super().__init__()
        self._grid = grid
        self.norm = nn.LayerNorm(4 * width)
        self.project = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        image = tokens.transpose(1, 2).unflatten(2, self._grid)
        fours = functional.pixel_unshuffle(image, 2).flatten(2).transpose(1, 2)
        merged: Tensor = self.project(self.norm(fours))
        return merged


class PatchExpanding(nn.Module):
    """B x (rows * columns) x width to four times the tokens, of half the width."""

    def __init__(self, grid: tuple[int, int], width: int) -> None:
        super().__init__()
        self._grid = grid
        self.project = nn.Linear(width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(width // 2)

    def forward(self, tokens: Tensor) -> Tensor:
        image = self.project(tokens).transpose(1, 2).unflatten(2, self._grid)
        expanded: Tensor = self.norm(functional.pixel_shuffle(image, 2).flatten(2).transpose(1, 2))
        return expanded


class HierarchicalTransformer(nn.Module):
    """B x 1 x h x w, reconstructed; in the model's intensity unit.

    Args:
        sizes: see there.
        skips: whether each step back sees the tokens of the same step there.
    """

    def __init__(self, sizes: HierarchicalSizes, skips: bool) -> None:
        super().__init__()
        self.sizes = sizes
        steps = range(sizes.mergings)
        self.embed = PatchEmbedding(sizes.size, sizes.patch, sizes.width, 2**sizes.mergings)
        grids = [(self.embed.grid[0] >> k, self.embed.grid[1] >> k) for k in (*steps, len(steps))]
        widths = [sizes.width << k for k in (*steps, len(steps))]
        each = sizes.layers // (2 * sizes.mergings + 2)

        def layers(step: int, count: int = each) -> nn.Module:
            return transformer_layers(count, widths[step], sizes.heads)

        self.there = nn.ModuleList(layers(step) for step in steps)
        self.merge = nn.ModuleList(PatchMerging(grids[step], widths[step]) for step in steps)
        self.coarsest = layers(len(steps), 2 * each)
        self.expand = nn.ModuleList(
            PatchExpanding(grids[step + 1], widths[step + 1]) for step in steps
        )
        self.fuse = nn.ModuleList(
            nn.Linear(2 * widths[step], widths[step]) for step in (steps if skips else ())
        )
        self.back = nn.ModuleList(layers(step) for step in steps)
        self.to_image = PatchesToImage(self.embed.grid, sizes.patch, sizes.width)

    def forward(self, images: Tensor) -> Reconstructed:
        tokens = self.embed(images)
        kept = []
        for layers, merge in zip(self.there, self.merge):
            tokens = layers(tokens)
            kept.append(tokens)
            tokens = merge(tokens)
        tokens = self.coarsest(tokens)
        for step in reversed(range(len(kept))):
            tokens = self.expand[step](tokens)
            if self.fuse:
                tokens = self.fuse[step](torch.cat([tokens, kept[step]], -1))
            tokens = self.back[step](tokens)
        reconstruction = self.to_image(tokens, images.shape[-2:])
        return Reconstructed.alone(reconstruction)

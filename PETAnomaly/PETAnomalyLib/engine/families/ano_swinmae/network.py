"""Ano-swinMAE of paper 4: what a mask hides of a slice, predicted by a shifted-window transformer.

Encoder and decoder are those of Swin MAE (Y. Dai et al., 2023). The token of a hidden patch stays
in its place: it is the same wherever one is hidden, but for its place. Patches are hidden by whole
windows. In training these are drawn at random inside the brain; to heal a slice, one mask moves
over it without overlap, and each of its positions is filled in while it alone is hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.ano_swinmae.swin import (
    Grid,
    PatchExpanding,
    SwinLevel,
    merging,
    sine_cosine_places,
)
from PETAnomalyLib.engine.families.slices import EMPTY, Reconstructed
from PETAnomalyLib.engine.scoring.mask_tiles import mask_tiles

TOKENS_AT_ONCE = 1 << 13
"""Of the finest level; a fraction of a second of a small network: Cancel waits no longer."""

_SPREAD = 0.02  # standard deviation of the hidden token at the start, as in MAE


@dataclass(frozen=True, kw_only=True)
class AnoSwinMAESizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        patch: voxels along a patch's edge.
        width: of a token of the finest level; each coarser one has twice that.
        depths: blocks of each level, finest first; the decoder's are the same but the coarsest.
        heads: of each level's attention.
        window: tokens along the edge of what attends to itself.
        hidden_patches: along the edge of what is hidden together in training.
        masked_percent: of the windows that hold something, that are hidden in training.
        mask: voxels along the edge of the mask that moves over a slice.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    patch: int
    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    hidden_patches: int
    masked_percent: int
    mask: int
    axis: int = 0


class AnoSwinMAE(nn.Module):
    """B x 1 x h x w; what is hidden is predicted, in the model's intensity unit."""

    places: Tensor
    tiles: Tensor

    def __init__(self, sizes: AnoSwinMAESizes) -> None:
        super().__init__()
        self.sizes = sizes
        levels, window = len(sizes.depths), sizes.window
        edge = sizes.patch * window << (levels - 1)  # so that every level has whole windows
        self._extent = tuple(-(-n // edge) * edge for n in sizes.size)
        rows, columns = (n // sizes.patch for n in self._extent)
        self.grid: Grid = (rows, columns)
        widths = [sizes.width << n for n in range(levels)]

        self.project = nn.Conv2d(1, sizes.width, sizes.patch, sizes.patch)
        self.project_norm = nn.LayerNorm(sizes.width)
        self.hidden_token = nn.Parameter(torch.randn(sizes.width) * _SPREAD)
        places = sine_cosine_places(self.grid, sizes.width)
        self.register_buffer("places", places, persistent=False)
        self.encoder = nn.ModuleList(self._level(n) for n in range(levels))
        self.merge = nn.ModuleList(merging(width) for width in widths[:-1])
        self.expand = nn.ModuleList(PatchExpanding(width) for width in widths[:0:-1])
        self.decoder = nn.ModuleList(self._level(n) for n in reversed(range(levels - 1)))
        self.norm = nn.LayerNorm(sizes.width)
        self.to_patches = nn.Linear(sizes.width, sizes.patch**2)

        tiles = torch.from_numpy(mask_tiles(sizes.size, sizes.mask, sizes.patch, self._extent))
        self.register_buffer("tiles", tiles, persistent=False)

    def _level(self, n: int) -> SwinLevel:
        sizes = self.sizes
        grid = (self.grid[0] >> n, self.grid[1] >> n)
        return SwinLevel(grid, sizes.width << n, sizes.depths[n], sizes.heads[n], sizes.window)

    def forward(self, images: Tensor, hidden: Tensor | None = None) -> Reconstructed:
        """What is hidden filled in; of nothing said, some windows in training, else `healed`."""
        if hidden is None and not self.training:
            return Reconstructed.alone(self.healed(images))
        hidden = self.some_windows(images) if hidden is None else hidden
        return Reconstructed.alone(self.filled(images, hidden))

    def tokens(self, images: Tensor) -> Tensor:
        """Of all patches, with nothing hidden and without their places: B x h x w x width."""
        rows, columns = (whole - n for whole, n in zip(self._extent, images.shape[-2:]))
        whole = functional.pad(images, (0, columns, 0, rows))
        return self.project_norm(self.project(whole).movedim(1, -1))

    def placed(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """Tokens in their places, those that are hidden (B x h x w booleans) without a pixel."""
        return torch.where(hidden[..., None], self.hidden_token, tokens) + self.places

    def encoded(self, images: Tensor, hidden: Tensor) -> list[Tensor]:
        """What each level of the encoder gives, finest first, B x h x w x width.

        Args:
            images: B x 1 x h x w.
            hidden: B x h x w booleans, of the patches.
        """
        features = [self.encoder[0](self.placed(self.tokens(images), hidden))]
        return self._coarser(features)

    def _coarser(self, features: list[Tensor]) -> list[Tensor]:
        for merge, level in zip(self.merge, list(self.encoder)[1:]):
            features.append(level(merge(features[-1])))
        return features

    def decoded(self, coarsest: Tensor) -> Tensor:
        """Images B x 1 x h x w of what the coarsest level gives."""
        tokens = coarsest
        for expand, level in zip(self.expand, self.decoder):
            tokens = level(expand(tokens))
        patches = self.to_patches(self.norm(tokens)).movedim(-1, 1)
        rows, columns = self.sizes.size
        return functional.pixel_shuffle(patches, self.sizes.patch)[..., :rows, :columns]

    def filled(self, images: Tensor, hidden: Tensor) -> Tensor:
        """Images with what is hidden predicted, and what is visible as it is.

        Args:
            images: B x 1 x h x w.
            hidden: B x h x w booleans, of the patches.
        """
        predicted = self.decoded(self.encoded(images, hidden)[-1])
        return torch.where(self.voxels(hidden), predicted, images)

    def voxels(self, hidden: Tensor) -> Tensor:
        """Booleans of patches as those of voxels, B x 1 x h x w."""
        rows, columns = self.sizes.size
        wide = hidden.repeat_interleave(self.sizes.patch, 1)
        return wide.repeat_interleave(self.sizes.patch, 2)[:, None, :rows, :columns]

    def some_windows(self, images: Tensor) -> Tensor:
        """Windows drawn from those that hold more than air, as B x h x w booleans of patches."""
        sizes, edge = self.sizes, self.sizes.hidden_patches
        rows, columns = (-(-n // (edge * sizes.patch)) for n in sizes.size)
        beyond = [n * edge * sizes.patch - size for n, size in zip((rows, columns), sizes.size)]
        whole = functional.pad(images, (0, beyond[1], 0, beyond[0]))
        holds = functional.max_pool2d(whole, edge * sizes.patch).flatten(1) > EMPTY
        chance = torch.rand(holds.shape, device=images.device) + ~holds  # these come last
        rank = chance.argsort(1).argsort(1)
        wanted = (holds.sum(1, keepdim=True) * sizes.masked_percent / 100).round().clamp_min(1)
        windows = (rank < wanted).view(-1, rows, columns)
        hidden = torch.zeros(len(images), *self.grid, dtype=torch.bool, device=images.device)
        patches = windows.repeat_interleave(edge, 1).repeat_interleave(edge, 2)
        rows, columns = (min(a, b) for a, b in zip(self.grid, patches.shape[1:]))
        hidden[:, :rows, :columns] = patches[:, :rows, :columns]
        return hidden

    def healed(
        self, images: Tensor, on_progress: Callable[[float], None] = lambda _: None
    ) -> Tensor:
        """Every position of the mask filled in while it alone is hidden, B x 1 x h x w.

        All positions of all slices run as batches of a bounded size; a position that holds nothing
        but air is left as it is. The patches' tokens, and the first block where nothing is hidden,
        are the same for all positions, and computed once.

        Args:
            images: B x 1 x h x w.
            on_progress: told the share done, 0..1; may raise to stop.
        """
        rows, columns = self.sizes.size
        tiles = self.tiles[:rows, :columns]
        of_patches = self.tiles[:: self.sizes.patch, :: self.sizes.patch]
        count = int(tiles.max()) + 1
        brightest = images.new_full((len(images), count), -torch.inf).scatter_reduce(
            1, tiles.flatten().expand(len(images), -1), images.flatten(1), "amax"
        )
        jobs = (brightest > EMPTY).nonzero()
        result = images.clone()
        if not len(jobs):
            return result
        finest = cast(SwinLevel, self.encoder[0])
        tokens = self.tokens(images)
        first = finest.first_block(tokens + self.places)
        parts = jobs.split(max(1, TOKENS_AT_ONCE // of_patches.numel()))
        for n, part in enumerate(parts):
            of, tile = part.unbind(1)
            hidden = of_patches == tile[:, None, None]
            placed = self.placed(tokens[of], hidden)
            begun = finest.first_block_where(placed, hidden, first[of])
            filled = self.decoded(self._coarser([finest(begun, first=1)])[-1])
            job, row, column = (tiles == tile[:, None, None]).nonzero().unbind(1)
            result[of[job], 0, row, column] = filled[job, 0, row, column]
            on_progress((n + 1) / len(parts))
        return result

"""What the shifted-window transformer is made of: levels of windows, tokens merged and expanded.

Z. Liu et al. (2021); windows, their attention and the merging are MONAI's. Tokens are
B x h x w x width. A grid is a whole number of windows, so that no window is filled up with zeros.
"""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.nets.swin_unetr import (
    PatchMergingV2,
    SwinTransformerBlock,
    compute_mask,
    window_partition,
    window_reverse,
)
from torch import Tensor, nn
from torch.nn import functional

Grid = tuple[int, int]


class SwinLevel(nn.Module):
    """Blocks of attention in windows; every second one's are shifted by half a window.

    Args:
        grid: rows and columns of tokens; multiples of `window`.
        width: of a token.
        depth: blocks.
        heads: of each attention.
        window: tokens along a window's edge, 2 or more. A grid of one window is not shifted.
    """

    def __init__(self, grid: Grid, width: int, depth: int, heads: int, window: int) -> None:
        super().__init__()
        self._window, half = (window, window), (window // 2, window // 2)
        self.blocks = nn.ModuleList(
            SwinTransformerBlock(width, heads, self._window, half if n % 2 else (0, 0))
            for n in range(depth)
        )
        edges = compute_mask(grid, self._window, half, torch.device("cpu"))
        self.register_buffer("edges", edges, persistent=False)

    def forward(self, tokens: Tensor, first: int = 0) -> Tensor:
        """Args: tokens, and the block to begin with."""
        for block in self.blocks[first:]:
            tokens = block(tokens, self.edges)
        return tokens

    def first_block(self, tokens: Tensor) -> Tensor:
        """The block whose windows are not shifted."""
        return torch.as_tensor(self.blocks[0](tokens, None))

    def first_block_where(self, tokens: Tensor, changed: Tensor, otherwise: Tensor) -> Tensor:
        """The first block of tokens that are known but for some windows.

        Args:
            tokens: B x h x w x width.
            changed: B x h x w booleans; elsewhere tokens are those that `otherwise` is of.
            otherwise: B x h x w x width, what the block makes of those.
        """
        of_window = window_partition(changed[..., None], self._window).any(1).squeeze(1)
        windows = window_partition(tokens, self._window)
        result = window_partition(otherwise, self._window)
        some = windows[of_window].unflatten(1, self._window)
        result[of_window] = self.first_block(some).flatten(1, 2)
        return torch.as_tensor(window_reverse(result, self._window, list(tokens.shape[:3])))


def merging(width: int) -> Any:
    """B x h x w x width to B x h/2 x w/2 x 2 width: four tokens become one."""
    return PatchMergingV2(width, spatial_dims=2)


class PatchExpanding(nn.Module):
    """B x h x w x width to B x 2h x 2w x width/2: one token becomes four (H. Cao et al., 2021)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(width // 2)

    def forward(self, tokens: Tensor) -> Tensor:
        four = self.expand(tokens).movedim(-1, 1)
        return self.norm(functional.pixel_shuffle(four, 2).movedim(1, -1))


def sine_cosine_places(grid: Grid, width: int) -> Tensor:
    """Fixed places, h x w x width: sines and cosines of row and column, from fast to slow.

    K. He et al. (2022) take them for the same: a hidden token must know where it stands.
    """
    quarter = -(-width // 4)
    speed = 10_000.0 ** (-torch.arange(quarter) / quarter)
    row, column = (torch.arange(n)[:, None] * speed for n in grid)
    rows = torch.cat([row.sin(), row.cos()], 1)[:, None].expand(*grid, -1)
    columns = torch.cat([column.sin(), column.cos()], 1)[None].expand(*grid, -1)
    return torch.cat([rows, columns], -1)[..., :width]

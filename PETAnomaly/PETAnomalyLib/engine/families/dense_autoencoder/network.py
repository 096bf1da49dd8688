"""Dense autoencoder, the baseline of paper 1's table 1 (Baur et al., Medical Image Analysis 2021).

Strided convolutions down to a small grid, one dense bottleneck, and back: the bottleneck is what
keeps anomalies out of the reconstruction. It gives a single reconstruction, so residuals only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn


@dataclass(frozen=True)
class AutoencoderSizes:
    """What the network is built from.

    Attributes:
        size: voxels of the model frame (slices, rows, columns); padded inside to what
            2 ** len(channels) divides.
        channels: feature channels of each stride-2 level, finest first.
        bottleneck: length of the dense code.
    """

    size: tuple[int, int, int]
    channels: tuple[int, ...]
    bottleneck: int


class DenseAutoencoder(nn.Module):
    """B x 1 x D x H x W to the same, in the model's intensity unit."""

    def __init__(self, sizes: AutoencoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        channels = (1, *sizes.channels)
        down: list[nn.Module] = []
        for before, after in pairwise(channels):
            down += [nn.Conv3d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*down)
        stride = 2 ** len(sizes.channels)
        self.grid = (channels[-1], *(-(-n // stride) for n in sizes.size))  # rounded up
        last_axis_first = zip(reversed(sizes.size), reversed(self.grid))
        self.padding = [p for n, cells in last_axis_first for p in (0, cells * stride - n)]
        cells = self.grid[0] * self.grid[1] * self.grid[2] * self.grid[3]
        self.code = nn.Linear(cells, sizes.bottleneck)
        self.expand = nn.Linear(sizes.bottleneck, cells)
        up: list[nn.Module] = []
        for after, before in reversed(list(zip(channels[1:], channels[:-1]))):
            up += [nn.LeakyReLU(0.2), nn.ConvTranspose3d(after, before, 4, 2, 1)]
        self.decoder = nn.Sequential(*up)

    def forward(self, images: Tensor) -> Tensor:
        padded = nn.functional.pad(images, self.padding)
        code = self.code(self.encoder(padded).flatten(1))
        d, h, w = self.sizes.size
        return self.decoder(self.expand(code).view(-1, *self.grid))[..., :d, :h, :w]

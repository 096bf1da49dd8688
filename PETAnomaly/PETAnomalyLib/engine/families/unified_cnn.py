"""The unified convolutional autoencoder of C. Baur et al. (Medical Image Analysis 2021).

Paper 2 takes it for all of its convolutional models, and for the inside of two of its transformers:
blocks of a strided 5 x 5 convolution, batch normalisation and leaky ReLU down to a small grid, a
bottleneck, and the same blocks transposed. Only the bottleneck differs from model to model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

KERNEL = 5


@dataclass(frozen=True)
class DenseSizes:
    """What a network round a dense code is built from.

    Attributes:
        size: rows and columns of a slice.
        channels: feature channels of each stride-2 level, finest first.
        narrow: channels before the code.
        code: length of the code.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    channels: tuple[int, ...]
    narrow: int
    code: int
    axis: int = 0


def encoder(channels: Sequence[int]) -> nn.Sequential:
    """B x 1 x h x w to B x channels[-1] x h / s x w / s, with s = 2 ** len(channels)."""
    return nn.Sequential(
        *(
            nn.Sequential(
                nn.Conv2d(before, after, KERNEL, 2, KERNEL // 2),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(),
            )
            for before, after in pairwise((1, *channels))
        )
    )


def decoder(channels: Sequence[int], upward: Sequence[int] = ()) -> nn.Sequential:
    """The way back, and a 1 x 1 convolution to the image.

    Args:
        channels: the encoder's.
        upward: of each step up, coarsest first; the encoder's mirrored if not given.
    """
    steps = (channels[-1], *(upward or (*reversed(channels[:-1]), channels[0])))
    blocks = [
        nn.Sequential(
            nn.ConvTranspose2d(before, after, KERNEL, 2, KERNEL // 2, output_padding=1),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(),
        )
        for before, after in pairwise(steps)
    ]
    return nn.Sequential(*blocks, nn.Conv2d(steps[-1], 1, 1))


def grid_of(size: Sequence[int], levels: int) -> tuple[int, int]:
    """Rows and columns after the encoder; slices that 2 ** levels does not divide are padded."""
    stride = 2**levels
    rows, columns = (-(-n // stride) for n in size)
    return rows, columns


class DenseBottleneck(nn.Module):
    """A 1 x 1 convolution to `narrow` channels, a code of `length` numbers, and back.

    Args:
        channels: of what comes and goes, B x channels x rows x columns.
        narrow: channels before the code.
        grid: rows, columns.
        length: of the code.
    """

    def __init__(self, channels: int, narrow: int, grid: tuple[int, int], length: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels, narrow, 1)
        self.code = nn.Linear(narrow * grid[0] * grid[1], length)
        self.expand = nn.Linear(length, narrow * grid[0] * grid[1])
        self.widen = nn.Conv2d(narrow, channels, 1)
        self._shape = (narrow, *grid)

    def forward(self, features: Tensor) -> Tensor:
        code = self.code(self.narrow(features).flatten(1))
        widened: Tensor = self.widen(self.expand(code).view(-1, *self._shape))
        return widened


class SpatialBottleneck(nn.Sequential):
    """A 1 x 1 convolution to `narrow` channels and one back: the code keeps its places."""

    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__(nn.Conv2d(channels, narrow, 1), nn.Conv2d(narrow, channels, 1))


class UnifiedCNN(nn.Module):
    """B x 1 x h x w to the same, round a bottleneck.

    Args:
        channels: of each stride-2 level, finest first.
        bottleneck: B x channels[-1] x rows x columns to the same.
    """

    def __init__(self, channels: Sequence[int], bottleneck: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder(channels)
        self.bottleneck = bottleneck
        self.decoder = decoder(channels)
        self._levels = len(channels)

    def forward(self, images: Tensor) -> Tensor:
        decoded = self.decoder(self.bottleneck(self.encoder(padded(images, self._levels))))
        return cropped(decoded, images)


def padded(images: Tensor, levels: int) -> Tensor:
    """With zeros behind the last row and column, up to what 2 ** levels divides."""
    stride = 2**levels
    rows, columns = (-n % stride for n in images.shape[-2:])
    return functional.pad(images, (0, columns, 0, rows))


def cropped(decoded: Tensor, like: Tensor) -> Tensor:
    """Without what `padded` added."""
    return decoded[..., : like.shape[-2], : like.shape[-1]]

"""VQVAE of paper 3: strided convolutions, residual blocks, and a codebook that learns by gradient.

A. van den Oord et al. (2017), as N. Reddipalli has it (paper 3, 4.2.1): its 1,005,825 parameters
come out with 32, 64 and 128 channels, two residual blocks of 32 on either side, and 128 codewords
of 128 numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.learnt_codebook import Codebook
from PETAnomalyLib.engine.families.slices import Reconstructed

_KERNEL = 5


@dataclass(frozen=True)
class ResidualVQVAESizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        channels: feature channels of each stride-2 level, finest first.
        residual_blocks: on either side of the codebook.
        residual_channels: inside each.
        codebook: how many codewords.
        code_length: numbers in each.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    channels: tuple[int, ...]
    residual_blocks: int
    residual_channels: int
    codebook: int
    code_length: int
    axis: int = 0


class ResidualBlock(nn.Module):
    """x + 1 x 1 convolution of ReLU of 3 x 3 convolution of ReLU of x; without bias."""

    def __init__(self, channels: int, inside: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels, inside, 3, padding=1, bias=False)
        self.widen = nn.Conv2d(inside, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        inside = self.narrow(functional.relu(features))
        widened: Tensor = features + self.widen(functional.relu(inside))
        return widened


class ResidualVQVAE(nn.Module):
    """B x 1 x h x w, reconstructed from codewords; in the model's intensity unit."""

    def __init__(self, sizes: ResidualVQVAESizes) -> None:
        super().__init__()
        self.sizes = sizes
        channels = (1, *sizes.channels)
        last = channels[-1]
        down: list[nn.Module] = []
        for before, after in pairwise(channels):
            down += [nn.Conv2d(before, after, _KERNEL, 2, 1), nn.ReLU()]
        self.encoder = nn.Sequential(
            *down, nn.Conv2d(last, last, 3, padding=1), *self._residual(last),
            nn.Conv2d(last, sizes.code_length, 1),
        )  # fmt: skip
        self.codebook = Codebook(sizes.codebook, sizes.code_length)
        up: list[nn.Module] = []
        for after, before in reversed(list(pairwise(channels))):
            up += [nn.ReLU(), nn.ConvTranspose2d(before, after, _KERNEL, 2, 1)]
        self.decoder = nn.Sequential(
            nn.Conv2d(sizes.code_length, last, 3, padding=1), *self._residual(last), *up
        )

    def _residual(self, channels: int) -> list[nn.Module]:
        count, inside = self.sizes.residual_blocks, self.sizes.residual_channels
        return [ResidualBlock(channels, inside) for _ in range(count)]

    def forward(self, images: Tensor) -> Reconstructed:
        """Rows and columns of a multiple of 2 ** levels less one come back as they were; others
        are padded with zeros behind the last."""
        stride = 2 ** len(self.sizes.channels)
        rows, columns = (-(n + 1) % stride for n in images.shape[-2:])
        vectors = self.encoder(functional.pad(images, (0, columns, 0, rows)))
        codewords, loss = self.codebook(vectors)
        h, w = images.shape[-2:]
        return Reconstructed(self.decoder(codewords)[..., :h, :w], loss)

"""VQGAN of paper 3: P. Esser et al. (arXiv 2012.09841) without their transformer, of slices.

Residual and non-local blocks down to a small grid of vectors, their nearest codewords, and back
(paper 3, 4.2.1). Its discriminator is the training's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.learnt_codebook import Codebook
from PETAnomalyLib.engine.families.slices import Reconstructed

_GROUPS = 32  # of a group norm: as Esser's
_GROWTH = 15  # rows and columns that the decoder's last convolutions add: three times 4, 1 and 2


@dataclass(frozen=True)
class SliceVQGANSizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        channels: feature channels of each level, finest first; between two the grid is halved.
        residual_blocks: of each level of the encoder; the decoder has one more.
        codebook: how many codewords.
        code_length: numbers in each.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    channels: tuple[int, ...]
    residual_blocks: int
    codebook: int
    code_length: int
    axis: int = 0

    @property
    def stride(self) -> int:
        """Rows and columns that one vector spans."""
        return 1 << (len(self.channels) - 1)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(_GROUPS, channels), channels, eps=1e-6)


class ResidualBlock(nn.Module):
    """x + twice (group norm, swish, 3 x 3 convolution) of x."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.inside = nn.Sequential(
            _norm(before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1),
            _norm(after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1),
        )  # fmt: skip
        self.past = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, features: Tensor) -> Tensor:
        summed: Tensor = self.past(features) + self.inside(features)
        return summed


class NonLocalBlock(nn.Module):
    """x + attention of every cell to all cells of the grid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.query, self.key, self.value, self.project = (
            nn.Conv2d(channels, channels, 1) for _ in range(4)
        )

    def forward(self, features: Tensor) -> Tensor:
        normed = self.norm(features)
        query, key, value = (
            of(normed).flatten(2).transpose(1, 2)[:, None]  # B x 1 x cells x channels
            for of in (self.query, self.key, self.value)
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        summed: Tensor = features + self.project(
            attended[:, 0].transpose(1, 2).reshape(features.shape)
        )
        return summed


def _encoder(sizes: SliceVQGANSizes) -> nn.Sequential:
    """B x 1 x h x w to B x code_length x h // stride x w // stride."""
    before, coarsest = sizes.channels[0], sizes.channels[-1]
    layers: list[nn.Module] = [nn.Conv2d(1, before, 3, padding=1)]
    for level, after in enumerate(sizes.channels, start=1):
        last = level == len(sizes.channels)
        for _ in range(sizes.residual_blocks):
            layers.append(ResidualBlock(before, after))
            before = after
            if last:
                layers.append(NonLocalBlock(after))
        if not last:  # padded behind the last row and column alone: n becomes n // 2
            layers += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(before, before, 3, 2)]
    return nn.Sequential(
        *layers,
        ResidualBlock(before, coarsest), NonLocalBlock(coarsest), ResidualBlock(coarsest, coarsest),
        nn.Conv2d(coarsest, sizes.code_length, 3, padding=1),
        nn.Conv2d(sizes.code_length, sizes.code_length, 1),
    )  # fmt: skip


def _decoder(sizes: SliceVQGANSizes) -> nn.Sequential:
    """B x code_length x r x c to B x 1 x r * stride + 15 x c * stride + 15."""
    length, before, finest = sizes.code_length, sizes.channels[-1], sizes.channels[0]
    layers: list[nn.Module] = [
        nn.Conv2d(length, length, 1), nn.Conv2d(length, before, 3, padding=1),
        ResidualBlock(before, before), NonLocalBlock(before), ResidualBlock(before, before),
    ]  # fmt: skip
    for level, after in enumerate(reversed(sizes.channels)):
        for _ in range(sizes.residual_blocks + 1):
            layers.append(ResidualBlock(before, after))
            before = after
            if level < 2:  # both of which stand at the coarsest grid
                layers.append(NonLocalBlock(after))
        if level:
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(after, after, 3, padding=1)]
    layers += [_norm(finest), nn.SiLU()]
    for _ in range(3):
        layers += [nn.ConvTranspose2d(finest, finest, 5), nn.SiLU()]
    return nn.Sequential(
        *layers, nn.Conv2d(finest, finest, 4, padding=2), nn.SiLU(),
        nn.Conv2d(finest, 1, 3, padding=2),
    )  # fmt: skip


class SliceVQGAN(nn.Module):
    """B x 1 x h x w, reconstructed from codewords; in the model's intensity unit."""

    def __init__(self, sizes: SliceVQGANSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = _encoder(sizes)
        self.codebook = Codebook(sizes.codebook, sizes.code_length)
        self.decoder = _decoder(sizes)

    @property
    def last_weights(self) -> Tensor:
        """Of the decoder's last convolution: G_L of equation 3.14."""
        layer = self.decoder[-1]
        assert isinstance(layer, nn.Conv2d)
        return layer.weight

    def forward(self, images: Tensor) -> Reconstructed:
        """Rows and columns of a multiple of the stride less one come back as they were; others
        are padded with zeros behind the last."""
        stride = self.sizes.stride
        rows, columns = (-(n + 1) % stride for n in images.shape[-2:])
        vectors = self.encoder(functional.pad(images, (0, columns, 0, rows)))
        codewords, loss = self.codebook(vectors)
        decoded = self.decoder(codewords)
        margin = (_GROWTH + 1 - stride) // 2  # what it has grown by more than was lost: each side
        h, w = images.shape[-2:]
        return Reconstructed(decoded[..., margin : margin + h, margin : margin + w], loss)

"""VQ-GAN: images to tokens and back (paper 1, section 2.1 and appendix C), of volumes or pictures.

The architecture is that of Tudosiu et al., arXiv 2209.03177, with what the paper does otherwise: a
residual block is a 3x3x3 convolution followed by a 1x1x1 one, and there is a single dropout, before
the last transposed convolution. MONAI's `VQVAE` is its published form: the same names of weights,
the same numbers (a test); it is not used here because importing MONAI takes 3 s of processor time,
more than all else that a detection does before it heals.

In two dimensions it is the VQ-VAE of paper 5's appendix: the same levels with 2-D kernels, and as
many channels as a picture has. Shapes below are those of volumes; pictures lack D.

That single dropout is the last thing but one in the decoder, so decoding comes in two halves:
`hidden` (expensive, once a latent) and `image` (cheap). `decoding.py` decodes with dropout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.vqgan_performer.codebook import Codebook
from PETAnomalyLib.engine.families.vqgan_performer.dropout import DROPOUT

CONVOLUTION: dict[int, type[nn.Conv2d | nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, type[nn.ConvTranspose2d | nn.ConvTranspose3d]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
"""By the number of spatial dimensions."""


@dataclass(frozen=True)
class VQGANSizes:
    """What the network is built from.

    Attributes:
        channels: feature channels of each stride-2 level, finest first.
        residual_blocks: residual blocks a level.
        codebook: number of codes (paper 1: 64 for PET, 256 for CT).
        code_length: length of a code.
        spatial_dims: 3 of volumes, 2 of pictures.
        image_channels: of an image: 1, or 3 of a colour picture.
    """

    channels: tuple[int, ...]
    codebook: int
    code_length: int
    residual_blocks: int = 3
    spatial_dims: int = 3
    image_channels: int = 1

    @property
    def stride(self) -> int:
        """Voxels a token spans along each axis."""
        return 2 ** len(self.channels)


class Layer(nn.Module):
    """A convolution, and ReLU unless it is a network's last."""

    def __init__(self, conv: nn.Module, *, relu: bool = True) -> None:
        super().__init__()
        self.conv = conv
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return torch.relu(y) if self.relu else y


class ResidualBlock(nn.Module):
    """x + (3x3x3, ReLU, 1x1x1), then ReLU."""

    def __init__(self, channels: int, spatial_dims: int) -> None:
        super().__init__()
        convolution = CONVOLUTION[spatial_dims]
        self.conv1 = Layer(convolution(channels, channels, 3, padding=1))
        self.conv2 = Layer(convolution(channels, channels, 1), relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(x + self.conv2(self.conv1(x)))


class Encoder(nn.Module):
    """B x 1 x D x H x W to encodings, B x code length x d x h x w."""

    def __init__(self, sizes: VQGANSizes) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        dims, convolution = sizes.spatial_dims, CONVOLUTION[sizes.spatial_dims]
        for before, after in zip((sizes.image_channels, *sizes.channels[:-1]), sizes.channels):
            blocks.append(Layer(convolution(before, after, 4, 2, 1)))
            blocks += [ResidualBlock(after, dims) for _ in range(sizes.residual_blocks)]
        blocks.append(
            Layer(convolution(sizes.channels[-1], sizes.code_length, 3, padding=1), relu=False)
        )
        self.blocks = nn.ModuleList(blocks)

    def forward(self, images: Tensor) -> Tensor:
        for block in self.blocks:
            images = block(images)
        return images


def _decoder(sizes: VQGANSizes) -> list[nn.Module]:
    """Codes, B x code length x d x h x w, to B x 1 x D x H x W: the encoder mirrored."""
    channels, dims = tuple(reversed(sizes.channels)), sizes.spatial_dims
    blocks: list[nn.Module] = [
        Layer(CONVOLUTION[dims](sizes.code_length, channels[0], 3, padding=1), relu=False)
    ]
    for before, after in zip(channels, (*channels[1:], sizes.image_channels)):
        blocks += [ResidualBlock(before, dims) for _ in range(sizes.residual_blocks)]
        blocks.append(Layer(TRANSPOSED[dims](before, after, 4, 2, 1)))
    last = blocks[-1]
    assert isinstance(last, Layer)
    last.relu = False
    return blocks


class VQGAN(nn.Module):
    """Encoder, codebook and decoder with dropout before its last layer.

    Shapes: images B x 1 x D x H x W in the model's intensity unit; tokens B x d x h x w (int64),
    with d = D / stride and so on.
    """

    def __init__(self, sizes: VQGANSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.encoder = Encoder(sizes)
        self.quantizer = Codebook(sizes.codebook, sizes.code_length)
        *before_dropout, last = _decoder(sizes)
        self.before_dropout = nn.Sequential(*before_dropout)
        self.after_dropout = last

    @property
    def last_layer(self) -> nn.ConvTranspose2d | nn.ConvTranspose3d:
        """The layer after the dropout: to the image's channels, kernel 4, stride 2, with a bias."""
        layer = self.after_dropout.conv
        assert isinstance(layer, (nn.ConvTranspose2d, nn.ConvTranspose3d))
        return layer

    def tokens(self, images: Tensor) -> Tensor:
        """Nearest code of every encoded position (paper 1, equation 4): B x d x h x w."""
        return self.quantizer.nearest(self.encoder(images))

    def hidden(self, tokens: Tensor) -> Tensor:
        """Everything before the dropout: B x channels[0] x D/2 x H/2 x W/2."""
        return self.before_dropout(self.quantizer.embed(tokens))

    def image(self, hidden: Tensor) -> Tensor:
        """The last layer, without dropout: B x 1 x D x H x W."""
        return self.after_dropout(hidden)

    def code_uptake(self) -> Tensor:
        """What each code of a volume stands for, `codebook` values in the model's intensity unit:
        the mean of the token in the midst of 3 x 3 x 3 of it."""
        codes = torch.arange(self.sizes.codebook, device=self.last_layer.weight.device)
        alone = codes[:, None, None, None].expand(-1, 3, 3, 3)
        middle = slice(self.sizes.stride, 2 * self.sizes.stride)
        return self.image(self.hidden(alone))[:, 0, middle, middle, middle].mean((1, 2, 3))

    def forward(
        self, images: Tensor, seeds: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Training: reconstruction, commitment loss, tokens (the codebook moves by its EMA).

        Args:
            images: B x 1 x D x H x W.
            seeds: of each image's dropout, so that an image is dealt the same whatever batch it is
                in; None for no dropout.
        """
        quantized, commitment, tokens = self.quantizer(self.encoder(images))
        hidden = self.before_dropout(quantized)
        if seeds is not None:
            kept = torch.stack([_kept(hidden[0], seed) for seed in seeds])
            hidden = hidden * kept / (1.0 - DROPOUT)
        return self.after_dropout(hidden), commitment, tokens


def _kept(values: Tensor, seed: int) -> Tensor:
    generator = torch.Generator(values.device).manual_seed(seed)
    return torch.rand(values.shape, generator=generator, device=values.device) >= DROPOUT

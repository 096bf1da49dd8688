"""VQ-GAN: images to tokens and back (paper 1, section 2.1 and appendix C).

MONAI's `VQVAE` is this architecture's published form (Tudosiu et al., arXiv 2209.03177). Two
things differ from the paper there and are put right here: the paper's residual block is a 3x3x3
convolution followed by a 1x1x1 one (MONAI: 3x3x3 twice), and the paper has a single dropout, before
the last transposed convolution (MONAI's `dropout=` puts one into every block).

That single dropout is the last thing but one in the decoder, so decoding comes in two halves:
`hidden` (expensive, once a latent) and `image` (cheap). `decoding.py` decodes with dropout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from monai.networks.blocks import Convolution
from monai.networks.nets.vqvae import VQVAE, VQVAEResidualUnit
from torch import Tensor, nn

from PETAnomalyLib.engine.families.vqgan_performer.dropout import DROPOUT


@dataclass(frozen=True)
class VQGANSizes:
    """What the network is built from.

    Attributes:
        channels: feature channels of each stride-2 level, finest first.
        residual_blocks: residual blocks a level.
        codebook: number of codes (paper 1: 64 for PET, 256 for CT).
        code_length: length of a code.
    """

    channels: tuple[int, ...]
    codebook: int
    code_length: int
    residual_blocks: int = 3

    @property
    def stride(self) -> int:
        """Voxels a token spans along each axis."""
        return 2 ** len(self.channels)


class VQGAN(nn.Module):
    """Encoder, EMA codebook and decoder with dropout before its last layer.

    Shapes: images B x 1 x D x H x W in the model's intensity unit; tokens B x d x h x w (int64),
    with d = D / stride and so on.
    """

    def __init__(self, sizes: VQGANSizes) -> None:
        super().__init__()
        levels = len(sizes.channels)
        vqvae = VQVAE(
            spatial_dims=3,
            in_channels=1,
            out_channels=1,
            channels=sizes.channels,
            num_res_layers=sizes.residual_blocks,
            num_res_channels=sizes.channels,
            downsample_parameters=((2, 4, 1, 1),) * levels,
            upsample_parameters=((2, 4, 1, 1, 0),) * levels,
            num_embeddings=sizes.codebook,
            embedding_dim=sizes.code_length,
            commitment_cost=0.25,  # beta, paper 1, appendix C.1
            decay=0.99,
        )
        for module in vqvae.modules():
            if isinstance(module, VQVAEResidualUnit):
                module.conv2 = Convolution(
                    spatial_dims=3,
                    in_channels=module.num_res_channels,
                    out_channels=module.in_channels,
                    kernel_size=1,
                    conv_only=True,
                )
        self.sizes = sizes
        self.encoder = vqvae.encoder
        self.quantizer = vqvae.quantizer.quantizer
        self.before_dropout = nn.Sequential(*list(vqvae.decoder.blocks)[:-1])
        self.after_dropout = list(vqvae.decoder.blocks)[-1]

    @property
    def last_layer(self) -> nn.ConvTranspose3d:
        """The layer after the dropout: to one channel, kernel 4, stride 2, with a bias."""
        layer = self.after_dropout.conv
        assert isinstance(layer, nn.ConvTranspose3d)
        return layer

    def tokens(self, images: Tensor) -> Tensor:
        """Nearest code of every encoded position (paper 1, equation 4): B x d x h x w."""
        return self.quantizer.quantize(self.encoder(images))[2]

    def hidden(self, tokens: Tensor) -> Tensor:
        """Everything before the dropout: B x channels[0] x D/2 x H/2 x W/2."""
        return self.before_dropout(self.quantizer.embed(tokens))

    def image(self, hidden: Tensor) -> Tensor:
        """The last layer, without dropout: B x 1 x D x H x W."""
        return self.after_dropout(hidden)

    def code_uptake(self) -> Tensor:
        """What each code stands for, `codebook` values in the model's intensity unit: the mean of
        the token in the midst of 3 x 3 x 3 of it."""
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

"""VAE of papers 2 and 3: the unified convolutional encoder gives a normal distribution of codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import (
    DenseSizes,
    cropped,
    decoder,
    encoder,
    grid_of,
    padded,
)


@dataclass(frozen=True)
class VAESizes(DenseSizes):
    """What the network is built from, beside `DenseSizes`.

    Attributes:
        upward: channels of each step up, coarsest first; the encoder's mirrored if empty.
        normalised: 1: what goes to the code is normalised and leaky-rectified, and the 1 x 1
            convolutions on either side of the code have no bias (paper 3); 0: neither (paper 2).
    """

    upward: tuple[int, ...] = ()
    normalised: int = 0


class VAE(nn.Module):
    """q(z|x) = N(mean, exp(log_variance)), p(z) = N(0, 1), and a decoder of z.

    Its loss is the error of a drawn reconstruction and KL(q || p), both a voxel.
    """

    def __init__(self, sizes: VAESizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.noise = sizes.code
        rows, columns = grid_of(sizes.size, len(sizes.channels))
        cells, narrow, coarsest = sizes.narrow * rows * columns, sizes.narrow, sizes.channels[-1]
        bias = not sizes.normalised
        self.encoder = nn.Sequential(
            encoder(sizes.channels),
            nn.Conv2d(coarsest, narrow, 1, bias=bias),
            *((nn.BatchNorm2d(narrow), nn.LeakyReLU()) if sizes.normalised else ()),
            nn.Flatten(),
        )
        self.mean, self.log_variance = nn.Linear(cells, sizes.code), nn.Linear(cells, sizes.code)
        self.decoder = nn.Sequential(
            nn.Linear(sizes.code, cells),
            nn.Unflatten(1, (narrow, rows, columns)),
            nn.Conv2d(narrow, coarsest, 1, bias=bias),
            decoder(sizes.channels, sizes.upward),
        )

    def encoded(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), each B x code."""
        features = self.encoder(padded(images, len(self.sizes.channels)))
        return self.mean(features), self.log_variance(features)

    def forward(self, images: Tensor) -> Reconstructed:
        """In training of a drawn code, else of the mean one."""
        mean, log_variance = self.encoded(images)
        code = mean
        if self.training:
            code = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        voxels = images[0].numel()
        penalty = kl_to_standard_normal(mean, log_variance).mean() / voxels
        return Reconstructed(cropped(self.decoder(code), images), penalty)

    def drawn(self, images: Tensor, noise: Tensor) -> Tensor:
        """Reconstructions n x B x h x w of codes mean + sigma * noise; noise is n x B x code."""
        mean, log_variance = self.encoded(images)
        codes = mean + torch.exp(0.5 * log_variance) * noise
        decoded = cropped(self.decoder(codes.flatten(0, 1)), images)
        return decoded.view(*noise.shape[:2], *images.shape[-2:])


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) in nats, summed over the code (paper 3, equation 3.5)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)

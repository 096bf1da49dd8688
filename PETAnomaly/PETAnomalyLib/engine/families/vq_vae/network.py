"""VQ-VAE of paper 2: the unified convolutional autoencoder round a grid of nearest codewords.

Codewords follow the mean of what falls to them (van den Oord et al., 2017, appendix A.1): MONAI's
`EMAQuantizer`.
"""

from __future__ import annotations

from dataclasses import dataclass

from monai.networks.layers.vector_quantizer import EMAQuantizer
from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import cropped, decoder, encoder, padded

COMMITMENT = 0.25
DECAY = 0.99


@dataclass(frozen=True)
class VQVAESizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        channels: feature channels of each stride-2 level, finest first.
        codebook: how many codewords.
        code_length: numbers in each.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    channels: tuple[int, ...]
    codebook: int
    code_length: int
    axis: int = 0


class VQVAE(nn.Module):
    """B x 1 x h x w, reconstructed from codewords; in the model's intensity unit.

    Its loss is the error of the reconstruction and `COMMITMENT` times the mean squared distance
    between the encoder's vectors and their codewords.
    """

    def __init__(self, sizes: VQVAESizes) -> None:
        super().__init__()
        self.sizes = sizes
        last = sizes.channels[-1]
        self.encoder = nn.Sequential(encoder(sizes.channels), nn.Conv2d(last, sizes.code_length, 1))
        self.quantizer = EMAQuantizer(
            spatial_dims=2,
            num_embeddings=sizes.codebook,
            embedding_dim=sizes.code_length,
            commitment_cost=COMMITMENT,
            decay=DECAY,
        )
        self.decoder = nn.Sequential(nn.Conv2d(sizes.code_length, last, 1), decoder(sizes.channels))

    def forward(self, images: Tensor) -> Reconstructed:
        vectors = self.encoder(padded(images, len(self.sizes.channels)))
        codewords, commitment, _ = self.quantizer(vectors)
        return Reconstructed(cropped(self.decoder(codewords), images), commitment)

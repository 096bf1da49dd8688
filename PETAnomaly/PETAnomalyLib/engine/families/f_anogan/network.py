"""f-AnoGAN (T. Schlegl et al., 2019): an encoder into the codes of a generator trained before it.

Both have the convolutions of C. Baur et al.'s unified autoencoder, as in their comparison of 2021.
"""

from __future__ import annotations

from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import Reconstructed
from PETAnomalyLib.engine.families.unified_cnn import (
    DenseSizes,
    decoder,
    encoder,
    grid_of,
    padded,
)


class FAnoGAN(nn.Module):
    """B x 1 x h x w, generated from the code that each is given; in the model's intensity unit."""

    def __init__(self, sizes: DenseSizes) -> None:
        super().__init__()
        self.sizes = sizes
        rows, columns = grid_of(sizes.size, len(sizes.channels))
        cells, coarsest = sizes.narrow * rows * columns, sizes.channels[-1]
        self.encoder = nn.Sequential(
            encoder(sizes.channels), nn.Conv2d(coarsest, sizes.narrow, 1), nn.Flatten(),
            nn.Linear(cells, sizes.code),
        )  # fmt: skip
        self.generator = nn.Sequential(
            nn.Linear(sizes.code, cells), nn.Unflatten(1, (sizes.narrow, rows, columns)),
            nn.Conv2d(sizes.narrow, coarsest, 1), decoder(sizes.channels),
        )  # fmt: skip

    def cut(self, generated: Tensor) -> Tensor:
        """What the generator makes beyond the last row and column of a slice is left out."""
        rows, columns = self.sizes.size
        return generated[..., :rows, :columns]

    def whole(self, images: Tensor) -> Tensor:
        """With zeros behind the last row and column, as the encoder sees them."""
        return padded(images, len(self.sizes.channels))

    def forward(self, images: Tensor) -> Reconstructed:
        return Reconstructed.alone(self.cut(self.generator(self.encoder(self.whole(images)))))

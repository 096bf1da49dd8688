"""DC_TAE of paper 2: a transformer round the dense convolutional autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

from PETAnomalyLib.engine.families.convolution_inside import ConvolutionInside, InsideSizes
from PETAnomalyLib.engine.families.unified_cnn import DenseBottleneck, grid_of


@dataclass(frozen=True, kw_only=True)
class DCTAESizes(InsideSizes):
    """What the network is built from.

    Attributes:
        code: length of the autoencoder's code.
    """

    code: int


class DCTAE(ConvolutionInside):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: DCTAESizes) -> None:
        grid = grid_of(sizes.size, len(sizes.channels))
        super().__init__(sizes, DenseBottleneck(sizes.channels[-1], sizes.narrow, grid, sizes.code))

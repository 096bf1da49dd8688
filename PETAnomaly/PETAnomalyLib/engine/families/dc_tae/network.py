"""DC_TAE of paper 2: a transformer round the dense convolutional autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

from PETAnomalyLib.engine.families.convolution_inside import ConvolutionInside
from PETAnomalyLib.engine.families.unified_cnn import DenseBottleneck, UnifiedCNN, grid_of


@dataclass(frozen=True)
class DCTAESizes:
    """What the network is built from.

    Attributes:
        size: rows and columns of a slice.
        patch: voxels along a patch's edge.
        width: of a token.
        layers: of attention, half of them before the autoencoder, half behind it.
        heads: of each layer's attention.
        channels: the autoencoder's, of each stride-2 level, finest first.
        narrow: channels before its code.
        code: length of its code.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    patch: int
    width: int
    layers: int
    heads: int
    channels: tuple[int, ...]
    narrow: int
    code: int
    axis: int = 0


class DCTAE(ConvolutionInside):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: DCTAESizes) -> None:
        grid = grid_of(sizes.size, len(sizes.channels))
        bottleneck = DenseBottleneck(sizes.channels[-1], sizes.narrow, grid, sizes.code)
        inside = UnifiedCNN(sizes.channels, bottleneck)
        super().__init__(sizes.size, sizes.patch, sizes.width, sizes.layers, sizes.heads, inside)
        self.sizes = sizes

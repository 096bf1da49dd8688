"""SC_TAE of paper 2: a transformer round the spatial convolutional autoencoder."""

from __future__ import annotations

from PETAnomalyLib.engine.families.convolution_inside import ConvolutionInside, InsideSizes
from PETAnomalyLib.engine.families.unified_cnn import SpatialBottleneck


class SCTAE(ConvolutionInside):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: InsideSizes) -> None:
        super().__init__(sizes, SpatialBottleneck(sizes.channels[-1], sizes.narrow))

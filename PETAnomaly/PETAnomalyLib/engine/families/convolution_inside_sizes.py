"""Parameters of a transformer round a convolutional autoencoder, for the registry. No torch."""

from __future__ import annotations

from PETAnomalyLib.engine.bundles.kinds import Sizes
from PETAnomalyLib.engine.families import transformer_sizes, unified_cnn_sizes


def least_parameters(sizes: Sizes) -> int:
    """Those of both."""
    of_transformer = transformer_sizes.least_parameters(sizes)
    return of_transformer + unified_cnn_sizes.least_parameters(sizes)

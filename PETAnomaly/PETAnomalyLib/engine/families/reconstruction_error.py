"""What a model without tokens finds of a study before it heals: how well it reconstructs it."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.families.healer import Array, Judged

_CELL = 4  # voxels along an edge: 24 mm with the shipped model
_BODY_INTENSITY = 0.03  # SUV 0.12 with the shipped model


def judged_by_error(image: Array, reconstruction: Array) -> Judged:
    """By cells of `_CELL` voxels; what is left over at a volume's end is looked at by none.

    Args:
        image, reconstruction: D x H x W, the model's intensity.
    """
    grid = tuple(n // _CELL for n in image.shape)
    whole = tuple(slice(0, n * _CELL) for n in grid)
    blocks = [edge for n in grid for edge in (n, _CELL)]
    error = np.abs(reconstruction[whole] - image[whole]).reshape(blocks).mean(axis=(1, 3, 5))
    body = image[whole].reshape(blocks).mean(axis=(1, 3, 5)) > _BODY_INTENSITY
    return Judged(body, None, error.astype(np.float32))

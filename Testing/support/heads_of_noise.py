"""Small heads of noise with a lesion, for measures that do not ask what a head looks like."""

from __future__ import annotations

import numpy as np
from PETAnomalyLib.engine.evaluation.slices.head import HealedHead
from scipy import ndimage


def a_head(
    seed: int,
    axis: int = 0,
    shape: tuple[int, int, int] = (10, 16, 14),
    residual: str | None = "noise",
    healthy: bool = False,
) -> HealedHead:
    """A head whose lesion is brighter than its reconstruction.

    Args:
        seed: of everything.
        axis: that slices lie along.
        shape: of the volume, before `axis` is put first.
        residual: `noise`; None: 0.5 in lesions, 0 elsewhere.
        healthy: without a lesion.
    """
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    brain = sum((g / r) ** 2 for g, r in zip(grid, (0.75, 0.85, 0.8))) < 1
    centre = rng.uniform(-0.3, 0.3, 3)
    ball = sum((g - c) ** 2 for g, c in zip(grid, centre)) < 0.35**2
    lesions = ball & brain & (not healthy)
    image = ndimage.gaussian_filter(rng.random(shape), 1).astype(np.float32) * brain
    made = 0.5 * lesions
    if residual is not None:
        made = made * rng.uniform(0.2, 1) + rng.normal(0, 0.25, shape)
    volumes = [image, made.astype(np.float32), brain, lesions]
    image, made, brain, lesions = (
        np.ascontiguousarray(np.moveaxis(volume, 0, axis)) for volume in volumes
    )
    return HealedHead(f"head-{seed}", image, made, brain, lesions, axis)

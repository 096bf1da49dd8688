"""Small random changes of a study before it is encoded (paper 1, appendices C.2 and D.2)."""

from __future__ import annotations

import numpy as np

Volume = np.ndarray


def shifted(volumes: list[Volume], largest: int, random: np.random.Generator) -> list[Volume]:
    """The same whole-voxel shift of all volumes, edges repeated: -largest..largest along each axis.

    Tokens span several voxels: a shift of a few voxels gives the same anatomy other tokens.
    """
    shift = random.integers(-largest, largest + 1, size=3)
    padding = [(largest, largest)] * 3
    window = tuple(slice(largest + s, largest + s + n) for s, n in zip(shift, volumes[0].shape))
    return [np.pad(volume, padding, mode="edge")[window] for volume in volumes]


def intensity_scaled(volume: Volume, spread: float, random: np.random.Generator) -> Volume:
    """Contrast changed by a factor within 1 +- spread."""
    return volume * random.uniform(1.0 - spread, 1.0 + spread)

"""The range of a threshold slider over an anomaly map: from where the body ends to where few voxels
are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt

SAMPLED_VOXELS = 500_000
STEPS = 200
BODY_SHARE = 0.05  # of the PET's 99th percentile; less is air, as in engine/study/validation.py
AIR_PERCENTILE = 99.0  # of the scores in air: a threshold below would draw the room
ROOM = 3.0  # times the usual threshold's height above the lowest value


@dataclass(frozen=True)
class SliderRange:
    """Bounds and step of a slider, in the map's unit."""

    low: float
    high: float
    step: float
    decimals: int


def mapRange(node: Any, usual: float, pet: Any = None) -> SliderRange:
    """The slider's range for a map.

    Args:
        node: a scalar volume.
        usual: the model's threshold; stays well inside the range.
        pet: the PET's node on the same grid; None for no look at where the body is.
    """
    scores = slicer.util.arrayFromVolume(node).reshape(-1)
    stride = max(1, scores.size // SAMPLED_VOXELS)
    sample = scores[::stride]
    low = float(sample.min())
    if pet is not None and pet.GetImageData() is not None:
        low = max(low, min(usual, _highestInAir(sample, pet, stride)))
    above = sample[sample > low]
    high = float(np.percentile(above, 99.9)) if above.size else low + 1.0
    high = max(high, low + ROOM * (usual - low), low + 1e-3)
    step = _niceStep((high - low) / STEPS)
    decimals = max(0, -math.floor(math.log10(step)))
    return SliderRange(math.ceil(low / step) * step, math.ceil(high / step) * step, step, decimals)


def _highestInAir(sample: np.ndarray, pet: Any, stride: int) -> float:
    """The score that hardly any voxel of the air round the body exceeds; -inf without air."""
    uptake = slicer.util.arrayFromVolume(pet).reshape(-1)[::stride]
    if uptake.size != sample.size:
        return -math.inf  # of another grid
    air = uptake <= BODY_SHARE * max(0.0, float(np.percentile(uptake, 99.0)))
    return float(np.percentile(sample[air], AIR_PERCENTILE)) if air.any() else -math.inf


def _niceStep(step: float) -> float:
    """1, 2 or 5 times a power of ten, not above the given one."""
    power = 10.0 ** math.floor(math.log10(step))
    return max(part * power for part in (1.0, 2.0, 5.0) if part * power <= step * (1 + 1e-9))

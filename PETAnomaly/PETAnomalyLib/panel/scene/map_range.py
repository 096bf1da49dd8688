"""The range of a threshold slider over an anomaly map: up to where few voxels are left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt

SAMPLED_VOXELS = 500_000
STEPS = 200
ROOM = 3.0  # times the usual threshold's height above the lowest value


@dataclass(frozen=True)
class SliderRange:
    """Bounds and step of a slider, in the map's unit."""

    low: float
    high: float
    step: float
    decimals: int


def mapRange(node: Any, usual: float) -> SliderRange:
    """The slider's range for a map.

    Args:
        node: a scalar volume.
        usual: the model's threshold; stays well inside the range.
    """
    scores = slicer.util.arrayFromVolume(node).reshape(-1)
    sample = scores[:: max(1, scores.size // SAMPLED_VOXELS)]
    low = float(sample.min())
    above = sample[sample > low]
    high = float(np.percentile(above, 99.9)) if above.size else low + 1.0
    high = max(high, low + ROOM * (usual - low), low + 1e-3)
    step = _niceStep((high - low) / STEPS)
    decimals = max(0, -math.floor(math.log10(step)))
    return SliderRange(math.floor(low / step) * step, math.ceil(high / step) * step, step, decimals)


def _niceStep(step: float) -> float:
    """1, 2 or 5 times a power of ten, not above the given one."""
    power = 10.0 ** math.floor(math.log10(step))
    return max(part * power for part in (1.0, 2.0, 5.0) if part * power <= step * (1 + 1e-9))

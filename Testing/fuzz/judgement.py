"""Whether an answer is what the files mean."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from fuzz.case import Array, Case, MustRefuseError, UnjudgedError, Volume, affine
from fuzz.volumes import corners

MOST_CPU_S = 2.0
MOST_MEMORY_MB = 300.0
_SAME_VOXEL_MM = 0.05

Grid = tuple[Array, tuple[int, ...]]
"""An affine (4, 4) and the voxels along i, j, k."""


def fault(case: Case, answer: dict[str, Any], values: Array | None) -> str:
    """What is wrong with an answer, in a few words that are the same for the same fault; or "".

    Args:
        case: what was asked.
        answer: the worker's.
        values: the voxels that it read, D x H x W; None: it refused.
    """
    wrong = _manners(answer)
    if wrong or values is None:
        return wrong or ("refuses an honest file" if case.honest else "")
    try:
        return _difference(case, case.truth(), answer, values)
    except MustRefuseError as error:
        return f"takes what must be refused: {re.split('[:=(]', str(error))[0]}"
    except UnjudgedError:
        return ""


def _manners(answer: dict[str, Any]) -> str:
    """What is wrong with how it was answered, whatever was asked."""
    if answer["end"] == "raised":
        return f"raises {answer['where']}"
    if answer["cpu_s"] > MOST_CPU_S:
        return f"takes more than {MOST_CPU_S:g} s"
    if answer["memory_mb"] > MOST_MEMORY_MB:
        return f"takes more than {MOST_MEMORY_MB:g} MB"
    return ""


def _difference(case: Case, truth: Volume, answer: dict[str, Any], values: Array) -> str:
    wanted = (truth.values != 0).astype(float) if case.way == "lesions" else truth.values
    if case.way == "lesions" and not _lies_on(truth, case.grid):
        return ""  # resampled, by whatever its geometry has become
    if values.shape != wanted.shape:
        return "has another size"
    directions = np.reshape(answer["direction"], (3, 3))
    found = affine(directions, answer["spacing"], answer["origin"])
    if not _lies_at(truth, (found, wanted.shape[::-1])):
        return "lies elsewhere"
    if truth.factor_is_free:
        wanted = wanted * _factor(values, wanted)
    largest = np.abs(wanted).max()
    if case.way == "lesions":
        # 7e-313 is a lesion, and none where a file's scaling is applied in single precision.
        nought = (truth.values != 0) & (truth.values.astype(np.float32) == 0)
        wanted = np.where(nought, values, wanted)
    if not np.abs(values - wanted).max() <= 3e-6 * largest + np.finfo(np.float32).tiny:
        return "has other voxels"
    if truth.warning and not any(re.search(truth.warning, each) for each in answer["warnings"]):
        return f"does not warn of {truth.warning}"
    return ""


def _lies_at(truth: Volume, grid: Grid) -> bool:
    """Whether a volume is on a grid of its size; also where that is not judged."""
    found = corners(*grid)
    return not truth.affines or any(_close(found, corners(each, grid[1])) for each in truth.affines)


def _lies_on(truth: Volume, grid: Grid | None) -> bool:
    """Whether a volume's voxels are those of a grid, whichever of its affines is taken."""
    if grid is None or truth.values.shape[::-1] != tuple(grid[1]):
        return False
    found = corners(*grid)
    apart = [np.abs(found - corners(each, grid[1])).max() for each in truth.affines]
    return bool(apart) and max(apart) < _SAME_VOXEL_MM


def _close(one: Array, other: Array) -> bool:
    """Whether corners agree within rounding: a thousandth of the volume, or of the single-precision
    numbers that it lies at."""
    extent = float(np.ptp(other, axis=1).max())
    tolerance = 0.01 + 1e-3 * extent + 1e-6 * float(np.abs(other).max())
    return bool(np.abs(one - other).max() <= tolerance)


def _factor(values: Array, wanted: Array) -> float:
    place = np.unravel_index(np.argmax(np.abs(wanted)), wanted.shape)
    return float(values[place] / wanted[place]) if wanted[place] else 1.0

"""The findings' labels cut down to where there are any, so that the GUI thread has less to copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LabelBlock:
    """A piece of the PET's grid.

    Attributes:
        voxels: (k, j, i) integers, 0 is background; one voxel when there is no label.
        start: the PET's index (k, j, i) of the first voxel.
    """

    voxels: np.ndarray
    start: tuple[int, int, int] = (0, 0, 0)


def cutOut(labels: np.ndarray) -> LabelBlock:
    """The smallest block that holds every label. Three walks through the volume: a worker's job."""
    where = [np.flatnonzero(labels.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not where[0].size:
        return LabelBlock(labels[:1, :1, :1].copy())
    k, j, i = (slice(int(indices[0]), int(indices[-1]) + 1) for indices in where)
    return LabelBlock(labels[k, j, i].copy(), (k.start, j.start, i.start))


def shared(
    start: Sequence[int], shape: Sequence[int], otherStart: Sequence[int], otherShape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]] | None:
    """Where two boxes (k, j, i) of one grid overlap: slices of the one and of the other; None where
    they do not.
    """
    low = [max(a, b) for a, b in zip(start, otherStart)]
    high = [min(a + n, b + m) for a, n, b, m in zip(start, shape, otherStart, otherShape)]
    if any(b <= a for a, b in zip(low, high)):
        return None
    own, theirs = (
        tuple(slice(a - s, b - s) for a, b, s in zip(low, high, first))
        for first in (start, otherStart)
    )
    return own, theirs

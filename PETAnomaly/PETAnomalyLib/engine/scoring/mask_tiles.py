"""Where a mask lies that moves over a slice without overlap: paper 4's positions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def mask_tiles(
    size: Sequence[int], edge: int, patch: int, extent: Sequence[int] | None = None
) -> npt.NDArray[np.int64]:
    """The number of the mask's position that covers each pixel, row by row from 0.

    The positions lie round the middle of the slice, as nearly as whole patches allow.

    Args:
        size: rows and columns of the slice.
        edge: of the square mask, pixels; a multiple of `patch`.
        patch: pixels along the edge of what is hidden or seen as one.
        extent: rows and columns that are numbered, no fewer than `size`; the slice's own if None.
            What lies beyond the last position is -1.

    Returns:
        rows x columns.
    """
    counts = [-(-n // edge) for n in size]
    rows, columns = (
        (np.arange(wide) + (count * edge - n) // 2 // patch * patch) // edge
        for n, wide, count in zip(size, extent or size, counts)
    )
    numbers = rows[:, None] * counts[1] + columns
    beyond = (rows >= counts[0])[:, None] | (columns >= counts[1])
    return np.where(beyond, -1, numbers)

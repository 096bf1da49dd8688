"""The mask's positions cover each slice once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.scoring.mask_tiles import mask_tiles


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.integers(8, 70), st.integers(8, 70)),
    st.integers(1, 4),
    st.integers(1, 6),
    st.integers(0, 20),
)
def test_every_pixel_has_one_position_and_no_patch_has_two(
    size: tuple[int, int], patch: int, patches: int, more: int
) -> None:
    edge = patch * patches
    extent = [n + more for n in size]
    tiles = mask_tiles(size, edge, patch, extent)
    assert np.array_equal(tiles[: size[0], : size[1]], mask_tiles(size, edge, patch))
    inside = tiles[: size[0], : size[1]]
    counts = [-(-n // edge) for n in size]
    assert sorted(np.unique(inside)) == list(range(counts[0] * counts[1]))
    for number in np.unique(inside):
        rows, columns = np.nonzero(tiles == number)
        for places in (rows, columns):
            assert np.ptp(places) < edge
            assert np.ptp(places) + 1 == len(np.unique(places))
        assert len(rows) == len(np.unique(rows)) * len(np.unique(columns))
    for top in range(0, size[0], patch):
        for left in range(0, size[1], patch):
            assert len(np.unique(inside[top : top + patch, left : left + patch])) == 1


def test_masks_of_64_pixels_lie_round_the_middle_of_224() -> None:
    """Four of them a side, sixteen pixels beyond each edge: 48, 64, 64 and 48 pixels."""
    first = mask_tiles((224, 224), 64, 4)[0]
    assert np.bincount(first).tolist() == [48, 64, 64, 48]

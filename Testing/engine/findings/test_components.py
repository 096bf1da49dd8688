"""Components of padded masks against SciPy's labelling of the whole volume."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.findings.components import components, padded, unpadded
from scipy import ndimage


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[st.integers(1, 8)] * 3), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_components_are_those_of_a_26_connected_labelling(
    shape: tuple[int, int, int], share: float, seed: int
) -> None:
    mask = np.random.default_rng(seed).random(shape) < share
    voxels, labels, count = components(padded(mask))
    expected, number = ndimage.label(mask, np.ones((3, 3, 3)))
    assert count == number
    found = np.zeros(shape, int)
    found[unpadded(voxels, shape)] = labels + 1
    assert np.array_equal(found > 0, mask)
    # The same parts under whatever numbers: each of ours meets one of theirs, and the other way.
    pairs = {*zip(found[mask].tolist(), expected[mask].tolist())}
    assert len(pairs) == number

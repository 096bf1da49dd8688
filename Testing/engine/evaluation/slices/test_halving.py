"""Paper 3's search by ten halvings."""

from __future__ import annotations

import pytest
from PETAnomalyLib.engine.evaluation.slices.halving import HALVINGS, best_by_halving


@pytest.mark.parametrize("peak", [0.0, 0.013, 0.5, 0.731, 1.0])
def test_a_single_peak_is_found_to_a_thousandth(peak: float) -> None:
    looked_at = []

    def dice_at(threshold: float) -> float:
        looked_at.append(threshold)
        return 1 - abs(threshold - peak)

    threshold, dice = best_by_halving(dice_at, 0.0, 1.0)
    assert len(looked_at) == 2 * HALVINGS == 20
    assert threshold == pytest.approx(peak, abs=2**-HALVINGS)
    assert dice == dice_at(threshold)


def test_the_first_looks_are_at_the_quarters_and_then_in_the_better_half() -> None:
    looked_at = []

    def dice_at(threshold: float) -> float:
        looked_at.append(threshold)
        return threshold

    best_by_halving(dice_at, 0.0, 8.0)
    assert looked_at[:6] == [2, 6, 5, 7, 6.5, 7.5]


def test_the_best_is_kept_where_the_search_leaves_it() -> None:
    values = {2.0: 0.4, 6.0: 0.5, 5.0: 0.1, 7.0: 0.2}
    threshold, dice = best_by_halving(lambda t: values.get(t, 0.0), 0.0, 8.0)
    assert (threshold, dice) == (6, 0.5)


def test_of_equals_the_lower_threshold_counts() -> None:
    assert best_by_halving(lambda _: 0.3, 0.0, 8.0)[0] < 0.01

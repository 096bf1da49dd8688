"""Paper 3's search for a threshold on validation heads (section 4.2.4)."""

from __future__ import annotations

from collections.abc import Callable

HALVINGS = 10


def best_by_halving(
    dice_at: Callable[[float], float], low: float, high: float
) -> tuple[float, float]:
    """The threshold found, and its Dice.

    Dice is looked at where a quarter and where three quarters of the interval lie below; the half
    with the better one is the next interval; ten times. The best of all that were looked at counts,
    the lower of two that are equal.

    Args:
        dice_at: a threshold, on all validation heads.
        low, high: the range of their scores.
    """
    looked_at: list[tuple[float, float]] = []
    for _ in range(HALVINGS):
        quarter = (high - low) / 4
        lower, upper = low + quarter, high - quarter
        looked_at += [(lower, dice_at(lower)), (upper, dice_at(upper))]
        if looked_at[-1][1] > looked_at[-2][1]:
            low = (low + high) / 2
        else:
            high = (low + high) / 2
    return max(looked_at, key=lambda found: (found[1], -found[0]))

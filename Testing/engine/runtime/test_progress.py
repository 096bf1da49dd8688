"""The fraction done and the time left, on a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.progress import ProgressHistory


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(seconds=st.floats(0.01, 1000), steps=st.integers(4, 200), done=st.integers(1, 3))
def test_at_constant_speed_the_remaining_time_is_exact(
    seconds: float, steps: int, done: int
) -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    for step in range(done):
        clock.now += seconds
        history.advance((step + 1) / steps)
    assert history.remaining_seconds == pytest.approx((steps - done) * seconds, rel=1e-6)


def test_a_change_of_speed_counts_more_than_the_start() -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    for _ in range(5):  # 10 s for the first 10 %
        clock.now += 2
        history.advance(history.fraction + 0.02)
    for _ in range(40):  # then 1 % a second
        clock.now += 1
        history.advance(history.fraction + 0.01)
    assert history.remaining_seconds == pytest.approx(50, rel=0.1)


def test_the_remaining_time_falls_while_nothing_is_told_and_is_never_negative() -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    clock.now += 10
    history.advance(0.5)
    assert history.remaining_seconds == pytest.approx(10)
    clock.now += 4
    assert history.remaining_seconds == pytest.approx(6)
    clock.now += 400
    assert history.remaining_seconds == 0


def test_before_any_progress_there_is_no_remaining_time() -> None:
    assert ProgressHistory().remaining_seconds is None


@given(done=st.floats(0.05, 0.9), spent=st.floats(0.1, 500), rest=st.floats(0.1, 5000))
def test_what_is_expected_is_the_time_left_until_the_run_shows_otherwise(
    done: float, spent: float, rest: float
) -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    clock.now += spent
    history.advance(done)
    history.expect(rest)
    assert history.remaining_seconds == pytest.approx(rest, rel=1e-6)
    clock.now += rest / 4
    history.advance(done + (1 - done) / 4)  # as expected
    assert history.remaining_seconds == pytest.approx(rest * 3 / 4, rel=1e-6)


def test_what_turns_out_otherwise_than_expected_is_believed_in_the_end() -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    clock.now += 10
    history.advance(0.5)
    history.expect(10)
    for _ in range(40):  # a percent a second, not five
        clock.now += 1
        history.advance(history.fraction + 0.01)
    assert history.remaining_seconds == pytest.approx(10, rel=0.01)

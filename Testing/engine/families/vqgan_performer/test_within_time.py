"""As many samples as there is time for: done in time, never fewer than four, the same as asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from PETAnomalyLib.engine.families.healer import Forecast, HealingRequest
from PETAnomalyLib.engine.families.vqgan_performer.within_time import Pace, draw_in_time

SECONDS_A_SAMPLE, STEPS = 0.2, 50
REQUEST = HealingRequest(
    samples=16, decodes=1, seed=0, resampling_threshold=0.1, samples_at_once=16
)


def drawing(samples: int, on_progress: Callable[[float], None]) -> int:
    """Takes as long as so many samples take, and gives their number."""
    for step in range(STEPS):
        time.sleep(samples * SECONDS_A_SAMPLE / STEPS)
        on_progress((step + 1) / STEPS)
    return samples


def drawn(seconds: float | None, pace: Pace) -> tuple[int, float, list[Forecast]]:
    """How many samples, in how many seconds, and what was foretold."""
    told: list[Forecast] = []
    began = time.perf_counter()

    def left() -> float:
        assert seconds is not None
        return seconds - (time.perf_counter() - began)

    request = replace(
        REQUEST, on_forecast=told.append, seconds_left=None if seconds is None else left
    )
    number = draw_in_time(drawing, request, pace, lambda _: None)
    return number, time.perf_counter() - began, told


RIGHT = Pace(0.0, SECONDS_A_SAMPLE, 0.0)


def test_without_a_limit_all_are_drawn_whatever_was_foretold() -> None:
    pace = Pace(0.0, 10 * SECONDS_A_SAMPLE, 0.0)
    number, _, told = drawn(None, pace)
    assert number == 16
    assert told == [pace.of(16)]


def test_where_there_is_time_for_all_none_is_left_out() -> None:
    assert drawn(4.5, RIGHT)[0] == 16


@pytest.mark.parametrize(
    "pace",
    [RIGHT, pytest.param(Pace(0.0, SECONDS_A_SAMPLE / 20, 0.0), marks=pytest.mark.slow)],
    ids=["right", "too short"],
)
def test_a_limit_is_kept_with_most_of_the_samples_that_it_allows(pace: Pace) -> None:
    number, seconds, told = drawn(2.4, pace)  # 12 samples, had it been known
    assert seconds < 2.4 * 1.2
    assert 6 <= number <= 12
    assert told[-1].samples == number


def test_what_is_foretold_as_far_too_long_is_not_begun() -> None:
    number, seconds, told = drawn(1.3, RIGHT)
    assert told[0].samples == 8  # a third more than there is time for: it may be wrong
    assert 4 <= number <= 6
    assert seconds < 1.3 * 1.2


@pytest.mark.slow
def test_time_for_the_decoding_is_kept_back() -> None:
    decoding = SECONDS_A_SAMPLE
    number, seconds, _ = drawn(4.0, Pace(0.0, SECONDS_A_SAMPLE, decoding))
    assert 6 <= number <= 10
    assert seconds + number * decoding < 4.0 * 1.2


def test_never_fewer_than_four() -> None:
    number, _, told = drawn(0.01, RIGHT)
    assert number == 4
    assert told == [RIGHT.of(4)]


def test_what_asks_for_fewer_than_four_is_not_cut() -> None:
    request = replace(REQUEST, samples=2, seconds_left=lambda: 0.0)
    assert draw_in_time(drawing, request, RIGHT, lambda _: None) == 2


def test_who_stops_it_is_heard() -> None:
    def stop(share: float) -> None:
        raise InterruptedError(share)

    with pytest.raises(InterruptedError):
        draw_in_time(drawing, replace(REQUEST, seconds_left=lambda: 9.0), RIGHT, stop)

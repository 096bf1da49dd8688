"""What steps need, made ahead of them: the same things, in the same order, and no thread left."""

from __future__ import annotations

import threading
import time

import pytest
from PETAnomalyLib.engine.training.ahead import Ahead


def test_each_step_gets_its_own_whoever_is_done_first() -> None:
    def make(step: int) -> int:
        time.sleep(0.01 if step % 3 == 0 else 0.0)
        return step * step

    with Ahead(make) as ahead:
        assert [ahead.take(step) for step in range(5, 60)] == [n * n for n in range(5, 60)]


def test_later_steps_are_made_before_they_are_asked_for() -> None:
    begun = threading.Event()

    def make(step: int) -> int:
        if step == 1:
            begun.set()
        return step

    with Ahead(make) as ahead:
        assert ahead.take(0) == 0
        assert begun.wait(timeout=10)


def test_what_goes_wrong_for_a_step_is_raised_at_that_step() -> None:
    def make(step: int) -> int:
        if step == 2:
            raise MemoryError("no room for step 2")
        return step

    with Ahead(make) as ahead:
        assert [ahead.take(0), ahead.take(1)] == [0, 1]
        with pytest.raises(MemoryError, match="step 2"):
            ahead.take(2)


def test_no_thread_is_left_when_the_training_stops() -> None:
    before = threading.active_count()
    with Ahead(lambda step: step) as ahead:
        ahead.take(0)
        assert threading.active_count() > before
    assert threading.active_count() == before

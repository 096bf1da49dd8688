"""Works on threads of their own: results in order, one thread an operation, ended when told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import torch
from PETAnomalyLib.engine.families.vqgan_performer.side_by_side import (
    MOST_WORKERS,
    side_by_side,
    workers,
)

OnShare = Callable[[float], None]


def test_results_come_in_order_and_progress_rises_to_one() -> None:
    shares: list[float] = []

    def squared(number: int) -> Callable[[OnShare], int]:
        def work(on_share: OnShare) -> int:
            on_share(0.5)
            time.sleep(0.01 * (5 - number))
            return number**2

        return work

    found = side_by_side([squared(n) for n in range(5)], 2, shares.append)
    assert found == [0, 1, 4, 9, 16]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_operations_in_a_work_have_one_thread_and_those_after_it_all() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        inside = side_by_side([lambda _: torch.get_num_threads()] * 2, 2)
        assert inside == [1, 1]
        assert torch.get_num_threads() == 3
        later: list[int] = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [3]  # what new threads begin with is as it was
    finally:
        torch.set_num_threads(before)


def test_as_many_run_at_a_time_as_asked_for() -> None:
    together = threading.Barrier(2, timeout=10)
    side_by_side([lambda _: together.wait()] * 2, 2)  # one alone would wait for ever
    running, most = [], []

    def alone(_: OnShare) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()

    side_by_side([alone] * 4, 1)
    assert most == [1] * 4


def endless(on_share: OnShare) -> None:
    while True:
        on_share(0.5)
        time.sleep(0.001)


def test_an_error_in_one_work_ends_the_others_and_is_raised() -> None:
    def short_of_memory(_: OnShare) -> None:
        raise MemoryError

    threads = torch.get_num_threads()
    with pytest.raises(MemoryError):
        side_by_side([endless, short_of_memory, endless], 2)
    assert torch.get_num_threads() == threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("work")]


def test_a_cancellation_by_the_progress_ends_every_work() -> None:
    def cancelled(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side([endless, endless, endless], 2, cancelled)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("work")]


def test_a_core_is_a_worker_and_a_card_is_one() -> None:
    assert workers(torch.device("cpu")) == min(torch.get_num_threads(), MOST_WORKERS)
    assert workers(torch.device("cuda")) == 1

"""Independent work side by side: one thread each, and one thread for each operation in it.

A small operation that is split among all threads waits for each of them twice. On two cores that
one other process kept busy, resampling took four times as long for it, with four of them thirty
times. Threads that never wait for each other lose their share of the machine and no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

Result = TypeVar("Result")
OnShare = Callable[[float], None]
Work = Callable[[OnShare], Result]

SECONDS_BETWEEN_REPORTS = 0.1


# Python runs one thread at a time between two operations: beyond, they wait for each other there.
MOST_WORKERS = 8


def workers(device: torch.device) -> int:
    """How many works are worth doing side by side: cores of a CPU; another device is one."""
    return min(MOST_WORKERS, torch.get_num_threads()) if device.type == "cpu" else 1


class _StoppedError(Exception):
    """Raised inside a work whose result nobody waits for any more."""


def side_by_side(
    works: Sequence[Work[Result]], at_once: int, on_progress: OnShare = lambda _: None
) -> list[Result]:
    """The result of every work, each done on a thread of its own, without gradients.

    Args:
        works: each is told a function, to be called now and then with the share that it has done,
            0..1; it raises where the work is to end.
        at_once: how many run at a time.
        on_progress: called in this thread with the share of all that is done, 0..1; may raise, and
            then every work ends.

    Raises:
        BaseException: the first that a work or `on_progress` raised.
    """
    shares = [0.0] * len(works)
    stop = threading.Event()

    @torch.inference_mode()
    def done(number: int) -> Result:
        def on_share(share: float) -> None:
            if stop.is_set():
                raise _StoppedError
            shares[number] = share

        on_share(0.0)
        result = works[number](on_share)
        shares[number] = 1.0
        return result

    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(at_once, "work", torch.set_num_threads, (1,)) as pool:
            futures = [pool.submit(done, number) for number in range(len(works))]
            try:
                unfinished = set(futures)
                while unfinished:
                    finished, unfinished = wait(
                        unfinished, SECONDS_BETWEEN_REPORTS, FIRST_EXCEPTION
                    )
                    for future in finished:
                        future.result()
                    on_progress(sum(shares) / len(shares))
            finally:
                stop.set()
    finally:
        # Each thread has a number of its own, but the one that later threads begin with is shared.
        torch.set_num_threads(threads)
    return [future.result() for future in futures]

"""Worker processes: one study each, and none that outlives the program that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from PETAnomalyLib.engine.runtime.reporter import Reporter

Result = TypeVar("Result")


def worker_pool(processes: int | None) -> ProcessPoolExecutor:
    """A pool of fresh processes; None: one for each core.

    Fork would copy the threads of torch and ITK in an unknown state.
    """
    cores = os.cpu_count() or 1
    workers = processes or cores
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(max(1, cores // workers),),
    )


def for_each(
    work: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    processes: int,
    reporter: Reporter,
    share: tuple[float, float],
) -> list[Result]:
    """The results of `work(*job)` in the order of the jobs, some at a time.

    Args:
        work: a function of a module, that another process can import.
        jobs: its arguments.
        processes: that work at the same time; 1: in this one.
        reporter: told of the progress, asked whether to stop between jobs.
        share: of the whole run that this is, from and to.
    """

    def on_done(count: int) -> None:
        reporter.progress(share[0] + (share[1] - share[0]) * count / len(jobs))
        reporter.check_cancelled()

    results: dict[int, Result] = {}
    if processes == 1:
        for number, job in enumerate(jobs):
            results[number] = work(*job)
            on_done(len(results))
    else:
        with worker_pool(processes) as pool:
            numbers = {pool.submit(work, *job): number for number, job in enumerate(jobs)}
            try:
                for done in as_completed(numbers):
                    results[numbers[done]] = done.result()
                    on_done(len(results))
            except BaseException:
                pool.shutdown(cancel_futures=True)  # those that run are waited for, the rest not
                raise
    return [results[number] for number in range(len(jobs))]


def _begin(threads: int) -> None:
    """Prepare a worker, before it imports anything heavy."""
    # The workers share the cores; libraries read this when they are loaded.
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", str(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the starter decides
    parent = parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    # A killed run leaves no workers waiting for ever: each watches the process that started it.
    threading.Thread(target=follow, daemon=True).start()

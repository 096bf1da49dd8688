"""Work on many studies at the same time: in processes of this computer, or on a cluster.

`for_each` is the one way in. Processes are fresh ones, and none outlives the program that started
it. A cluster is anything that does a function's jobs elsewhere (`cluster.py`).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from PETAnomalyLib.engine.runtime.cancellation import GRACE_SECONDS
from PETAnomalyLib.engine.runtime.errors import Cancelled, OutOfMemoryError
from PETAnomalyLib.engine.runtime.output import abandon_partial_output
from PETAnomalyLib.engine.runtime.reporter import Reporter

Result = TypeVar("Result")

WORKER_NUMBER = "PETANOMALY_WORKER"
"""Environment variable of a worker: its number, from 0."""

HANDING_BACK_SECONDS = 0.5
"""How long a worker that is at no job may take to end: it may be handing back a result, and half of
one would leave the pool waiting for the rest."""

ASKED_EVERY_SECONDS = 0.2
"""How often the run is asked whether it shall stop, while its workers compute for minutes."""


class WorkerLostError(OutOfMemoryError):
    """Those who worked on a job were ended from outside, again and again."""


class Cluster(Protocol):
    """Workers elsewhere."""

    @property
    def size(self) -> int:
        """How many jobs are done at the same time, as far as that is known."""

    def results(
        self, work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Callable[[], Result]] | None]:
        """What gives the result of a job, with the job's number, as soon as it is there.

        None, at least every `ASKED_EVERY_SECONDS`, while there is nothing. Giving it may raise what
        the job raised, or `WorkerLostError`. Leaving the loop takes back what has not begun.
        """


@contextmanager
def worker_pool(processes: int | None) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes; None: one for each core.

    Fork would copy the threads of torch and ITK in an unknown state. Each worker holds the end of a
    pipe. It closes when the block is left by an exception or this process dies, however: then the
    workers leave the study that they are at, remove what they have written of it, and end.
    """
    cores = os.cpu_count() or 1
    workers = processes or cores
    context = get_context("spawn")
    leash, end = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=_begin,
        initargs=(max(1, cores // workers), leash, context.Value("i", 0)),
    )
    try:
        yield pool
    except BaseException:
        end.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        end.close()
        leash.close()


def for_each(
    work: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int | Cluster,
    reporter: Reporter,
    share: tuple[float, float],
    on_result: Callable[[int, Result], None] = lambda *_: None,
    on_lost: Callable[[int, WorkerLostError], Result] | None = None,
) -> list[Result]:
    """The results of `work(*job)` in the order of the jobs, some at a time.

    Args:
        work: a function of a module, that another process can import.
        jobs: its arguments.
        workers: processes that work at the same time; 1: this one. Or a cluster.
        reporter: told of the progress, asked whether to stop: between jobs in this process, at any
            time where others work.
        share: of the whole run that this is, from and to.
        on_result: told of each result as soon as it is there, with the number of its job.
        on_lost: the result of a job, by its number, that a cluster's workers died of; None: raise.

    Raises:
        Cancelled: the run shall stop; no worker is left.
        OutOfMemoryError: a worker was ended from outside, as systems do where memory runs out.
    """

    def on_done(count: int) -> None:
        reporter.progress(share[0] + (share[1] - share[0]) * count / len(jobs))
        reporter.check_cancelled()

    results: dict[int, Result] = {}

    def take(number: int, result: Result) -> None:
        results[number] = result
        on_result(number, result)
        on_done(len(results))

    if not isinstance(workers, int):
        _on_cluster(workers, work, jobs, reporter, take, on_lost)
    elif workers == 1:
        for number, job in enumerate(jobs):
            take(number, work(*job))
    else:
        with worker_pool(workers) as pool:
            numbers = {submitted(pool, work, *job): number for number, job in enumerate(jobs)}
            for done in _as_completed(numbers, reporter):
                take(numbers[done], result_of(done))
    return [results[number] for number in range(len(jobs))]


def _on_cluster(
    cluster: Cluster,
    work: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    reporter: Reporter,
    take: Callable[[int, Result], None],
    on_lost: Callable[[int, WorkerLostError], Result] | None,
) -> None:
    for found in cluster.results(work, jobs):
        reporter.check_cancelled()
        if found is None:
            continue
        number, give = found
        try:
            result = give()
        except WorkerLostError as error:
            if on_lost is None:
                raise
            result = on_lost(number, error)
        take(number, result)


def _as_completed(
    futures: Iterable[Future[Result]], reporter: Reporter
) -> Iterator[Future[Result]]:
    """Those that are done, as soon as they are.

    Raises:
        Cancelled: the run shall stop.
    """
    left = set(futures)
    while left:
        done, left = wait(left, ASKED_EVERY_SECONDS, FIRST_COMPLETED)
        reporter.check_cancelled()
        yield from done


def submitted(pool: ProcessPoolExecutor, work: Callable[..., Result], *job: Any) -> Future[Result]:
    """`work(*job)`, to be done by a pool of `worker_pool`.

    Raises:
        OutOfMemoryError: a worker was ended from outside, and with it the pool.
    """
    try:
        with _deaf_to_signals():  # which a worker inherits: who started it decides
            return pool.submit(_until_stopped, work, job)
    except BrokenProcessPool as error:
        raise _ended_from_outside() from error


def result_of(done: Future[Result]) -> Result:
    """Of what was `submitted`, when it is there.

    Raises:
        OutOfMemoryError: a worker was ended from outside.
    """
    try:
        return done.result()
    except BrokenProcessPool as error:
        raise _ended_from_outside() from error


def _ended_from_outside() -> OutOfMemoryError:
    return OutOfMemoryError(
        "A worker process was ended from outside; most often memory has run out.",
        "Close other programs, or ask for fewer --processes.",
    )


@contextmanager
def _deaf_to_signals() -> Iterator[None]:
    """Signals wait until the block ends; processes started in it never hear one.

    Ctrl-C reaches a whole group, and `timeout` or a batch system ends one: a worker that dies of it
    leaves half of a result behind, or a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(threads: int, leash: Connection[Any, Any], begun: Any) -> None:
    """Prepare a worker, before it imports anything heavy.

    Args:
        threads: that its libraries may use.
        leash: closes when the worker shall end.
        begun: a shared counter of the workers.
    """
    with begun.get_lock():
        os.environ[WORKER_NUMBER] = str(begun.value)
        begun.value += 1
    # The workers share the cores; libraries read this when they are loaded.
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", str(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows nothing was inherited
    signal.signal(signal.SIGTERM, _stop)  # which comes from the thread alone

    def follow() -> None:
        with suppress(EOFError, OSError):
            leash.recv()  # nothing is ever sent
        _stopping.set()
        interrupt_main(signal.SIGTERM)
        # At a job, it may be in one call of a library, which takes minutes.
        time.sleep(GRACE_SECONDS if _at_a_job.is_set() else HANDING_BACK_SECONDS)
        abandon_partial_output()
        os._exit(Cancelled.exit_code)

    threading.Thread(target=follow, daemon=True).start()


def _until_stopped(work: Callable[..., Result], job: tuple[Any, ...]) -> Result:
    _at_a_job.set()
    try:
        if _stopping.is_set():
            _stop()
        return work(*job)
    except SystemExit:  # the pool would give it back as a result, and begin the next job
        os._exit(Cancelled.exit_code)
    finally:
        _at_a_job.clear()


_at_a_job, _stopping = threading.Event(), threading.Event()  # of a worker


def _stop(*_: object) -> None:
    if _at_a_job.is_set():  # elsewhere it would end the pool's own code, with a traceback
        raise SystemExit(Cancelled.exit_code)

"""A Dask cluster as workers: one that runs already, or one that a batch system starts.

Dask's `distributed` hands the jobs out, and again where a worker dies; `dask-jobqueue` starts
workers through Slurm, PBS or SGE. Both come with the extra `cluster`.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.worker_pool import (
    ASKED_EVERY_SECONDS,
    WORKER_NUMBER,
    Cluster,
    WorkerLostError,
)

Result = TypeVar("Result")

BATCH_SYSTEMS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster"}
"""Name on the command line -> class of dask-jobqueue."""

CONNECT_SECONDS = 20

# A worker does one study at a time; nobody asked for the scheduler's web page.
_UNLESS_SAID = {"cores": 1, "processes": 1, "scheduler_options": {"dashboard": False}}
JOBS = "jobs"  # our own key of the options' file: how many workers; the others are dask-jobqueue's

_one_at_a_time = threading.Lock()


@contextmanager
def open_cluster(scheduler: str, options: Path | None = None) -> Iterator[Cluster]:
    """A cluster, until the block is left; one that was started for it is ended then.

    Args:
        scheduler: address of a Dask scheduler, such as tcp://host:8786, or a key of
            `BATCH_SYSTEMS`.
        options: of a batch system, see `read_options`.

    Raises:
        InputError: nobody answers at the address, or options that cannot be used.
        ModuleNotFoundError: the extra `cluster` is not installed.
    """
    from distributed import Client

    if scheduler not in BATCH_SYSTEMS:
        try:
            client = Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise InputError(
                f"No Dask scheduler answers at {scheduler}: {error}.",
                "Start one with `dask scheduler`, and workers with `dask worker`.",
            ) from error
        with client:
            yield _Dask(client, lambda: len(client.scheduler_info(n_workers=-1)["workers"]))
        return
    wanted, jobs = read_options(options)
    with _batch_cluster(scheduler, wanted) as cluster:
        cluster.scale(jobs=jobs)
        with Client(cluster) as client:
            yield _Dask(client, lambda: jobs)


def read_options(file: Path | None) -> tuple[dict[str, Any], int]:
    """What a batch system is asked for, and how many workers.

    Args:
        file: YAML: the arguments of dask-jobqueue's class (`memory`, `walltime`, `queue`,
            `account`, `job_extra_directives` ...) and `jobs`, the number of workers, each a batch
            job. A worker does one study at a time: without `cores` it has one.

    Raises:
        InputError: no file, no YAML, or not such a mapping.
    """
    import yaml

    hint = "It looks like: jobs: 8, memory: 4GB, walltime: '02:00:00', queue: normal; a line each."
    if file is None:
        raise InputError("A batch system needs --scheduler-options.", hint)
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"The options {file} cannot be read: {error}.", hint) from error
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise InputError(f"The options {file} are no names with values.", hint)
    jobs = found.pop(JOBS, 1)
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise InputError(
            f"The options {file}: '{JOBS}' is {jobs!r}, not a number of workers.", hint
        )
    if "memory" not in found:
        raise InputError(f"The options {file} do not say 'memory' of a worker.", hint)
    return {**_UNLESS_SAID, **found}, jobs


def _batch_cluster(scheduler: str, options: dict[str, Any]) -> Any:
    import dask_jobqueue

    try:
        return getattr(dask_jobqueue, BATCH_SYSTEMS[scheduler])(**options)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The options do not suit dask-jobqueue's {BATCH_SYSTEMS[scheduler]}: {error}.",
            "Its documentation lists them.",
        ) from error


class _Dask:
    """See `Cluster`.

    Args:
        client: connected.
        count: how many workers there are.
    """

    def __init__(self, client: Any, count: Callable[[], int]) -> None:
        self._client = client
        self._count = count

    @property
    def size(self) -> int:
        """Workers there are now."""
        return max(1, self._count())

    def results(
        self, work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Callable[[], Result]] | None]:
        """See `Cluster`."""
        import cloudpickle

        done: queue.SimpleQueue[int] = queue.SimpleQueue()
        do = _sent_whole()
        futures = [
            self._client.submit(do, cloudpickle.dumps((__version__, work, job)), pure=False)
            for job in jobs
        ]
        try:
            for number, future in enumerate(futures):
                future.add_done_callback(lambda _, number=number: done.put(number))
            left = len(futures)
            while left:
                try:
                    number = done.get(timeout=ASKED_EVERY_SECONDS)
                except queue.Empty:
                    yield None
                    continue
                left -= 1
                yield number, lambda number=number: _result(futures[number])  # type: ignore[misc]  # mypy knows no such default
        finally:
            with suppress(Exception):  # the connection may be gone
                self._client.cancel([one for one in futures if not one.done()])


def _result(future: Any) -> Any:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        raise WorkerLostError(
            "Every worker that began this died; most often memory has run out.",
            "Give the workers more memory.",
        ) from error
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != __name__.partition(".")[0]:
            raise
        raise InputError(
            "The workers of the cluster have no petanomaly.",
            f"Install petanomaly {__version__} in their Python.",
        ) from error


def _sent_whole() -> Callable[[bytes], Any]:
    """A function that goes to the workers as a whole, and imports there.

    One that is sent by its name is unpacked before it is a task: where it cannot be imported, Dask
    hands it out for ever (2026.8).
    """

    here = __name__

    def do(job: bytes) -> Any:
        import importlib
        import pickle

        cluster = importlib.import_module(here)
        return cluster.in_turn(*pickle.loads(job))

    return do


def in_turn(version: str, work: Callable[..., Result], job: tuple[Any, ...]) -> Result:
    """One job, in a worker; of one with several threads the others wait.

    Raises:
        InputError: the worker has another version.
    """
    from distributed import get_worker

    if version != __version__:
        raise InputError(
            f"A worker of the cluster has petanomaly {__version__}, and {version} sent it work.",
            "Install the same version everywhere.",
        )
    name = str(get_worker().name)
    if name.isdecimal() and "CUDA_VISIBLE_DEVICES" not in os.environ:
        os.environ.setdefault(WORKER_NUMBER, name)
    with _one_at_a_time:
        return work(*job)

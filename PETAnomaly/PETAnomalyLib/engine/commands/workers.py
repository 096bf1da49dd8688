"""Who does the work on many studies: options that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.imports import require_installed

if TYPE_CHECKING:  # multiprocessing comes with it, which most commands do without
    from PETAnomalyLib.engine.runtime.worker_pool import Cluster

OPTIONS = ("processes", "scheduler", "scheduler_options")


def add_workers(parser: argparse.ArgumentParser, each: str) -> None:
    """Add the options.

    Args:
        parser: of a command.
        each: what is done at the same time, and how large that is.
    """
    add = parser.add_argument
    add(
        "--processes",
        type=arguments.whole_number(1, 256),
        metavar="P",
        help=f"{each} at the same time (default: 1)",
    )
    add(
        "--scheduler",
        metavar="ADDRESS|slurm|pbs|sge",
        help="a Dask cluster: the address of its scheduler, or the batch system that starts one",
    )
    add(
        "--scheduler-options",
        type=arguments.path,
        metavar="FILE.yaml",
        help="what the batch system is asked for",
    )


def check_workers(options: argparse.Namespace) -> None:
    """Raises:
    InputError: options that do not go together.
    """
    processes, scheduler, file = (getattr(options, name, None) for name in OPTIONS)
    if scheduler and processes:
        raise InputError(
            "--processes is for this computer, and --scheduler for others.", "Give one of them."
        )
    if file:
        from PETAnomalyLib.engine.runtime.cluster import BATCH_SYSTEMS

        if scheduler not in BATCH_SYSTEMS:
            raise InputError(
                "--scheduler-options is for a batch system.",
                f"Give --scheduler {', '.join(BATCH_SYSTEMS)}, or leave it out.",
            )


@contextmanager
def workers(options: argparse.Namespace) -> Iterator[int | Cluster]:
    """Those that the options name, until the block is left: for `worker_pool.for_each`.

    Raises:
        InputError: options that do not go together, or a cluster that is not there.
        ModuleNotFoundError: what a cluster needs is not installed.
    """
    check_workers(options)
    processes, scheduler, file = (getattr(options, name, None) for name in OPTIONS)
    if scheduler is None:
        yield processes or 1
        return
    from PETAnomalyLib.engine.runtime.cluster import BATCH_SYSTEMS, open_cluster

    require_installed("distributed")
    if scheduler in BATCH_SYSTEMS:
        require_installed("dask_jobqueue")
    with open_cluster(scheduler, file) as cluster:
        yield cluster

"""Jobs on a Dask cluster: two workers on this computer, and what a batch system would be asked."""

from __future__ import annotations

import json
import math
import operator
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PETAnomalyLib.engine.runtime import cluster as cluster_module
from PETAnomalyLib.engine.runtime.cluster import BATCH_SYSTEMS, open_cluster, read_options
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import WorkerLostError, for_each

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow  # a cluster starts in seconds, and its packages are an extra

SHARE = (0.0, 1.0)

# `dask`, by a Python that knows the packages beside it and not this program.
_WITHOUT = f"import sys; sys.path.append({str(Path(distributed.__file__).parents[1])!r}); " + (
    "from dask.__main__ import main"
)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler with two worker processes."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def test_results_stand_in_the_order_of_the_jobs(scheduler: str) -> None:
    told: list[int] = []
    with open_cluster(scheduler) as cluster:
        assert cluster.size == 2
        found = for_each(
            operator.mul,
            [(n, n) for n in range(20)],
            cluster,
            SilentReporter(),
            SHARE,
            lambda number, _: told.append(number),
        )
    assert found == [n * n for n in range(20)]
    assert sorted(told) == list(range(20))


def test_errors_come_through(scheduler: str) -> None:
    with open_cluster(scheduler) as cluster, pytest.raises(ValueError, match="math domain"):
        for_each(math.sqrt, [(1.0,), (-1.0,)], cluster, SilentReporter(), SHARE)


def test_a_thousand_jobs_take_less_than_a_minute_of_overhead(scheduler: str) -> None:
    began = time.monotonic()
    with open_cluster(scheduler) as cluster:
        found = for_each(
            operator.neg, [(n,) for n in range(1000)], cluster, SilentReporter(), SHARE
        )
    assert found == [-n for n in range(1000)]
    assert time.monotonic() - began < 60


def test_a_stop_takes_back_what_has_not_begun(scheduler: str, tmp_path: Path) -> None:
    class Stop(SilentReporter):
        def check_cancelled(self) -> None:
            if (tmp_path / "0").exists():
                raise Cancelled("stopped")

    def touch_and_sleep(place: Path) -> None:  # within: so that it is sent as a whole
        place.touch()
        time.sleep(0.5)

    jobs = [(tmp_path / str(n),) for n in range(40)]
    with open_cluster(scheduler) as cluster:
        with pytest.raises(Cancelled):
            for_each(touch_and_sleep, jobs, cluster, Stop(), SHARE)
        time.sleep(2)
        assert len(list(tmp_path.iterdir())) < 12


def test_a_job_that_kills_its_workers_is_lost_and_no_other(scheduler: str) -> None:
    def work(number: int) -> int:
        return -number if number else os._exit(1)

    with open_cluster(scheduler) as cluster:
        lost: list[int] = []
        found = for_each(
            work,
            [(0,), (3,)],
            cluster,
            SilentReporter(),
            SHARE,
            on_lost=lambda number, _: lost.append(number) or 7,  # type: ignore[func-returns-value]
        )
        assert (found, lost) == ([7, -3], [0])
    with open_cluster(scheduler) as cluster, pytest.raises(WorkerLostError):
        for_each(work, [(0,)], cluster, SilentReporter(), SHARE)


def test_workers_without_this_program_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask would hand such a job out for ever."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    scheduler, worker = (
        [sys.executable, "-I", "-S", "-c", f"{_WITHOUT}; main()", *words]
        for words in (["scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", "s.json"],
                      ["worker", "--scheduler-file", "s.json", "--no-nanny", "--no-dashboard"])
    )  # fmt: skip
    processes = [
        subprocess.Popen(words, stderr=subprocess.DEVNULL) for words in (scheduler, worker)
    ]
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "s.json").exists():
            assert time.monotonic() < until
            time.sleep(0.1)
        address = json.loads((tmp_path / "s.json").read_text())["address"]
        with open_cluster(address) as cluster, pytest.raises(InputError, match="no petanomaly"):
            for_each(operator.neg, [(1,)], cluster, SilentReporter(), SHARE)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_nobody_at_the_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    nowhere = open_cluster("tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="No Dask scheduler") as refusal, nowhere:
        pass
    assert refusal.value.hint


@pytest.mark.parametrize("system", BATCH_SYSTEMS)
def test_a_batch_system_is_asked_for_what_the_file_says(system: str, tmp_path: Path) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    file = tmp_path / "options.yaml"
    file.write_text("jobs: 3\nmemory: 4GB\nwalltime: '02:03:00'\nqueue: long\n")
    options, jobs = read_options(file)
    assert jobs == 3
    with getattr(jobqueue, BATCH_SYSTEMS[system])(**options, interface="lo") as cluster:
        script = cluster.job_script()
    assert "02:03:00" in script
    assert "long" in script
    assert "--nthreads 1" in script


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "needs --scheduler-options"),
        ("[1, 2]", "no names with values"),
        ("memory: [", "cannot be read"),
        ("queue: long", "do not say 'memory'"),
        ("memory: 4GB\njobs: none", "not a number of workers"),
        ("memory: 4GB\njobs: 0", "not a number of workers"),
    ],
)
def test_options_that_cannot_be_used_are_said(
    text: str | None, complaint: str, tmp_path: Path
) -> None:
    file = None
    if text is not None:
        file = tmp_path / "options.yaml"
        file.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_options(file)


def test_a_name_that_the_batch_system_does_not_know_is_said(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    file = tmp_path / "options.yaml"
    file.write_text("memory: 4GB\nmemmory: 4GB\ninterface: lo\n")
    with pytest.raises(InputError, match="memmory"), open_cluster("slurm", file):
        pass

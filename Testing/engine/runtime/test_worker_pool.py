"""Jobs come back in their order, whoever does them."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from engine_process import environment
from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each


class Listener(SilentReporter):
    """Remembers the progress; asks to stop after so many jobs."""

    def __init__(self, stop_after: int = 1000) -> None:
        super().__init__()
        self.fractions: list[float] = []
        self.stop_after = stop_after

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def check_cancelled(self) -> None:
        if len(self.fractions) >= self.stop_after:
            raise Cancelled("stopped", "")


@pytest.mark.parametrize("processes", [1, 2])
def test_results_stand_in_the_order_of_the_jobs(processes: int) -> None:
    listener = Listener()
    found = for_each(math.sqrt, [(n * n,) for n in range(7)], processes, listener, (0.5, 1.0))
    assert found == list(range(7))
    assert listener.fractions == pytest.approx([0.5 + 0.5 * (n + 1) / 7 for n in range(7)])


def test_workers_are_other_processes_and_errors_come_through() -> None:
    (worker,) = for_each(os.getpid, [()], 2, SilentReporter(), (0, 1))
    assert worker != os.getpid()
    (threads,) = for_each(os.getenv, [("OMP_NUM_THREADS",)], 2, SilentReporter(), (0, 1))
    assert int(threads or 0) >= 1
    with pytest.raises(ValueError, match="math domain"):
        for_each(math.sqrt, [(-1.0,)], 2, SilentReporter(), (0, 1))


def test_a_stop_leaves_the_rest_undone() -> None:
    listener = Listener(stop_after=2)
    with pytest.raises(Cancelled):
        for_each(math.sqrt, [(1.0,)] * 5, 1, listener, (0, 1))
    assert len(listener.fractions) == 2


# Each job writes half of a result and then computes for minutes: in Python, or in one call of C.
POOL = """
import hashlib, os, sys, time
from pathlib import Path
from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.output import abandon_partial_output, output_folder
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each

def work(place, in_one_call):
    with output_folder(Path(place)) as partial:
        (partial / "kde.nii.gz").write_text("half of it")
        if in_one_call:
            hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
        time.sleep(1000)

if __name__ == "__main__":
    cancellation = Cancellation(abandon_partial_output)
    jobs = [(f"{sys.argv[1]}/{n}", sys.argv[2] == "c") for n in range(5)]
    with cancellation.on_signals():
        try:
            for_each(work, jobs, 2, SilentReporter(cancellation), (0, 1))
        except Cancelled:
            sys.exit(4)
"""


def processes_of_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(ValueError, OSError):
            if os.getsid(int(entry.name)) == session:
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("way", ["python", pytest.param("c", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("number", "to_all"),
    [
        pytest.param(signal.SIGTERM, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, True, marks=pytest.mark.slow),  # as `timeout` does
        (signal.SIGINT, True),  # Ctrl-C
        pytest.param(signal.SIGKILL, False, marks=pytest.mark.slow),
    ],
)
def test_one_signal_ends_all_in_mid_job_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, to_all: bool, way: str
) -> None:
    script, out = tmp_path / "pool.py", tmp_path / "out"
    script.write_text(POOL)
    out.mkdir()
    run = subprocess.Popen(
        [sys.executable, str(script), str(out), way],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while len(list(out.glob(".?.partial-*/kde.nii.gz"))) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    (os.killpg if to_all else os.kill)(run.pid, number)
    began = time.monotonic()
    _, err = run.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert run.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 4), err
    assert "Traceback" not in err
    while processes_of_session(run.pid):  # after a kill, they end by themselves
        assert time.monotonic() < until + 20
        time.sleep(0.05)
    assert list(out.iterdir()) == []

"""Jobs come back in their order, whoever does them."""

from __future__ import annotations

import math
import os

import pytest
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

"""Where a run says how far it is, and asks whether it may go on.

A run is handed one `Reporter`. The command line picks which: `events.JsonReporter` for a program
that reads along (the Slicer panel), `console.ConsoleReporter` for a person; `SilentReporter` is for
scripts and tests. The run asks `reporter.check_cancelled()` as often as it can.

    cancellation = Cancellation()
    reporter = ConsoleReporter(cancellation)
    with cancellation.on_signals(), cancellation.on_closed_stdin():
        reporter.stage("heal", "Healing")
        for step in range(steps):
            reporter.check_cancelled()
            reporter.progress((step + 1) / steps)
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError


class Reporter(Protocol):
    """Where a run says how far it is, and asks whether it may go on."""

    def stage(self, name: str, label: str) -> None:
        """A new stage begins: `name` for programs, `label` for people."""

    def progress(self, fraction: float) -> None:
        """How much of the whole run is done, 0 to 1. Never goes back: a smaller one is ignored."""

    def expect(self, seconds: float) -> None:
        """All that is not done yet takes about so many seconds."""

    def log(self, level: str, message: str) -> None:
        """A sentence for people; `level` is "info" or "warning"."""

    def result(self, directory: Path) -> None:
        """The run is done, its files are complete in `directory`."""

    def error(self, error: PETAnomalyError) -> None:
        """The run ends without a result."""

    def check_cancelled(self) -> None:
        """Raises:
        Cancelled: when the run has been asked to stop.
        """


class SilentReporter:
    """Says nothing; can be cancelled all the same."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        self._cancellation = cancellation or Cancellation()

    def stage(self, name: str, label: str) -> None:
        """See `Reporter`."""

    def progress(self, fraction: float) -> None:
        """See `Reporter`."""

    def expect(self, seconds: float) -> None:
        """See `Reporter`."""

    def log(self, level: str, message: str) -> None:
        """See `Reporter`."""

    def result(self, directory: Path) -> None:
        """See `Reporter`."""

    def error(self, error: PETAnomalyError) -> None:
        """See `Reporter`."""

    def check_cancelled(self) -> None:
        """See `Reporter`."""
        self._cancellation.check()


class QuietReporter(SilentReporter):
    """A part of a run, which says nothing of its own and stops when the run shall."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__()
        self._reporter = reporter

    def check_cancelled(self) -> None:
        """See `Reporter`."""
        self._reporter.check_cancelled()

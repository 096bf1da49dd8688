"""Where a run is: its stages, how long each took, and what the user was warned of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from PETAnomalyLib.engine.runtime.reporter import Reporter


class Stages:
    """The stages of one run.

    Attributes:
        reporter: told of each stage and warning.
        seconds: wall-clock seconds of each stage that has ended, by its name.
        warnings: everything that was said aloud.
    """

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []
        self._first = 0

    def warn(self, *messages: str) -> None:
        """Say something aloud and keep it for the report."""
        for message in messages:
            self.warnings.append(message)
            self.reporter.log("warning", message)

    def warn_first(self, *messages: str) -> None:
        """Say what all else must be read in the light of: first in the report."""
        for message in messages:
            self.warnings.insert(self._first, message)
            self._first += 1
            self.reporter.log("warning", message)

    @contextmanager
    def stage(self, name: str, label: str, done_after: float) -> Iterator[None]:
        """One stage.

        Args:
            name, label: for programs and for people.
            done_after: share of the whole run that is done when it ends, 0 to 1.

        Raises:
            Cancelled: the run shall stop.
        """
        self.reporter.check_cancelled()
        self.reporter.stage(name, label)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)
        self.reporter.progress(done_after)

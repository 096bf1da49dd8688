"""Where a run is: its stages, how long each took, and what the user was warned of."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

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
        self._from, self._to = [0.0, 1.0], [0.0, 1.0]
        self._told = 0.0

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

    def progress(self, done: float) -> None:
        """Tell how much of the run is done, 0 to 1, as its stages' `done_after` count it."""
        self._told = max(self._told, float(np.interp(done, self._from, self._to)))
        self.reporter.progress(self._told)

    def expect(self, since: float, parts: Sequence[tuple[float, float]]) -> None:
        """Say how long the rest takes, and let what is told of its progress keep pace with it.

        Args:
            since: what is done by now, as `progress` counts it.
            parts: the rest: seconds of each part, and what is done after it, 1 after the last.
        """
        seconds = list(itertools.accumulate((each for each, _ in parts), initial=0.0))
        if seconds[-1] > 0:
            self._from = [since, *(done for _, done in parts)]
            self._to = [self._told + (1 - self._told) * s / seconds[-1] for s in seconds]
            self.reporter.expect(seconds[-1])

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
        self.progress(done_after)

"""A run told to a person: a progress bar on a terminal, plain lines in a log file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TextIO

from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.progress import QUIET_SECONDS, ProgressHistory
from PETAnomalyLib.engine.runtime.standard_streams import leave_standard_streams


class ConsoleReporter:
    """A progress bar and plain words for a person.

    On a terminal one line is redrawn: stage, bar, percent, elapsed and remaining time. Elsewhere (a
    log file, a batch system) one plain line a stage and a tenth of the way.
    """

    def __init__(
        self, cancellation: Cancellation | None = None, stream: TextIO | None = None
    ) -> None:
        self._cancellation = cancellation or Cancellation()
        self._stream = stream or sys.stderr
        self._history = ProgressHistory()
        self._label = ""
        self._drawn = False
        self._told_at = float("-inf")
        self._told_tenths = 0
        self._redraws = self._stream.isatty()

    def stage(self, name: str, label: str) -> None:  # noqa: ARG002 - the protocol's
        """See `Reporter`."""
        self._label = label
        if self._redraws:
            self._draw()
        else:
            self._line(f"{label} ...")

    def progress(self, fraction: float) -> None:
        """See `Reporter`."""
        if not self._history.advance(fraction):
            return
        now = self._history.elapsed_seconds
        complete = self._history.fraction >= 1
        if self._redraws:
            if complete or now - self._told_at >= QUIET_SECONDS:
                self._told_at = now
                self._draw()
            return
        tenths = int(self._history.fraction * 10)
        if tenths > self._told_tenths:
            self._told_tenths = tenths
            self._line(f"  {self._status()}")

    def expect(self, seconds: float) -> None:
        """See `Reporter`."""
        self._history.expect(seconds)

    def log(self, level: str, message: str) -> None:
        """See `Reporter`."""
        self._line(f"Warning: {message}" if level == "warning" else message)

    def result(self, directory: Path) -> None:
        """See `Reporter`."""
        self._line(f"Done in {_clock_time(self._history.elapsed_seconds)}.")
        try:
            print(f"The results are in {directory}", flush=True)
        except BrokenPipeError:
            raise
        except OSError:  # stdout is on a full disk; the results are not
            leave_standard_streams()

    def error(self, error: PETAnomalyError) -> None:
        """See `Reporter`."""
        self._line(f"petanomaly: {error.message}")
        if error.hint:
            self._line(error.hint)

    def check_cancelled(self) -> None:
        """See `Reporter`."""
        self._cancellation.check()

    def _status(self) -> str:
        percent = f"{100 * self._history.fraction:3.0f} %"
        elapsed = f"{_clock_time(self._history.elapsed_seconds)} elapsed"
        remaining = self._history.remaining_seconds
        if remaining is None or self._history.fraction >= 1:
            return f"{percent}, {elapsed}"
        return f"{percent}, {elapsed}, about {_clock_time(remaining)} left"

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        status = self._status()
        cells = max(0, min(30, width - len(self._label) - len(status) - 5))
        filled = round(cells * self._history.fraction)
        line = f"{self._label} [{'#' * filled}{' ' * (cells - filled)}] {status}"
        self._write("\r" + line[:width].ljust(width))
        self._drawn = True

    def _line(self, text: str) -> None:
        self._write("\n" * self._drawn + text + "\n")
        self._drawn = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError:  # a log on a full disk: what is told of a run is not what it is for
            return


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

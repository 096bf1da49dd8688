"""The events of `--events`: a run told to the program that reads along, one JSON object a line."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.progress import QUIET_SECONDS, ProgressHistory


class JsonReporter:
    """One JSON object a line, UTF-8, flushed line by line.

    Progress carries `eta_s`, the seconds that are left, or null while that cannot be said.
    When nobody reads any more the run is cancelled.

    Raises:
        OSError: from every method, where the events go to a disk that is full.
    """

    def __init__(self, stream: TextIO, cancellation: Cancellation | None = None) -> None:
        self._stream = stream
        self._cancellation = cancellation or Cancellation()
        self._history = ProgressHistory()
        self._told_at = float("-inf")
        self._lock = threading.Lock()

    def stage(self, name: str, label: str) -> None:
        """See `Reporter`."""
        self._write({"event": "stage", "name": name, "label": label})

    def progress(self, fraction: float) -> None:
        """See `Reporter`."""
        if not self._history.advance(round(fraction, 4)):
            return
        now = self._history.elapsed_seconds
        if now - self._told_at < QUIET_SECONDS and self._history.fraction < 1:
            return
        self._told_at = now
        remaining = self._history.remaining_seconds
        self._write(
            {
                "event": "progress",
                "fraction": self._history.fraction,
                "eta_s": None if remaining is None else round(remaining, 1),
            }
        )

    def expect(self, seconds: float) -> None:
        """See `Reporter`."""
        self._history.expect(seconds)

    def log(self, level: str, message: str) -> None:
        """See `Reporter`."""
        self._write({"event": "log", "level": level, "message": message})

    def result(self, directory: Path) -> None:
        """See `Reporter`."""
        self._write({"event": "result", "dir": str(directory)})

    def error(self, error: PETAnomalyError) -> None:
        """See `Reporter`."""
        self._write(
            {"event": "error", "kind": error.kind, "message": error.message, "hint": error.hint}
        )

    def check_cancelled(self) -> None:
        """See `Reporter`."""
        self._cancellation.check()

    def _write(self, event: dict[str, Any]) -> None:
        with self._lock:
            try:
                self._stream.write(json.dumps(event, ensure_ascii=False) + "\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                self._cancellation.request("Stopped because nobody reads the events any more.")


@contextlib.contextmanager
def events_on_stdout() -> Iterator[TextIO]:
    """A stream to the real stdout, while everything else that prints there goes to stderr.

    Third-party libraries print to stdout, some from C: descriptor 1 itself is redirected, so that
    nothing but events reaches the reader.
    """
    sys.stdout.flush()
    events = os.dup(1)
    os.dup2(2, 1)
    # A file name that is not valid UTF-8 holds lone surrogates: "backslashreplace" writes them as
    # \udcXX, which inside a JSON string is the same character again.
    stream = open(events, "w", encoding="utf-8", errors="backslashreplace", newline="\n")  # noqa: PTH123, SIM115
    try:
        yield stream
    finally:
        with contextlib.suppress(OSError):  # stderr is full, or nobody reads it
            sys.stdout.flush()
        with contextlib.suppress(OSError):
            stream.flush()
        os.dup2(events, 1)
        with contextlib.suppress(OSError):
            stream.close()

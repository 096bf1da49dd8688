"""What a run tells while it works - stages, progress, log, result, error - and how it is stopped.

A run is handed one `Reporter`. The command line picks which: `JsonReporter` for a program that
reads along (the Slicer panel), `ConsoleReporter` for a person, `SilentReporter` for scripts and
tests. The run asks `reporter.check_cancelled()` as often as it can; what may have asked it to stop
is told in `Cancellation`.

    cancellation = Cancellation()
    reporter = ConsoleReporter(cancellation)
    with cancellation.on_signals(), cancellation.on_closed_stdin():
        reporter.stage("heal", "Healing")
        for step in range(steps):
            reporter.check_cancelled()
            reporter.progress((step + 1) / steps)
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Protocol, TextIO

from PETAnomalyLib.engine.runtime.errors import Cancelled, PETAnomalyError
from PETAnomalyLib.engine.runtime.standard_input import StandardInputLeash

GRACE_SECONDS = 2.0
"""How long a run whose starter has died may take to end politely."""

_QUIET_SECONDS = 0.1
"""Progress is told at most this often: a bar redrawn faster is not read, a pipe filled is."""


class Reporter(Protocol):
    """Where a run says how far it is, and asks whether it may go on."""

    def stage(self, name: str, label: str) -> None:
        """A new stage begins: `name` for programs, `label` for people."""

    def progress(self, fraction: float) -> None:
        """How much of the whole run is done, 0 to 1. Never goes back: a smaller one is ignored."""

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


class Cancellation:
    """Whether a run has been asked to stop, and by what.

    The first SIGINT, SIGTERM or (Windows) SIGBREAK asks politely: the run ends at its next
    `check_cancelled()`. A second one ends the process at once. When the program that started the
    run dies, the pipe on stdin closes: that asks politely too, and ends the process after a grace
    period. Ending at once means: `abandon` is called, which removes temporary output, then
    `os._exit(4)`.

    A run computes for seconds inside one call of a numerical library, and Python runs signal
    handlers only between its own instructions. So a thread reads the signals from the wake-up
    descriptor, and a second Ctrl-C works in the middle of a convolution as well.

    Args:
        abandon: removes temporary output; called on another thread than the run's.
    """

    def __init__(self, abandon: Callable[[], None] = lambda: None) -> None:
        self._requested = threading.Event()
        self._abandon = abandon
        self._reason = "Stopped on request."

    def request(self, reason: str = "Stopped on request.") -> None:
        """Ask the run to stop at its next `check()`."""
        if not self._requested.is_set():
            self._reason = reason
            self._requested.set()

    def check(self) -> None:
        """Raises:
        Cancelled: when somebody has asked the run to stop.
        """
        if self._requested.is_set():
            raise Cancelled(self._reason, "Nothing was written.")

    def end_now(self) -> None:
        """Remove temporary output and end this process without unwinding it."""
        with contextlib.suppress(Exception):
            self._abandon()
        os._exit(Cancelled.exit_code)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """While inside, interrupt and termination signals are requests to this object."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers; a caller elsewhere has its own
            return
        names = ("SIGINT", "SIGTERM", "SIGBREAK")
        watched = [getattr(signal, name) for name in names if hasattr(signal, name)]
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        earlier_wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        # A handler must be there, or the signal would do its default; the thread does the work.
        earlier = {number: signal.signal(number, lambda *_: None) for number in watched}
        watcher = threading.Thread(
            target=self._watch_signals, args=(receiver, set(watched)), name="signals", daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(earlier_wakeup)
            sender.close()  # the watcher reads the end of the stream and returns
            watcher.join()
            receiver.close()

    @contextlib.contextmanager
    def on_closed_stdin(self, grace_seconds: float = GRACE_SECONDS) -> Iterator[None]:
        """While inside, the end of the pipe on stdin means: whoever started this run is gone."""
        leash = StandardInputLeash.attached()
        if leash is None:
            yield
            return
        ended = threading.Event()
        threading.Thread(
            target=self._watch_leash, args=(leash, ended, grace_seconds), name="leash", daemon=True
        ).start()
        try:
            yield
        finally:
            ended.set()

    def _watch_signals(self, receiver: socket.socket, watched: set[int]) -> None:
        received = 0
        while data := receiver.recv(16):
            received += sum(1 for number in data if number in watched)
            if received == 1:
                self.request()
            elif received > 1:
                self.end_now()

    def _watch_leash(
        self, leash: StandardInputLeash, ended: threading.Event, grace_seconds: float
    ) -> None:
        leash.wait_until_cut()
        self.request("Stopped because the program that started this run has ended.")
        if not ended.wait(grace_seconds):
            self.end_now()


class ProgressHistory:
    """The overall fraction, never falling, and from its recent speed the time that is left.

    Only the younger half of the run counts for the speed: stages differ in theirs, and what is
    happening now says more about what comes than the reading of the files did.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._points: deque[tuple[float, float]] = deque([(self._start, 0.0)])

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return self._points[-1][1]

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._start

    def advance(self, fraction: float) -> bool:
        """Note the fraction done, 0 to 1. Returns whether it is larger than any before."""
        fraction = min(fraction, 1.0)
        if not fraction > self.fraction:  # also when it is not a number
            return False
        now = self._clock()
        self._points.append((now, fraction))
        while len(self._points) > 2 and self._points[1][0] <= self._start + self._window_start(now):
            self._points.popleft()
        return True

    def _window_start(self, now: float) -> float:
        return (now - self._start) / 2

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds that are left at the recent speed; None while there is no speed to go by."""
        if self.fraction >= 1:
            return 0.0
        (time_then, fraction_then), (time_now, fraction_now) = self._points[0], self._points[-1]
        if fraction_now <= fraction_then or time_now <= time_then:
            return None
        speed = (fraction_now - fraction_then) / (time_now - time_then)
        since = self._clock() - time_now
        return max(0.0, (1 - fraction_now) / speed - since)


class SilentReporter:
    """Says nothing; can be cancelled all the same."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        self._cancellation = cancellation or Cancellation()

    def stage(self, name: str, label: str) -> None:
        """See `Reporter`."""

    def progress(self, fraction: float) -> None:
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


class JsonReporter:
    """One JSON object a line, UTF-8, flushed line by line.

    Progress carries `eta_s`, the seconds that are left, or null while that cannot be said.
    When nobody reads any more the run is cancelled.
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
        if now - self._told_at < _QUIET_SECONDS and self._history.fraction < 1:
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
        sys.stdout.flush()
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
        os.dup2(events, 1)
        with contextlib.suppress(BrokenPipeError):
            stream.close()


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
            if complete or now - self._told_at >= _QUIET_SECONDS:
                self._told_at = now
                self._draw()
            return
        tenths = int(self._history.fraction * 10)
        if tenths > self._told_tenths:
            self._told_tenths = tenths
            self._line(f"  {self._status()}")

    def log(self, level: str, message: str) -> None:
        """See `Reporter`."""
        self._line(f"Warning: {message}" if level == "warning" else message)

    def result(self, directory: Path) -> None:
        """See `Reporter`."""
        self._line(f"Done in {_clock_time(self._history.elapsed_seconds)}.")
        print(f"The results are in {directory}", flush=True)

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
        self._stream.write("\r" + line[:width].ljust(width))
        self._stream.flush()
        self._drawn = True

    def _line(self, text: str) -> None:
        if self._drawn:
            self._stream.write("\n")
            self._drawn = False
        self._stream.write(text + "\n")
        self._stream.flush()


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

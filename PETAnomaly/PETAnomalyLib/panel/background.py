"""Work that must not block the window: a Python thread that the GUI's event loop feeds and awaits.

Slicer's PythonQt keeps Python's lock while Qt's event loop runs, so a Python thread stands still
until the main thread enters Python again. A timer therefore lends the lock for a few milliseconds
at a time (`join` releases it); NumPy, SciPy and SimpleITK give it back by themselves for as long as
they compute. Measured on two cores: no gap in the GUI above 10 ms beyond the loan itself.

The work must not touch MRML, VTK or Qt: it gets arrays and returns arrays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import qt

TICK_MS = 10
LOAN_S = 0.005


class Abandoned(Exception):
    """The work was told to stop and did."""


class Work:
    """What the worker sees of the outside: whether anyone still waits for the result."""

    def __init__(self) -> None:
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Ask the worker to stop at the next `check`."""
        self._abandoned.set()

    def check(self) -> None:
        """Raise `Abandoned` when nobody waits any more; called between pieces of work."""
        if self._abandoned.is_set():
            raise Abandoned


class Background(Protocol):
    """One piece of work at a time, away from the GUI."""

    @property
    def isBusy(self) -> bool: ...

    def start(
        self,
        work: Callable[[Work], Any],
        onDone: Callable[[Any], None],
        onFailed: Callable[[Exception], None],
    ) -> None: ...

    def stop(self) -> None: ...


class WorkerThread:
    """`Background` on a thread.

    `start` returns at once. When the work ends, exactly one of `onDone(result)` and
    `onFailed(error)` is called on the GUI thread. `stop` abandons the work: neither is called then,
    and the thread ends at its next `check`.

        worker.start(lambda work: readMaps(folder, work), self.onMaps, self.onUnreadable)
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._work = Work()
        self._outcome: dict[str, Any] = {}
        self._onDone: Callable[[Any], None] = lambda _result: None
        self._onFailed: Callable[[Exception], None] = lambda _error: None
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._onTick)

    @property
    def isBusy(self) -> bool:
        return self._thread is not None

    def start(
        self,
        work: Callable[[Work], Any],
        onDone: Callable[[Any], None],
        onFailed: Callable[[Exception], None],
    ) -> None:
        self.stop()
        ticket = Work()
        outcome: dict[str, Any] = {}

        def target() -> None:
            try:
                outcome["result"] = work(ticket)
            except Exception as error:
                outcome["error"] = error

        self._work, self._outcome = ticket, outcome
        self._onDone, self._onFailed = onDone, onFailed
        self._thread = threading.Thread(target=target, name="PETAnomaly", daemon=True)
        self._thread.start()
        self._timer.start()

    def stop(self) -> None:
        """Abandon the work, if any; its callbacks are not called."""
        self._timer.stop()
        self._work.abandon()
        self._thread = None

    def _onTick(self) -> None:
        thread = self._thread
        if thread is None:
            self._timer.stop()
            return
        thread.join(LOAN_S)
        if thread.is_alive():
            return
        self._timer.stop()
        self._thread = None
        outcome = self._outcome
        if "error" in outcome:
            self._onFailed(outcome["error"])
        else:
            self._onDone(outcome["result"])

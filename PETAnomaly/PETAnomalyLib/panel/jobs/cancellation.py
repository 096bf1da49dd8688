"""What Cancel does: the engine is asked to end, and its process tree killed when it does not.

    0 s     its stdin closes, here (`Cancellation.begin`); an engine that listens ends by itself
    0 s     the watchdog between Slicer and the engine sees it too, and sends SIGTERM (POSIX)
    3 s     the watchdog kills the engine and all that it has started (`watchdog.py`: `killTree`)
    4.5 s   watchdog and engine are killed from here (`Cancellation.force`)

The same happens when the scene closes, the module is reloaded or Slicer quits, which then waits for
it. When Slicer crashes, the pipe closes by itself and the watchdog does the rest.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, Protocol

import qt

from PETAnomalyLib.panel.jobs.watchdog import taskkill

FORCE_MS = 4500  # when the watchdog, who needs 3 s at most, has not ended the run by itself


class Cancellation:
    """Ends one process, a watchdog with an engine below it.

    Args:
        process: the QProcess.

    Attributes:
        group: the process group (POSIX) or process (Windows) to kill; None until the watchdog has
            said it.
        isAsked: the process was asked to end.
    """

    def __init__(self, process: Any) -> None:
        self.group: int | None = None
        self.isAsked = False
        self._process = process
        self._isOver = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(FORCE_MS)
        self._timer.timeout.connect(self.force)

    def begin(self) -> None:
        """Ask the process to end, and see to it that it does. Returns at once."""
        if self.isAsked or self._isOver:
            return
        self.isAsked = True
        self._process.closeWriteChannel()
        self._timer.start()

    def over(self) -> None:
        """The process has ended."""
        self._isOver = True
        self._timer.stop()

    def waitUntilGone(self, milliseconds: int) -> None:
        """For the end of Slicer only: block until the process has ended."""
        if not self._process.waitForFinished(milliseconds):
            self.force()
            self._process.waitForFinished(500)

    def force(self) -> None:
        """Kill the group of watchdog and engine."""
        if self._isOver:
            return
        if self.group is not None and sys.platform == "win32":
            qt.QProcess.startDetached(taskkill(), ["/PID", str(self.group), "/T", "/F"])
        elif self.group is not None:
            killGroup(self.group)
        self._process.kill()

    def release(self) -> None:
        """Let Qt delete the timer, whose connection holds this object."""
        self._timer.deleteLater()


def killGroup(group: int) -> None:
    """Kill every process of a group that has a leader of its own (POSIX)."""
    try:
        if os.getpgid(group) == group:
            os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


class Ending(Protocol):
    """What is under way and ends before Slicer does; `EngineProcess` is the one there is."""

    def end(self) -> None: ...

    def waitUntilGone(self, milliseconds: int) -> None: ...


_underWay: set[Ending] = set()
_connected: list[Any] = []  # the application, once its aboutToQuit ends what is under way


def endWithSlicer(process: Ending) -> None:
    """From now on this one is kept alive, and ended when the application is about to quit.

    Kept alive: a QProcess that is destroyed early kills the watchdog and with it the polite end.
    """
    _underWay.add(process)
    if not _connected:
        application = qt.QCoreApplication.instance()
        application.connect("aboutToQuit()", endAll)
        _connected.append(application)


def hasEnded(process: Ending) -> None:
    """Slicer need not end this one any more."""
    _underWay.discard(process)


def endAll() -> None:
    """End all that is under way and wait until it has ended, five seconds at most."""
    processes = list(_underWay)
    for process in processes:
        process.end()
    for process in processes:
        process.waitUntilGone(FORCE_MS)

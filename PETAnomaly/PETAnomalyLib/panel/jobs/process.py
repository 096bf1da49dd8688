"""The process of one run: the watchdog with the engine below it, and all that they say.

QProcess, because its pipes are read by Qt's own event loop on every platform. A Python thread that
read them would stand still in Slicer: PythonQt keeps Python's lock while the event loop runs.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.interpreter import MODULE_FOLDER, Interpreter
from PETAnomalyLib.panel.jobs import cancellation
from PETAnomalyLib.panel.jobs.events import LineSplitter, groupOf, parseEvent
from PETAnomalyLib.panel.jobs.run_outcome import RunOutcome, outcomeOf, resultPath

WATCHDOG = Path(__file__).with_name("watchdog.py")
SLICE_S = 0.02  # of the GUI thread at a time, however much the engine says
LOG_LINES = 5000


class EngineProcess:
    """From its start until all that it said is told.

    It keeps itself alive until its process has ended (`cancellation.endWithSlicer`).

    Args:
        interpreter: runs watchdog and engine.
        arguments: what follows `petanomaly`.
        onEvent: (this object, event); what is no event comes as one of kind `log`.
        onEnded: (this object, outcome), once and last.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        arguments: list[str],
        onEvent: Callable[[EngineProcess, dict[str, Any]], None],
        onEnded: Callable[[EngineProcess, RunOutcome], None],
    ) -> None:
        self._interpreter = interpreter
        self._arguments = arguments
        self._onEvent = onEvent
        self._onEnded = onEnded
        self._begin = time.monotonic()
        self._output = LineSplitter()
        self._errors = LineSplitter()
        self._waiting: deque[tuple[str, bool]] = deque()  # line; whether it may be an event
        self._isFirst = True
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._error: dict[str, Any] = {}
        self._hasEnded = False
        self._process = qt.QProcess()
        self._cancellation = cancellation.Cancellation(self._process)
        self._drainTimer = qt.QTimer()
        self._drainTimer.setSingleShot(True)
        self._drainTimer.setInterval(0)
        self._drainTimer.timeout.connect(self._drain)

    def start(self) -> None:
        process = self._process
        environment = qt.QProcessEnvironment()
        for name, value in self._interpreter.environment.items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.setWorkingDirectory(str(MODULE_FOLDER))
        process.connect("readyReadStandardOutput()", self._onOutput)
        process.connect("readyReadStandardError()", self._onOutput)
        process.connect("finished(int,QProcess::ExitStatus)", self._onProcessFinished)
        process.connect("errorOccurred(QProcess::ProcessError)", self._onProcessError)
        cancellation.endWithSlicer(self)
        engine = self._interpreter.running("PETAnomalyLib.engine", *self._arguments)
        guard = [*self._interpreter.flags, str(WATCHDOG), "guard", str(os.getpid())]
        process.start(self._interpreter.path, guard + engine)

    def end(self) -> None:
        """Ask the run to end, and see to it that it does. Returns at once."""
        self._cancellation.begin()

    def waitUntilGone(self, milliseconds: int) -> None:
        """For the end of Slicer only: block until the process has ended."""
        self._cancellation.waitUntilGone(milliseconds)

    def _onOutput(self, *_unused: Any) -> None:
        self._hear()
        self._drain()

    def _onProcessFinished(self, *_unused: Any) -> None:
        self._hear()
        self._waiting.extend((line, True) for line in self._output.finish())
        self._waiting.extend((line, False) for line in self._errors.finish())
        self._conclude()

    def _hear(self) -> None:
        """Read what was said. Events stand on stdout alone; on stderr any library may write."""
        output = self._process.readAllStandardOutput().data()
        errors = self._process.readAllStandardError().data()
        self._waiting.extend((line, True) for line in self._output.feed(output))
        self._waiting.extend((line, False) for line in self._errors.feed(errors))

    def _onProcessError(self, *_unused: Any) -> None:
        if self._process.error() == qt.QProcess.FailedToStart:
            self._error = {
                "kind": "environment",
                "message": _("{python} could not be started: {reason}.").format(
                    python=self._interpreter.path, reason=self._process.errorString()
                ),
                "hint": _("Choose another Python under Advanced."),
            }
            self._conclude()

    def _conclude(self) -> None:
        self._hasEnded = True
        self._cancellation.over()
        cancellation.hasEnded(self)
        self._drain()

    def _drain(self) -> None:
        """Tell what has been read, for a moment at a time; when the process has ended and all is
        told, tell that.
        """
        until = time.monotonic() + SLICE_S
        while self._waiting:
            if time.monotonic() > until:
                self._drainTimer.start()
                return
            self._tell(*self._waiting.popleft())
        if self._hasEnded:
            outcome = self._outcome()
            self._release()
            self._onEnded(self, outcome)

    def _tell(self, line: str, mayBeEvent: bool) -> None:
        if mayBeEvent and self._isFirst:  # the watchdog's, before there is an engine to say it
            self._isFirst = False
            self._cancellation.group = groupOf(line)
            if self._cancellation.group is not None:
                return
        event = parseEvent(line) if mayBeEvent else None
        if event is None:
            self._log.append(line)
            event = {"event": "log", "level": "info", "message": line}
        elif event["event"] == "error":
            self._error = event
        elif event["event"] == "log":
            self._log.append(f"{event['level']}: {event['message']}")
        self._onEvent(self, event)

    def _outcome(self) -> RunOutcome:
        crashed = self._process.exitStatus() == qt.QProcess.CrashExit
        started = self._process.error() != qt.QProcess.FailedToStart
        return outcomeOf(
            self._process.exitCode() if started and not crashed else None,
            resultPath(self._arguments),
            self._error,
            list(self._log),
            self._cancellation.isAsked,
            time.monotonic() - self._begin,
        )

    def _release(self) -> None:
        """Let Qt delete its objects: PythonQt's connections hold this one, which holds them."""
        self._cancellation.release()
        for item in (self._process, self._drainTimer):
            item.deleteLater()

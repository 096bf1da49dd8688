"""One run of the engine's command line in the background: start, listen, cancel.

QProcess, because its pipes are read by Qt's own event loop on every platform. A Python thread that
read them would stand still in Slicer: PythonQt keeps Python's lock while the event loop runs.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import signal
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, ClassVar, Protocol

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.interpreter import Interpreter

WATCHDOG = Path(__file__).with_name("watchdog.py")
FORCE_MS = 4500  # when the watchdog, who needs 3 s at most, has not ended the run by itself
SLICE_S = 0.02  # of the GUI thread at a time, however much the engine says
LOG_LINES = 5000
CANCELLED_EXIT = 4


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        ok: exit code 0, and what was announced with --out is there.
        cancelled: it was stopped, by `cancel` or from outside.
        exitCode: None when it never started or was killed.
        resultDirectory: what --out named, when ok.
        errorKind, errorMessage, errorHint: for the radiologist, when neither ok nor cancelled.
        logText: everything it said that was no event, for the diagnostics.
        seconds: from start to end.
    """

    ok: bool = False
    cancelled: bool = False
    exitCode: int | None = None
    resultDirectory: Path | None = None
    errorKind: str = ""
    errorMessage: str = ""
    errorHint: str = ""
    logText: str = ""
    seconds: float = 0.0


class BackgroundRun(Protocol):
    """One run of the engine at a time, told of by callbacks on the GUI thread."""

    onStage: Callable[[str, str], None]
    onProgress: Callable[[float, float | None], None]
    onLog: Callable[[str, str], None]
    onFinished: Callable[[RunOutcome], None]

    @property
    def isRunning(self) -> bool: ...

    def start(self, arguments: list[str]) -> None: ...

    def cancel(self) -> None: ...

    def stopNow(self) -> None: ...


class EngineRun:
    """`BackgroundRun` as a process of its own.

    `start` returns at once. While the engine works, its events arrive as `onStage(name, label)`,
    `onProgress(fraction, remainingSeconds)` and `onLog(level, message)`; what is no event is log.
    At the end, when all output has been read, `onFinished(outcome)` is called, once and last.

    `cancel` asks politely (the engine's stdin closes) and returns at once; the watchdog between
    Slicer and the engine kills what has not ended after three seconds, and this object kills both
    after four and a half. `stopNow` does the same and drops the callbacks: nothing of that run is
    heard of again. When Slicer quits, it waits for runs that are still ending; when Slicer crashes,
    the pipe closes by itself and the watchdog does the rest.

    A missing or broken interpreter is an outcome like any other, not an exception.

        run = EngineRun(findInterpreter())
        run.onProgress = lambda fraction, remaining: bar.setValue(round(100 * fraction))
        run.onFinished = self.onRunFinished
        run.start(["detect", "--pet", pet, "--out", folder, "--events"])
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self.onStage: Callable[[str, str], None] = lambda _name, _label: None
        self.onProgress: Callable[[float, float | None], None] = lambda _done, _rest: None
        self.onLog: Callable[[str, str], None] = lambda _level, _message: None
        self.onFinished: Callable[[RunOutcome], None] = lambda _outcome: None
        self._interpreter = interpreter
        self._child: Child | None = None

    @property
    def isRunning(self) -> bool:
        return self._child is not None

    def start(self, arguments: list[str]) -> None:
        """Begin a run; one that is under way is stopped first.

        Args:
            arguments: what follows `-m PETAnomalyLib.engine`.
        """
        self.stopNow()
        self._child = Child(self, self._interpreter, arguments)
        self._child.start()

    def cancel(self) -> None:
        if self._child is not None:
            self._child.end()

    def stopNow(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def tell(self, child: Child, event: dict[str, Any]) -> None:
        """One event of a child. An old run's are dropped: the child itself is the token."""
        if child is not self._child:
            return
        kind = event["event"]
        if kind == "stage":
            self.onStage(str(event["name"]), str(event["label"]))
        elif kind == "progress":
            self.onProgress(float(event["fraction"]), event.get("eta_s"))
        elif kind == "log":
            self.onLog(str(event["level"]), str(event["message"]))

    def finish(self, child: Child, outcome: RunOutcome) -> None:
        """The end of a child, reported unless it is an old run's."""
        if child is not self._child:
            return
        self._child = None
        self.onFinished(outcome)


class Child:
    """The process of one run, from its start until all that it said is told.

    It keeps itself alive, in `living`, until its process has ended: a QProcess that is destroyed
    earlier kills the watchdog and with it the polite end.
    """

    living: ClassVar[set[Child]] = set()

    def __init__(self, owner: EngineRun, interpreter: Interpreter, arguments: list[str]) -> None:
        self._owner = owner
        self._interpreter = interpreter
        self._arguments = arguments
        self._result = resultPath(arguments)
        self._begin = time.monotonic()
        self._lines = LineSplitter()
        self._waiting: deque[str] = deque()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._error: dict[str, Any] = {}
        self._group: int | None = None
        self._asked = False
        self._ended = False
        self._process = qt.QProcess()
        self._forceTimer = qt.QTimer()
        self._forceTimer.setSingleShot(True)
        self._forceTimer.setInterval(FORCE_MS)
        self._forceTimer.timeout.connect(self._force)
        self._drainTimer = qt.QTimer()
        self._drainTimer.setSingleShot(True)
        self._drainTimer.setInterval(0)
        self._drainTimer.timeout.connect(self._drain)

    def start(self) -> None:
        process = self._process
        process.setProcessChannelMode(qt.QProcess.MergedChannels)
        environment = qt.QProcessEnvironment()
        for name, value in self._interpreter.environment.items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.connect("readyReadStandardOutput()", self._onOutput)
        process.connect("finished(int,QProcess::ExitStatus)", self._onProcessFinished)
        process.connect("errorOccurred(QProcess::ProcessError)", self._onProcessError)
        Child.living.add(self)
        endAllWhenSlicerQuits()
        command = [str(WATCHDOG), "guard", str(os.getpid())]
        command += ["-u", "-m", "PETAnomalyLib.engine", *self._arguments]
        process.start(self._interpreter.path, ["-u", *command])

    def end(self) -> None:
        """Ask the run to end, and see to it that it does. Returns at once."""
        if self._asked or self._ended:
            return
        self._asked = True
        self._process.closeWriteChannel()
        self._forceTimer.start()

    def waitUntilGone(self, milliseconds: int) -> None:
        """For the end of Slicer only: block until the process has ended."""
        if not self._process.waitForFinished(milliseconds):
            self._force()
            self._process.waitForFinished(500)

    def _force(self) -> None:
        """Kill the group of watchdog and engine."""
        if self._ended:
            return
        if self._group is not None and sys.platform == "win32":
            qt.QProcess.startDetached("taskkill", ["/PID", str(self._group), "/T", "/F"])
        elif self._group is not None:
            killGroup(self._group)
        self._process.kill()

    def _onOutput(self, *_unused: Any) -> None:
        data = self._process.readAllStandardOutput().data()
        self._waiting.extend(self._lines.feed(data))
        self._drain()

    def _onProcessFinished(self, *_unused: Any) -> None:
        self._waiting.extend(self._lines.feed(self._process.readAllStandardOutput().data()))
        self._waiting.extend(self._lines.finish())
        self._conclude()

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
        self._ended = True
        self._forceTimer.stop()
        Child.living.discard(self)
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
            self._tell(self._waiting.popleft())
        if self._ended:
            outcome = self._outcome()
            self._release()
            self._owner.finish(self, outcome)

    def _release(self) -> None:
        """Let Qt delete its objects: PythonQt's connections hold this one, which holds them."""
        for item in (self._process, self._forceTimer, self._drainTimer):
            item.deleteLater()

    def _tell(self, line: str) -> None:
        event = parseEvent(line)
        if event is None:
            self._log.append(line)
            event = {"event": "log", "level": "info", "message": line}
        elif event["event"] == "process":
            self._group = int(event["group"])
        elif event["event"] == "error":
            self._error = event
        elif event["event"] == "log":
            self._log.append(f"{event['level']}: {event['message']}")
        self._owner.tell(self, event)

    def _outcome(self) -> RunOutcome:
        crashed = self._process.exitStatus() == qt.QProcess.CrashExit
        started = self._process.error() != qt.QProcess.FailedToStart
        exitCode = self._process.exitCode() if started and not crashed else None
        seconds, log = time.monotonic() - self._begin, "\n".join(self._log)
        if self._asked or exitCode == CANCELLED_EXIT:
            return RunOutcome(cancelled=True, exitCode=exitCode, logText=log, seconds=seconds)
        there = self._result is None or self._result.exists()
        if exitCode == 0 and there:
            return RunOutcome(
                ok=True, exitCode=0, resultDirectory=self._result, logText=log, seconds=seconds
            )
        error = self._error or explain(exitCode, list(self._log), self._result)
        return RunOutcome(
            exitCode=exitCode,
            errorKind=str(error.get("kind", "")),
            errorMessage=str(error.get("message", "")),
            errorHint=str(error.get("hint", "")),
            logText=log,
            seconds=seconds,
        )


class LineSplitter:
    r"""Bytes in, lines out, at any boundary: UTF-8 with replacement, ended by \n, \r or both."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without empty ones."""
        text = self._rest + self._decoder.decode(data)
        *lines, self._rest = re.split(r"[\r\n]", text)
        return [line for line in lines if line.strip()]

    def finish(self) -> list[str]:
        """The last line, when nothing ended it."""
        last = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        return [last] if last.strip() else []


REQUIRED_KEYS = {
    "process": ("group",),
    "stage": ("name", "label"),
    "progress": ("fraction",),
    "log": ("level", "message"),
    "result": ("dir",),
    "error": ("kind", "message"),
}


def parseEvent(line: str) -> dict[str, Any] | None:
    """The event of a line, None for a line that is none (or one we do not know)."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    keys = REQUIRED_KEYS.get(str(event.get("event")))
    if keys is None or not all(key in event for key in keys):
        return None
    if event["event"] == "progress" and not isinstance(event["fraction"], (int, float)):
        return None
    return event


def resultPath(arguments: list[str]) -> Path | None:
    """What the run is to leave behind: the word after --out."""
    for index, word in enumerate(arguments[:-1]):
        if word == "--out":
            return Path(arguments[index + 1])
    return None


def explain(exitCode: int | None, log: list[str], result: Path | None) -> dict[str, str]:
    """An error for the radiologist where the engine has not said one itself."""
    missing = [re.search(r"No module named '([\w.]+)'", line) for line in log]
    packages = [found.group(1) for found in missing if found]
    if packages:
        return {
            "kind": "environment",
            "message": _("The Python package {package} is missing.").format(package=packages[-1]),
            "hint": _("Install it with the button Install, or choose another Python."),
        }
    hint = _("Copy the diagnostics and report them; a second try may work.")
    if exitCode == 0:
        message = _("The engine ended without leaving {folder}.").format(folder=result)
    elif exitCode is None:
        message = _("The engine was killed or crashed, perhaps for want of memory.")
    else:
        message = _("The engine ended unexpectedly (exit code {code}).").format(code=exitCode)
        if log:
            message += f" {log[-1].strip()}"
    return {"kind": "engine", "message": message, "hint": hint}


def killGroup(group: int) -> None:
    """Kill every process of a group that has a leader of its own (POSIX)."""
    try:
        if os.getpgid(group) == group:
            os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


_connected: list[Any] = []  # the application, once its aboutToQuit ends the runs


def endAllWhenSlicerQuits() -> None:
    """Once: when the application is about to quit, end every run and wait for it."""
    if not _connected:
        application = qt.QCoreApplication.instance()
        application.connect("aboutToQuit()", endAll)
        _connected.append(application)


def endAll() -> None:
    """End every run that is left and wait until it has ended, five seconds at most."""
    children = list(Child.living)
    for child in children:
        child.end()
    for child in children:
        child.waitUntilGone(FORCE_MS)

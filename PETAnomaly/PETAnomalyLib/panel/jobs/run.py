"""One run of the engine's command line in the background: start, listen, cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.jobs.process import EngineProcess
from PETAnomalyLib.panel.jobs.run_outcome import RunOutcome


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

    `cancel` ends the process tree as `cancellation.py` says, and returns at once. `stopNow` does
    the same and drops the callbacks: nothing of that run is heard of again.

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
        self._process: EngineProcess | None = None

    @property
    def isRunning(self) -> bool:
        return self._process is not None

    def start(self, arguments: list[str]) -> None:
        """Begin a run; one that is under way is stopped first.

        Args:
            arguments: what follows `petanomaly`.
        """
        self.stopNow()
        self._process = EngineProcess(
            self._interpreter, arguments, onEvent=self._tell, onEnded=self._finish
        )
        self._process.start()

    def cancel(self) -> None:
        if self._process is not None:
            self._process.end()

    def stopNow(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _tell(self, process: EngineProcess, event: dict[str, Any]) -> None:
        """One event. An old run's are dropped: the process itself is the token."""
        if process is not self._process:
            return
        kind = event["event"]
        if kind == "stage":
            self.onStage(event["name"], event["label"])
        elif kind == "progress":
            self.onProgress(event["fraction"], event["eta_s"])
        elif kind == "log":
            self.onLog(event["level"], event["message"])

    def _finish(self, process: EngineProcess, outcome: RunOutcome) -> None:
        """The end, reported unless it is an old run's."""
        if process is not self._process:
            return
        self._process = None
        self.onFinished(outcome)

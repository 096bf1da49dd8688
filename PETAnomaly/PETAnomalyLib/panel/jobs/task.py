"""One errand for the engine: study out, engine's process, results in, without blocking the window.

An errand has four parts. `prepare` writes files for the engine and returns its arguments, `collect`
reads what it left; both run on a worker thread. `place` puts the result into the scene, on the GUI
thread, a step at a time. In between runs the engine's process. `Job` names the parts; detection,
SUV conversion and the sample study are jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.panel.background import Background, Work, WorkerThread
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.jobs.run import BackgroundRun, EngineRun
from PETAnomalyLib.panel.jobs.run_folder import RunFolder, TemporaryFolder
from PETAnomalyLib.panel.jobs.run_outcome import RunOutcome

STEP_MS = 1  # between two steps of placing: the event loop runs


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        prepare: worker thread; (folder, work) -> the engine's arguments.
        collect: worker thread; (folder, work) -> whatever `place` needs.
        place: GUI thread; yields, before each step, what comes next in words.
        preparing, collecting: what the panel says meanwhile.
    """

    prepare: Callable[[Path, Work], list[str]]
    collect: Callable[[Path, Work], Any]
    place: Callable[[Any], Iterator[str]]
    preparing: str
    collecting: str


@dataclass(frozen=True)
class TaskOutcome:
    """How it ended: `ok`, `cancelled`, or a message and a hint that name the cause."""

    ok: bool = False
    cancelled: bool = False
    message: str = ""
    hint: str = ""
    seconds: float = 0.0


class EngineTask:
    """Runs one job at a time.

    `onStage(text)`, `onProgress(fraction, secondsLeft)` and `onLog(level, message)` tell how it
    goes, `onEnded(outcome)` once how it ended; all on the GUI thread. `cancel` ends it politely and
    reports; `stop` ends it at once and reports nothing (scene closing, reload, quitting).

        task.start(interpreter, detectionJob(...))
    """

    def __init__(
        self,
        makeRun: Callable[[Interpreter], BackgroundRun] = EngineRun,
        makeFolder: Callable[[str], TemporaryFolder] = RunFolder,
        worker: Background | None = None,
    ) -> None:
        self.onStage: Callable[[str], None] = lambda _text: None
        self.onProgress: Callable[[float, float | None], None] = lambda _done, _rest: None
        self.onLog: Callable[[str, str], None] = lambda _level, _message: None
        self.onEnded: Callable[[TaskOutcome], None] = lambda _outcome: None
        self._makeRun = makeRun
        self._makeFolder = makeFolder
        self._worker = worker if worker is not None else WorkerThread()
        self._job: Any = None
        self._run: Any = None
        self._folder: Any = None
        self._steps: Any = None  # of placing, while results are being placed
        self._started = 0.0
        self._cancelled = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(STEP_MS)
        self._timer.timeout.connect(self._onStep)

    @property
    def isRunning(self) -> bool:
        return self._job is not None

    @property
    def isPlacing(self) -> bool:
        """Results come into the scene, step by step."""
        return self._steps is not None

    @property
    def folder(self) -> str:
        """Of the errand that is under way; empty when there is none."""
        return str(self._folder.path) if self._folder is not None else ""

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def start(self, interpreter: Interpreter, job: Job) -> None:
        """Begin; an errand that is under way is stopped first.

        Args:
            interpreter: runs the engine.
            job: what to do.
        """
        self.stop()
        self._job = job
        self._started = time.monotonic()
        self._cancelled = False
        try:
            self._folder = self._makeFolder(slicer.app.temporaryPath)
        except (PETAnomalyError, OSError) as error:
            self._fail(error)
            return
        folder = Path(self._folder.path)
        self._run = self._makeRun(interpreter)
        self._run.onStage = self._onRunStage
        self._run.onProgress = self.onProgress
        self._run.onLog = self.onLog
        self._run.onFinished = self._onRunFinished
        self.onStage(job.preparing)
        self._worker.start(
            lambda work: job.prepare(folder, work), self._onPrepared, self._onWorkFailed
        )

    def cancel(self) -> None:
        """End it; `onEnded` reports it as cancelled.

        Too late once results are being placed, which takes a fraction of a second: half of them
        would stay in the scene.
        """
        if not self.isRunning or self._cancelled or self._steps is not None:
            return
        self._cancelled = True
        self.onStage(_("Cancelling"))
        self._worker.stop()
        if self._run is not None and self._run.isRunning:
            self._run.cancel()
        else:
            self._end(TaskOutcome(cancelled=True, seconds=self.seconds))

    def stop(self) -> None:
        """End it now, silently, and leave nothing behind."""
        self._timer.stop()
        self._worker.stop()
        if self._run is not None:
            self._run.stopNow()
        self._clear()

    def _onPrepared(self, arguments: list[str]) -> None:
        self._run.start(arguments)

    def _onRunStage(self, _name: str, label: str) -> None:
        self.onStage(label)

    def _onRunFinished(self, outcome: RunOutcome) -> None:
        if not self.isRunning:
            return
        if outcome.cancelled or self._cancelled:
            self._end(TaskOutcome(cancelled=True, seconds=self.seconds))
            return
        if not outcome.ok:
            self._end(
                TaskOutcome(
                    message=outcome.errorMessage, hint=outcome.errorHint, seconds=self.seconds
                )
            )
            return
        self.onStage(self._job.collecting)
        job, folder = self._job, Path(self._folder.path)
        self._worker.start(
            lambda work: job.collect(folder, work), self._onCollected, self._onWorkFailed
        )

    def _onCollected(self, result: Any) -> None:
        self._steps = self._job.place(result)
        self._timer.start()

    def _onStep(self) -> None:
        try:
            self.onStage(f"{self._job.collecting}: {next(self._steps)}")
        except StopIteration:
            self._end(TaskOutcome(ok=True, seconds=self.seconds))
            return
        except Exception as error:
            self._fail(error)
            return
        self._timer.start()

    def _onWorkFailed(self, error: Exception) -> None:
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        message = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
        hint = getattr(error, "hint", "")
        self._end(TaskOutcome(message=message, hint=hint, seconds=self.seconds))

    def _end(self, outcome: TaskOutcome) -> None:
        self._clear()
        self.onEnded(outcome)

    def _clear(self) -> None:
        if self._folder is not None:
            self._folder.close()
        self._folder = None
        self._run = None
        self._job = None
        self._steps = None

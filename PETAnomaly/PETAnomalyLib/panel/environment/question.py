"""A question to a Python in a child process: asked without blocking the window, answered once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from PETAnomalyLib.panel.environment.interpreter import MODULE_FOLDER, Interpreter


class Question:
    """One question at a time. Of `onAnswer(output, errors)`, `onNotStarted(reason)` and
    `onSilence()` one is called, on the GUI thread, when it has ended, never was started, or took
    too long.

    A second `ask`, or `cancel`, drops the first question and its answer.

    Args:
        seconds: to wait for the answer.
    """

    def __init__(self, seconds: int) -> None:
        self.onAnswer: Callable[[str, str], None] = lambda _output, _errors: None
        self.onNotStarted: Callable[[str], None] = lambda _reason: None
        self.onSilence: Callable[[], None] = lambda: None
        self._process: Any = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(1000 * seconds)
        self._timer.timeout.connect(self._onTimeout)

    @property
    def isUnderWay(self) -> bool:
        return self._process is not None

    def ask(self, interpreter: Interpreter, words: Sequence[str]) -> None:
        """Start the interpreter.

        Args:
            interpreter: with its environment.
            words: a script or module and its arguments, as for `Interpreter.running`.
        """
        self.cancel()
        process = qt.QProcess()
        variables = qt.QProcessEnvironment()
        for name, value in interpreter.environment.items():
            variables.insert(name, value)
        process.setProcessEnvironment(variables)
        process.connect(
            "finished(int,QProcess::ExitStatus)", lambda *_unused: self._onFinished(process)
        )
        process.connect(
            "errorOccurred(QProcess::ProcessError)", lambda *_unused: self._onError(process)
        )
        self._process = process
        self._timer.start()
        process.setWorkingDirectory(str(MODULE_FOLDER))
        process.start(interpreter.path, interpreter.running(*words))

    def cancel(self) -> None:
        """Drop the question; nothing is called."""
        process, self._process = self._process, None
        self._timer.stop()
        if process is not None:
            process.kill()
            _ending.append(process)  # until it has ended: Qt would block in its destructor

    def _onFinished(self, process: Any) -> None:
        process.deleteLater()  # its connections hold it: it would never go by itself
        if process in _ending:
            _ending.remove(process)
        if process is not self._process:
            return
        output = process.readAllStandardOutput().data().decode("utf-8", errors="replace")
        errors = process.readAllStandardError().data().decode("utf-8", errors="replace")
        self._process = None
        self._timer.stop()
        self.onAnswer(output, errors)

    def _onError(self, process: Any) -> None:
        if process.error() != qt.QProcess.FailedToStart:
            return  # it ends, and `_onFinished` follows
        process.deleteLater()
        if process is self._process:
            self._process = None
            self._timer.stop()
            self.onNotStarted(process.errorString())

    def _onTimeout(self) -> None:
        self.cancel()
        self.onSilence()


_ending: list[Any] = []

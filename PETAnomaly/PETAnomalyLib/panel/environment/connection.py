"""Test connection: what another computer has, asked by `petanomaly remote check`.

Asked in a child process, without blocking the window; the system's ssh is below it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.interpreter import MODULE_FOLDER, Interpreter

TEST_SECONDS = 180  # ssh, Python and torch from a cold network disk


class ConnectionTest:
    """One question at a time; `onDone(text)` follows on the GUI thread, whatever happens.

    A second `start`, or `cancel`, drops the first question and its answer.
    """

    def __init__(self) -> None:
        self._process: Any = None
        self._onDone: Callable[[str], None] = lambda _text: None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(1000 * TEST_SECONDS)
        self._timer.timeout.connect(self._onTimeout)

    @property
    def isRunning(self) -> bool:
        return self._process is not None

    def start(
        self, interpreter: Interpreter, words: Sequence[str], onDone: Callable[[str], None]
    ) -> None:
        """Ask.

        Args:
            interpreter: runs the question here; needs no torch.
            words: `--host` and its options, as for `detect`.
            onDone: gets the answer in words.
        """
        self.cancel()
        self._onDone = onDone
        process = qt.QProcess()
        variables = qt.QProcessEnvironment()
        for name, value in interpreter.environment.items():
            variables.insert(name, value)
        process.setProcessEnvironment(variables)
        process.setWorkingDirectory(str(MODULE_FOLDER))
        process.connect(
            "finished(int,QProcess::ExitStatus)", lambda *_unused: self._onFinished(process)
        )
        process.connect(
            "errorOccurred(QProcess::ProcessError)", lambda *_unused: self._onError(process)
        )
        self._process = process
        self._timer.start()
        question = ["remote", "check", words[1], *words[2:], "--json"]
        process.start(interpreter.path, interpreter.running("PETAnomalyLib.engine", *question))

    def cancel(self) -> None:
        """Drop the question; `onDone` is not called."""
        process, self._process = self._process, None
        self._timer.stop()
        if process is not None:
            process.kill()  # ssh reads the end of its stdin, and ends too
            _ending.append(process)

    def _onFinished(self, process: Any) -> None:
        process.deleteLater()
        if process in _ending:
            _ending.remove(process)
        if process is not self._process:
            return
        output = process.readAllStandardOutput().data().decode("utf-8", errors="replace")
        errors = process.readAllStandardError().data().decode("utf-8", errors="replace")
        self._process = None
        self._timer.stop()
        self._onDone(describe(output) or complaint(errors))

    def _onError(self, process: Any) -> None:
        if process.error() == qt.QProcess.FailedToStart and process is self._process:
            process.deleteLater()
            self._process = None
            self._timer.stop()
            self._onDone(_("The engine's Python could not be started."))

    def _onTimeout(self) -> None:
        self.cancel()
        self._onDone(_("No answer for {seconds} seconds.").format(seconds=TEST_SECONDS))


_ending: list[Any] = []


def describe(output: str) -> str:
    """What is there, in lines; empty where `remote check --json` has not said it."""
    try:
        found = json.loads(output)
        cards = [
            card["name"]
            if card["free_bytes"] is None
            else _("{name} ({free:.0f} GB free)").format(
                name=card["name"], free=card["free_bytes"] / 1e9
            )
            for card in found["cards"]
        ]
        models = [model["name"] for model in found["models"]]
        memory = (found["free_memory_bytes"] or 0) / 1e9
        return "\n".join(
            (
                _("petanomaly {version}, PyTorch {torch}").format(
                    version=found["version"], torch=found["packages"].get("torch", _("missing"))
                ),
                _("Models: {names}").format(names=", ".join(models) or _("none")),
                _("Graphics cards: {names}").format(
                    names=", ".join(cards) or found["problem"] or _("none")
                ),
                _("Free: {memory:.0f} GB of memory, {disk:.0f} GB of disk").format(
                    memory=memory, disk=found["free_disk_bytes"] / 1e9
                ),
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def complaint(errors: str) -> str:
    """The engine's last sentence and its hint, without what ssh said before."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    starts = [n for n, line in enumerate(lines) if line.startswith("petanomaly: ")]
    if not starts:
        return lines[-1] if lines else _("No answer.")
    return "\n".join(lines[starts[-1] :]).removeprefix("petanomaly: ")

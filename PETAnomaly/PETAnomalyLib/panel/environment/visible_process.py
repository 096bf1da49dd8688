"""A process whose words are shown while the event loop runs, and which can be cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.interpreter import MODULE_FOLDER, Interpreter

TICK_MS = 200
CAUSES = re.compile(r"error|no space|not found|refused|timed out|no matching|denied", re.IGNORECASE)


class InstallationError(Exception):
    """What went wrong, in words for the radiologist."""


class InstallationCancelled(Exception):
    """The radiologist does not want it any more."""


def runVisibly(interpreter: Interpreter, words: Sequence[str], say: Callable[[str], None]) -> None:
    """Run a Python to its end; blocks, and keeps the window alive.

    Args:
        interpreter: that runs.
        words: its arguments.
        say: gets each line, and an empty one every `TICK_MS`; may raise `InstallationCancelled`.

    Raises:
        InstallationError: it could not be started or failed; with the cause that it named.
        InstallationCancelled: `say` raised it; the process is dead.
    """
    process = qt.QProcess()
    process.setProcessChannelMode(qt.QProcess.MergedChannels)
    variables = qt.QProcessEnvironment()
    for name, value in interpreter.environment.items():
        variables.insert(name, value)
    process.setProcessEnvironment(variables)
    loop, timer = qt.QEventLoop(), qt.QTimer()
    said: list[str] = []
    cancelled: list[InstallationCancelled] = []

    def tell(line: str) -> None:
        try:
            say(line)
        except InstallationCancelled as error:
            cancelled.append(error)
            process.kill()

    def onOutput(*_unused: Any) -> None:
        text = process.readAllStandardOutput().data().decode("utf-8", errors="replace")
        for line in text.replace("\r", "\n").splitlines():
            if line.strip():
                said.append(line.strip())
                tell(line.strip())

    process.connect("readyReadStandardOutput()", onOutput)
    process.connect("finished(int,QProcess::ExitStatus)", lambda *_unused: loop.quit())
    process.setWorkingDirectory(str(MODULE_FOLDER))
    process.start(interpreter.path, [*interpreter.flags, *words])
    if not process.waitForStarted():
        raise InstallationError(
            _("{python} could not be started: {reason}.").format(
                python=interpreter.path, reason=process.errorString()
            )
        )
    timer.setInterval(TICK_MS)
    timer.timeout.connect(lambda: tell(""))
    timer.start()
    if process.state() != qt.QProcess.NotRunning:
        loop.exec_()
    timer.stop()
    onOutput()
    failed = process.exitStatus() != qt.QProcess.NormalExit or process.exitCode() != 0
    process.deleteLater()  # its connections hold it: it would never go by itself
    if cancelled:
        raise cancelled[0]
    if failed:
        raise InstallationError(cause(said))


def cause(said: Sequence[str]) -> str:
    """Why a program failed, from its own words: the last line that names an error, and the last
    line of all, which says what to do.
    """
    if not said:
        return _("It failed without a word.")
    named = [line for line in said[:-1] if CAUSES.search(line)]
    return f"{named[-1]}\n{said[-1]}" if named else said[-1]

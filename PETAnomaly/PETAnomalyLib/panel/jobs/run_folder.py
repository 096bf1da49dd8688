"""The temporary folder of one run: exported images in, the engine's results out, gone afterwards.

It must also go when Slicer is killed, even before an engine was started. So a watchdog
(`watchdog.py keep`) is tied to it, which removes it when the pipe to Slicer closes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.environment.interpreter import MODULE_FOLDER, ownInterpreter
from PETAnomalyLib.panel.jobs.watchdog import CLOSING_SUFFIX

WATCHDOG = Path(__file__).with_name("watchdog.py")
REAP_MS = 500


class TemporaryFolder(Protocol):
    """Where a run's files lie until `close`."""

    path: Path

    def close(self) -> None: ...


class RunFolder:
    """A `TemporaryFolder`, made fresh below `parent`; removed by `close()` or by the end of Slicer,
    whichever is first.

    `close` returns at once: it renames the folder, and the watchdog removes what may be hundreds of
    megabytes.

        folder = RunFolder(slicer.app.temporaryPath)
        export(folder.path / "pet.nrrd")
        ...
        folder.close()

    Raises:
        InputError: nothing can be written below `parent`.
    """

    def __init__(self, parent: Path | str) -> None:
        try:
            self.path = Path(tempfile.mkdtemp(prefix="PETAnomaly-", dir=str(parent)))
        except OSError as error:
            raise InputError(
                _("The temporary folder {folder} can't be written: {reason}.").format(
                    folder=parent, reason=error.strerror or error
                ),
                _("Choose another one in Edit / Application Settings / General."),
            ) from error
        self._watchdog: subprocess.Popen[bytes] | None = None
        try:
            self._watchdog = self._startWatchdog()
        except OSError:  # then the folder outlives a crash of Slicer, and nothing else is lost
            self._watchdog = None

    def _startWatchdog(self) -> subprocess.Popen[bytes]:
        # Popen, not QProcess: QProcess kills its child when Slicer quits
        own = ownInterpreter()
        return subprocess.Popen(
            [own.path, *own.flags, str(WATCHDOG), "keep", str(os.getpid()), str(self.path)],
            cwd=str(MODULE_FOLDER),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def close(self) -> None:
        """Give the folder up. A second call does nothing."""
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is None or watchdog.stdin is None:
            shutil.rmtree(self.path, ignore_errors=True)
            return
        with contextlib.suppress(OSError):  # Windows, a file still open: removed under its own name
            self.path.rename(self.path.with_name(self.path.name + CLOSING_SUFFIX))
        watchdog.stdin.close()
        reap(watchdog)


def reap(process: subprocess.Popen[bytes]) -> None:
    """Take note of a child's end when it comes, so that it does not stay behind as a zombie."""
    if process.poll() is None:
        qt.QTimer.singleShot(REAP_MS, lambda: reap(process))

"""The panel's Detect button, progress, log and diagnostics."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib import __version__
from PETAnomalyLib.panel.jobs.task import TaskOutcome

TICK_MS = 500
PROGRESS_STEPS = 1000


class RunSection:
    """Shows a run and its end. `onDetect()` and `onCancel()` come from the one button."""

    def __init__(self, ui: Any) -> None:
        self.onDetect: Callable[[], None] = lambda: None
        self.onCancel: Callable[[], None] = lambda: None
        self.describeSettings: Callable[[], Sequence[str]] = lambda: ()
        self._ui = ui
        self._isRunning = False
        self._elapsed = qt.QElapsedTimer()
        self._remaining: float | None = None
        self._tick = qt.QTimer()
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._showTime)
        ui.detectButton.clicked.connect(self._onButton)
        ui.copyButton.clicked.connect(self.copyDiagnostics)
        ui.progressBar.visible = False

    def update(self, reasons: Sequence[str], isOfMr: bool = False) -> None:
        """Enable Detect, or say in its tooltip why not.

        Args:
            reasons: against starting a run; none is needed to cancel one.
            isOfMr: an MR would be looked at, not a PET.
        """
        button = self._ui.detectButton
        if self._isRunning:
            button.enabled = True
            button.toolTip = _("Stops the run; nothing is kept of it.")
            return
        button.enabled = not reasons
        what = (
            _("Looks for what the model finds unlikely in this MR. Slicer stays usable meanwhile.")
            if isOfMr
            else _("Looks for uptake that the model finds unlikely. Slicer stays usable meanwhile.")
        )
        button.toolTip = (
            what
            if not reasons
            else _("Detect can't start yet:") + "".join(f"\n- {reason}" for reason in reasons)
        )

    def begin(self, isDetection: bool) -> None:
        """A run starts.

        Args:
            isDetection: Detect itself; other errands of the engine keep the button's own text.
        """
        ui = self._ui
        self._isRunning = True
        self._remaining = None
        self._elapsed.start()
        self._tick.start()
        ui.logText.clear()
        ui.progressBar.visible = True
        ui.progressBar.setRange(0, PROGRESS_STEPS if isDetection else 0)
        ui.progressBar.setValue(0)
        ui.detectButton.text = _("Cancel")
        self.update(())

    def stage(self, text: str) -> None:
        """What the run does now."""
        self._ui.stageState.text = text
        self.log("info", text)

    def progress(self, fraction: float, remaining: float | None) -> None:
        """How far the run is, 0..1, and the seconds that remain if that is known."""
        self._ui.progressBar.setRange(0, PROGRESS_STEPS)
        self._ui.progressBar.setValue(round(PROGRESS_STEPS * min(max(fraction, 0.0), 1.0)))
        self._remaining = remaining
        self._showTime()

    def log(self, level: str, message: str) -> None:
        """A line for the log."""
        prefix = "" if level == "info" else f"{level}: "
        self._ui.logText.appendPlainText(f"{prefix}{message}")

    def end(self, outcome: TaskOutcome, done: str, warnings: Sequence[str] = ()) -> None:
        """A run ended.

        Args:
            outcome: how.
            done: what to say when it went well.
            warnings: what the engine found suspicious but usable.
        """
        seconds = outcome.seconds or self._elapsed.elapsed() / 1000.0
        self.idle()
        ui = self._ui
        ui.timeState.text = clock(seconds)
        if outcome.ok:
            ui.stageState.text = "\n".join([done, *warnings])
            return
        if outcome.cancelled:
            ui.stageState.text = _("Cancelled; nothing was kept.")
            return
        text = f"{outcome.message}\n{outcome.hint}".strip()
        ui.stageState.text = text
        self.log("error", text)
        ui.logBox.collapsed = False
        slicer.util.errorDisplay(text)

    def idle(self) -> None:
        """No run any more; also after a silent stop."""
        self._isRunning = False
        self._tick.stop()
        ui = self._ui
        ui.progressBar.visible = False
        ui.stageState.text = ""
        ui.timeState.text = ""
        ui.detectButton.text = _("&Detect")

    def copyDiagnostics(self) -> None:
        """Versions, settings and log to the clipboard; no names of patients or volumes."""
        lines = [
            f"PETAnomaly {__version__}",
            f"{slicer.app.applicationName} {slicer.app.applicationVersion}",
            f"Python {platform.python_version()} on {platform.platform()}",
            *self.describeSettings(),
            "",
            self._ui.logText.plainText,
        ]
        slicer.app.clipboard().setText("\n".join(lines))
        slicer.util.showStatusMessage(_("Diagnostics copied."), 3000)

    def _onButton(self) -> None:
        if self._isRunning:
            self.onCancel()
        else:
            self.onDetect()

    def _showTime(self) -> None:
        text = clock(self._elapsed.elapsed() / 1000.0)
        if self._remaining is not None:
            text += _(", about {rest} left").format(rest=clock(self._remaining))
        self._ui.timeState.text = text


def clock(seconds: float) -> str:
    """`1:05`, `1:02:03`."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

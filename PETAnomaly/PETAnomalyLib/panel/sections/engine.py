"""The panel's Advanced box: which Python runs the engine, on which device, and what it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.inspection import Device, EnvironmentReport
from PETAnomalyLib.panel.environment.installer import InstallOutcome
from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter
from PETAnomalyLib.panel.environment.readiness import Readiness
from PETAnomalyLib.panel.sections.other_computer import OtherComputerSection
from PETAnomalyLib.panel.settings import DEFAULT_DEVICE, Settings

AUTO_DEVICES = (("auto", "Automatic"), ("cpu", "CPU"))


class EngineSection:
    """Interpreter and device: both belong to this computer (`Settings`), not to the study.

    `onChanged()` comes after each choice and after each report, `onInstall()` from the two buttons
    that install what is missing.
    """

    def __init__(
        self, ui: Any, settings: Settings | None = None, readiness: Readiness | None = None
    ) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self.onInstall: Callable[[], None] = lambda: None
        self.readiness = readiness if readiness is not None else Readiness()
        self.readiness.onReport = self._onReport
        self._ui = ui
        self._settings = settings if settings is not None else Settings()
        self._filling = False
        self.otherComputer = OtherComputerSection(ui, self._settings, self._python)
        self.otherComputer.onChanged = self._onOtherComputer
        self._fillDevices(())
        ui.interpreterEdit.currentPath = self._settings.interpreter
        ui.deviceCombo.currentIndexChanged.connect(self._onDeviceChosen)
        ui.interpreterEdit.currentPathChanged.connect(self._onInterpreterChosen)
        ui.checkButton.clicked.connect(self._onCheck)
        ui.installButton.clicked.connect(self._onInstall)
        ui.installFolderButton.clicked.connect(self._onInstallFolder)
        ui.advancedBox.contentsCollapsed.connect(self._onAdvancedCollapsed)

    @property
    def device(self) -> str:
        """`auto`, `cpu`, `cuda:0`, ..."""
        return self._settings.device or DEFAULT_DEVICE

    def setDevice(self, device: str) -> None:
        """Compute there from now on, on this computer."""
        self._settings.device = device
        report = self.readiness.report
        self._fillDevices(report.devices if report is not None else ())

    def interpreter(self) -> Interpreter:
        """The engine's Python."""
        return findInterpreter(self._settings.interpreter)

    def ask(self) -> None:
        """Ask the engine's Python for packages and graphics cards; the answer is shown here."""
        self._sayAsking()
        self.readiness.ask(self.interpreter())

    def askOnce(self) -> None:
        """As `ask`, unless it is known or asked already: the first question takes ten seconds."""
        if self.readiness.report is None and not self.readiness.isAsking:
            self.ask()

    def ensure(
        self,
        onReady: Callable[[], None],
        onRefused: Callable[[InstallOutcome], None],
        forDicom: bool = False,
        forBrainSample: bool = False,
    ) -> None:
        """`Readiness.ensure` for the engine's Python."""
        if not self.readiness.isReady:
            self._sayAsking()
        self.readiness.ensure(self.interpreter(), onReady, onRefused, forDicom, forBrainSample)

    def describe(self) -> list[str]:
        """For the diagnostics."""
        lines = [f"Engine's Python: {self.interpreter().describe()}"]
        if self.otherComputer.isChosen:
            lines.append("Detections run on another computer (SSH)")
        report = self.readiness.report
        if report is not None:
            lines.append(
                f"Python {report.pythonVersion}, torch {report.torchVersion}, "
                f"monai {report.monaiVersion}"
            )
        return lines

    def stop(self) -> None:
        """End what is under way."""
        self.readiness.cancel()
        self.otherComputer.stop()

    def _python(self) -> Interpreter:
        return self.interpreter()

    def _onOtherComputer(self) -> None:
        self.onChanged()

    def _sayAsking(self) -> None:
        self._ui.environmentState.text = _("Asking {python} ...").format(
            python=self.interpreter().describe()
        )

    def _fillDevices(self, found: Sequence[Device]) -> None:
        self._filling = True
        combo = self._ui.deviceCombo
        combo.clear()
        known = [identifier for identifier, _title in AUTO_DEVICES]
        for identifier, title in AUTO_DEVICES:
            combo.addItem(_(title), identifier)
        for device in found:
            if device.id not in known:
                combo.addItem(f"{device.label} ({device.id})", device.id)
                known.append(device.id)
        if self.device not in known:
            combo.addItem(_("{device} (not checked)").format(device=self.device), self.device)
            known.append(self.device)
        combo.setCurrentIndex(known.index(self.device))
        self._filling = False

    def _onDeviceChosen(self, index: int) -> None:
        if self._filling or index < 0:
            return
        self._settings.device = self._ui.deviceCombo.itemData(index)
        self.onChanged()

    def _onInterpreterChosen(self, path: str) -> None:
        self._settings.interpreter = path
        self.readiness.forget()
        self._ui.environmentState.text = _("Not checked yet.")
        self.onChanged()

    def _onAdvancedCollapsed(self, collapsed: bool) -> None:
        if not collapsed:
            self.askOnce()

    def _onCheck(self, _checked: bool = False) -> None:
        self.ask()

    def installFrom(self, folder: Path | None) -> None:
        """Install what is missing, from a folder of wheels or, for None, the usual places."""
        self.readiness.installer.wheels = folder
        self.onInstall()

    def _onInstall(self, _checked: bool = False) -> None:
        self.installFrom(None)

    def _onInstallFolder(self, _checked: bool = False) -> None:
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder of wheels (.whl)")
        )
        if folder:
            self.installFrom(Path(folder))

    def _onReport(self, report: EnvironmentReport) -> None:
        self._fillDevices(report.devices)
        self._ui.environmentState.text = describeEnvironment(report)
        for button in (self._ui.installButton, self._ui.installFolderButton):
            button.enabled = bool(report.missing)
        self.onChanged()


def describeEnvironment(report: EnvironmentReport) -> str:
    """What the engine's Python has, in a line or two."""
    if report.error:
        return report.error
    parts = [f"Python {report.pythonVersion}"]
    parts.append(f"PyTorch {report.torchVersion}" if report.torchVersion else _("no PyTorch"))
    parts.append(f"MONAI {report.monaiVersion}" if report.monaiVersion else _("no MONAI"))
    cards = [device.label for device in report.devices if device.id not in ("cpu", "auto")]
    parts.append(", ".join(cards) if cards else _("no graphics card that PyTorch can use"))
    text = "; ".join(parts) + "."
    if report.missing:
        text += " " + _("Detect offers to install what is missing.")
    return text

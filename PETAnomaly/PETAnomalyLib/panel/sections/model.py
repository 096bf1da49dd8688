"""The panel's second section: which model and scorer, and, folded away, how the engine runs."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, Callable

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.panel.environment import models
from PETAnomalyLib.panel.environment.inspection import EnvironmentProbe
from PETAnomalyLib.panel.environment.interpreter import findInterpreter
from PETAnomalyLib.panel.parameters import (
    SCORERS,
    Parameters,
    setThreshold,
)
from PETAnomalyLib.panel.settings import DEFAULT_DEVICE, Settings

AUTO_DEVICES = (("auto", "Automatic"), ("cpu", "CPU"))


class ModelSection:
    """Model, scorer, device and interpreter.

    Model and scorer belong to the study (parameter node); device, interpreter and the last model to
    this computer (`Settings`). `onChanged()` comes after each choice. `report` is what the engine's
    Python was found to have; None until it was asked.
    """

    def __init__(
        self,
        ui: Any,
        settings: Settings | None = None,
        source: models.ModelSource | None = None,
        probe: Any = None,
    ) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self.report: Any = None  # environment.EnvironmentReport
        self.available: list = []
        self._ui = ui
        self._settings = settings if settings is not None else Settings()
        self._source = source if source is not None else models.InstalledModels()
        self._probe = probe if probe is not None else EnvironmentProbe()
        self._parameters: Parameters = None
        self._filling = False
        self._onAnswer: Callable[[], None] = lambda: None
        self._damaged: list[str] = []
        self._fillAddMenu()
        for scorer in SCORERS:
            ui.scorerCombo.addItem(_(models.SCORER_TITLES[scorer]), scorer)
        self._fillDevices(())
        ui.interpreterEdit.currentPath = self._settings.interpreter
        ui.modelCombo.currentIndexChanged.connect(self._onModelChosen)
        ui.scorerCombo.currentIndexChanged.connect(self._onScorerChosen)
        ui.deviceCombo.currentIndexChanged.connect(self._onDeviceChosen)
        ui.interpreterEdit.currentPathChanged.connect(self._onInterpreterChosen)
        ui.checkButton.clicked.connect(self._onCheck)
        ui.advancedBox.contentsCollapsed.connect(self._onAdvancedCollapsed)
        self.reload()

    @property
    def device(self) -> str:
        """`auto`, `cpu`, `cuda:0`, ..."""
        return self._settings.device or DEFAULT_DEVICE

    def setDevice(self, device: str) -> None:
        """Compute there from now on, on this computer."""
        self._settings.device = device
        self._fillDevices(self.report.devices if self.report is not None else ())

    @property
    def model(self) -> Any:
        """The chosen bundle, or None."""
        if self._parameters is None:
            return None
        return models.find(self.available, self._parameters.model)

    def interpreter(self) -> Any:
        """The engine's Python (`environment.Interpreter`)."""
        return findInterpreter(self._settings.interpreter)

    def reload(self) -> None:
        """Look for installed models again."""
        try:
            self.available = self._source.all()
        except (PETAnomalyError, OSError) as error:
            self.available = []
            slicer.util.warningDisplay(models.describeError(error))
            return
        self._damaged = self._source.damaged()
        self._filling = True
        self._ui.modelCombo.clear()
        for model in self.available:
            self._ui.modelCombo.addItem(model.title, model.name)
        self._filling = False

    def setParameters(self, parameters: Parameters | None) -> None:
        """Show the study's choices; a new study starts with the model used last."""
        self._parameters = parameters
        if parameters is None:
            return
        if not parameters.model and self.available:
            last = models.find(self.available, self._settings.model)
            self._adopt(last if last is not None else self.available[0])
        self.update()

    def update(self) -> None:
        """Show what the parameter node says."""
        if self._parameters is None:
            return
        self._filling = True
        names = [model.name for model in self.available]
        chosen = self._parameters.model
        self._ui.modelCombo.setCurrentIndex(names.index(chosen) if chosen in names else -1)
        self._ui.modelCard.text = self._cardText()
        self._showScorers()
        self._filling = False
        if self.model is not None:
            own = _("as the model says ({n})")
            self._ui.samplesSpin.specialValueText = own.format(n=self.model.samples)
            self._ui.decodesSpin.specialValueText = own.format(n=self.model.decodes)

    def whyNot(self) -> list[str]:
        """Reasons of this section against Detect."""
        if not self.available:
            return [_("No model is installed: add one.")]
        if self.model is None:
            name = self._parameters.model if self._parameters is not None else ""
            return [
                _('The model "{name}" is not installed here: choose another.').format(name=name)
            ]
        reason = models.whyNoScorer(self.model, self._parameters.scorer)
        return [reason] if reason else []

    def askEnvironment(self, onAnswer: Callable[[], None] = lambda: None) -> None:
        """Ask the engine's Python, in a child process, for packages and graphics cards.

        Args:
            onAnswer: called when `report` is there; not called after `stop`.
        """
        self._onAnswer = onAnswer
        self._ui.environmentState.text = _("Asking {python} ...").format(
            python=self.interpreter().describe()
        )
        self._probe.start(self.interpreter(), self._onEnvironment)

    def addModel(self, path: str) -> bool:
        """Add a bundle's folder or zip; a refusal is shown and nothing changes."""
        if not path:
            return False
        try:
            with slicer.util.WaitCursor():
                added = self._source.add(Path(path))
        except (PETAnomalyError, OSError) as error:
            slicer.util.errorDisplay(
                _("This model was not added.\n\n{why}").format(why=models.describeError(error))
            )
            return False
        self.reload()
        self._adopt(added)
        self.update()
        self.onChanged()
        return True

    def stop(self) -> None:
        """End what is under way."""
        self._probe.cancel()

    def _adopt(self, model: Any) -> None:
        """Take a model with its own thresholds and smallest volume."""
        parameters = self._parameters
        if parameters is None:
            return
        parameters.model = model.name
        for scorer in SCORERS:
            setThreshold(parameters, scorer, None)
        parameters.minimumVolume = model.min_volume_ml
        if models.whyNoScorer(model, parameters.scorer):
            parameters.scorer = model.scorers[0]
        self._settings.model = model.name

    def _cardText(self) -> str:
        if self.model is None and self._parameters.model:
            return _('The model "{name}" is not installed here.').format(
                name=self._parameters.model
            )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._damaged)
        return models.card(self.model) + notes

    def _showScorers(self) -> None:
        """Grey what the model can't give, with the reason."""
        combo = self._ui.scorerCombo
        for index, scorer in enumerate(SCORERS):
            reason = models.whyNoScorer(self.model, scorer)
            combo.setItemData(index, reason or _(models.SCORER_HELP[scorer]), qt.Qt.ToolTipRole)
            combo.model().item(index).setEnabled(not reason)
        combo.setCurrentIndex(SCORERS.index(self._parameters.scorer))

    def _fillDevices(self, found: Any) -> None:
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

    def _fillAddMenu(self) -> None:
        self._menu = qt.QMenu(self._ui.addModelButton)
        folder = self._menu.addAction(_("From a folder..."))
        folder.triggered.connect(lambda: self.addModel(self._askFolder()))
        archive = self._menu.addAction(_("From a zip file..."))
        archive.triggered.connect(lambda: self.addModel(self._askZip()))
        self._ui.addModelButton.setMenu(self._menu)

    def _askFolder(self) -> str:
        return qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder of a pretrained model")
        )

    def _askZip(self) -> str:
        return qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Zip file of a pretrained model"), "", "*.zip"
        )

    def _onModelChosen(self, index: int) -> None:
        if self._filling or self._parameters is None or not 0 <= index < len(self.available):
            return
        self._adopt(self.available[index])
        self.update()
        self.onChanged()

    def _onScorerChosen(self, index: int) -> None:
        if self._filling or self._parameters is None or index < 0:
            return
        self._parameters.scorer = SCORERS[index]
        self.onChanged()

    def _onDeviceChosen(self, index: int) -> None:
        if self._filling or index < 0:
            return
        self._settings.device = self._ui.deviceCombo.itemData(index)
        self.onChanged()

    def _onInterpreterChosen(self, path: str) -> None:
        self._settings.interpreter = path
        self.report = None
        self._ui.environmentState.text = _("Not checked yet.")
        self.onChanged()

    def _onAdvancedCollapsed(self, collapsed: bool) -> None:
        if not collapsed and self.report is None:
            self.askEnvironment()

    def _onCheck(self, _checked: bool = False) -> None:
        self.askEnvironment()

    def _onEnvironment(self, report: Any) -> None:
        self.report = report
        self._fillDevices(report.devices)
        self._ui.environmentState.text = describeEnvironment(report)
        self.onChanged()
        self._onAnswer()


def describeEnvironment(report: Any) -> str:
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

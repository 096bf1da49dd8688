"""The panel's second section: which model and which scorer."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.panel.environment import models
from PETAnomalyLib.panel.parameters import SCORERS, Parameters, setThreshold
from PETAnomalyLib.panel.scene import view_3d
from PETAnomalyLib.panel.scene.runs import lookAt
from PETAnomalyLib.panel.settings import Settings


class ModelSection:
    """Model and scorer belong to the study (parameter node); which model was used last, to this
    computer (`Settings`). `onChanged()` comes after each choice, `onAdopted()` before a model's own
    settings are taken.
    """

    def __init__(
        self,
        ui: Any,
        settings: Settings | None = None,
        source: models.ModelSource | None = None,
    ) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self.onAdopted: Callable[[], None] = lambda: None
        self.available: list = []
        self._ui = ui
        self._settings = settings if settings is not None else Settings()
        self._source = source if source is not None else models.InstalledModels()
        self._parameters: Parameters = None
        self._filling = False
        self._damaged: list[str] = []
        self._fillAddMenu()
        for scorer in SCORERS:
            ui.scorerCombo.addItem(_(models.SCORER_TITLES[scorer]), scorer)
        ui.modelCombo.currentIndexChanged.connect(self._onModelChosen)
        ui.scorerCombo.currentIndexChanged.connect(self._onScorerChosen)
        self.reload()

    @property
    def model(self) -> Any:
        """The chosen bundle, or None."""
        if self._parameters is None:
            return None
        return models.find(self.available, self._parameters.model)

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
        self._followModality()
        self._filling = True
        names = [model.name for model in self.available]
        chosen = self._parameters.model
        self._ui.modelCombo.setCurrentIndex(names.index(chosen) if chosen in names else -1)
        self._ui.modelCard.text = self._cardText()
        self._showScorers()
        self._filling = False
        self._ui.elevatedCheck.enabled = not models.countsDarker(self.model)
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

    def _adopt(self, model: Any) -> None:
        """Take a model with its own thresholds and smallest volume."""
        parameters = self._parameters
        if parameters is None:
            return
        self.onAdopted()
        parameters.model = model.name
        for scorer in SCORERS:
            setThreshold(parameters, scorer, None)
        parameters.minimumVolume = model.min_volume_ml
        isOther = model.modality != parameters.modality  # a PET's scorer says nothing of an MR's
        if isOther or models.whyNoScorer(model, parameters.scorer):
            parameters.scorer = model.scorers[0]
        self._settings.model = model.name

    def _followModality(self) -> None:
        """A model of MR looks at the MR, one of PET at the PET."""
        parameters, model = self._parameters, self.model
        if model is None or parameters.modality == model.modality:
            return
        with slicer.util.NodeModify(parameters):
            lookAt(parameters, model.modality)
        if parameters.view3D:
            view_3d.show3D(parameters)

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
            combo.setItemData(
                index, reason or _(models.scorerHelp(self.model, scorer)), qt.Qt.ToolTipRole
            )
            combo.model().item(index).setEnabled(not reason)
        combo.setCurrentIndex(SCORERS.index(self._parameters.scorer))

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

"""The controls that decide what counts as a finding: threshold, growing, smallest volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ctk
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment import models
from PETAnomalyLib.panel.parameters import (
    DEFAULT_GROWTH,
    Parameters,
    findingsSegmentation,
    isOfMr,
    live,
    scoreMap,
    setThreshold,
    threshold,
)
from PETAnomalyLib.panel.scene.drawing import DrawSettings
from PETAnomalyLib.panel.scene.map_range import mapRange
from PETAnomalyLib.panel.scene.result_nodes import SCORER_ATTRIBUTE, THRESHOLD_ATTRIBUTE

GROWTH_PRESETS = (0.4, 0.41, 0.5, 0.0)  # 41 %: EANM 2.0; 50 %: many nodes' choice


@dataclass(frozen=True)
class Delineation:
    """What the findings are drawn from: a map, by its node's ID, and the settings."""

    mapId: str
    settings: DrawSettings


class DelineationControls:
    """Show the parameter node's threshold, growing and smallest volume, and change them there.

    The smallest volume's box is bound to the parameter node by the .ui; the slider and the list of
    growths are filled here, since they depend on the map and on the model.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._parameters: Parameters = None
        self._model: Any = None
        self._filling = False
        self._range: tuple = ()  # of which map, and the slider's range for it
        # Else CTK gives its number of decimals to the sliders of the embedded Segment Editor.
        ui.thresholdSlider.synchronizeSiblings = ctk.ctkSliderWidget.NoSynchronize
        ui.thresholdSlider.valueChanged.connect(self._onThreshold)
        ui.growthCombo.currentIndexChanged.connect(self._onGrowth)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self._parameters = parameters

    def update(self, model: Any) -> None:
        """Show the parameter node.

        Args:
            model: the chosen bundle, or None.
        """
        self._model = model
        self.show()

    def show(self) -> None:
        """As `update`, with the same model."""
        self._filling = True
        self._showThreshold()
        self._showGrowth()
        self._filling = False

    def threshold(self) -> float | None:
        """Of the chosen scorer: the radiologist's, else the one that the map's model came with."""
        parameters = self._parameters
        chosen = threshold(parameters, parameters.scorer)
        if chosen is not None:
            return chosen
        node = scoreMap(parameters, parameters.scorer)
        text = node.GetAttribute(THRESHOLD_ATTRIBUTE) if node is not None else None
        if text:
            return float(text)
        return models.defaultThreshold(self._model, parameters.scorer) if self._model else None

    def wanted(self) -> Delineation | None:
        """What the controls ask for; None without a map or without findings to replace."""
        parameters = self._parameters
        node = scoreMap(parameters, parameters.scorer)
        value = self.threshold()
        if node is None or value is None or findingsSegmentation(parameters) is None:
            return None
        growth = 0.0 if isOfMr(parameters) else parameters.growth
        settings = DrawSettings(value, growth, parameters.minimumVolume)
        return Delineation(node.GetID(), settings)

    def describe(self) -> dict[str, Any]:
        """What the findings are drawn with, by the names of report.json."""
        parameters = self._parameters
        grown = {} if isOfMr(parameters) else {"grow": parameters.growth}
        return {
            "scorer": parameters.scorer,
            "threshold": self.threshold(),
            **grown,
            "min_volume_ml": parameters.minimumVolume,
        }

    def reset(self) -> None:
        """The model's own threshold, smallest volume and growth."""
        parameters = self._parameters
        with slicer.util.NodeModify(parameters):
            setThreshold(parameters, parameters.scorer, None)
            parameters.growth = DEFAULT_GROWTH
            if self._model is not None:
                parameters.minimumVolume = self._model.min_volume_ml

    def goBack(self, drawn: Delineation) -> None:
        """Return to what the findings were drawn with."""
        parameters, settings = self._parameters, drawn.settings
        with slicer.util.NodeModify(parameters):
            node = slicer.mrmlScene.GetNodeByID(drawn.mapId)
            scorer = node.GetAttribute(SCORER_ATTRIBUTE) if node is not None else None
            if scorer:
                parameters.scorer = scorer
            setThreshold(parameters, parameters.scorer, settings.threshold)
            if not isOfMr(parameters):
                parameters.growth = settings.growth
            parameters.minimumVolume = settings.minimumVolume
        self.show()

    def _showThreshold(self) -> None:
        parameters, slider = self._parameters, self._ui.thresholdSlider
        node = scoreMap(parameters, parameters.scorer)
        value = self.threshold()
        if node is None or value is None:
            slider.enabled = False
            return
        slider.enabled = True
        key = (node.GetID(), node.GetImageData().GetMTime())
        if not self._range or self._range[0] != key:
            pet = None if isOfMr(parameters) else live(parameters.pet)
            self._range = (key, mapRange(node, value, pet))
        bounds = self._range[1]
        slider.decimals = bounds.decimals
        slider.minimum = min(bounds.low, value)
        slider.maximum = max(bounds.high, value)
        slider.singleStep = bounds.step  # last: a step wider than the range is not taken
        unit = models.SCORER_UNITS[parameters.scorer]
        slider.suffix = f" {unit}" if unit else ""
        slider.value = value

    def _showGrowth(self) -> None:
        combo = self._ui.growthCombo
        combo.visible = self._ui.growthLabel.visible = not isOfMr(self._parameters)
        choices = list(GROWTH_PRESETS)
        if self._parameters.growth not in choices:
            choices.insert(0, self._parameters.growth)
        if [combo.itemData(index) for index in range(combo.count)] != choices:
            combo.clear()
            for share in choices:
                title = _("{n:g} % of its SUVmax").format(n=100 * share)
                combo.addItem(title if share else _("No growing"), share)
        combo.setCurrentIndex(choices.index(self._parameters.growth))

    def _onThreshold(self, value: float) -> None:
        if not self._filling and self._parameters is not None:
            setThreshold(self._parameters, self._parameters.scorer, value)

    def _onGrowth(self, index: int) -> None:
        if not self._filling and self._parameters is not None and index >= 0:
            self._parameters.growth = float(self._ui.growthCombo.itemData(index))

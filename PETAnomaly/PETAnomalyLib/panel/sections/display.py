"""The panel's display controls: overlay switch, opacity, PET and CT windows, outlines, colour bars,
hatching, 3-D. Those of a PET and a CT are hidden where an MR is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import (
    LAYERS,
    Parameters,
    findingsSegmentation,
    foreignRegions,
    isOfMr,
    live,
    scoreMap,
    studyImage,
)
from PETAnomalyLib.panel.scene import (
    colour_bars,
    ct_windows,
    hatching,
    slice_views,
    view_3d,
    windows,
)
from PETAnomalyLib.panel.scene.reading_layout import ReadingLayout


@dataclass(frozen=True)
class _State:
    """What the views show: inputs and results by their nodes' IDs, and the choices."""

    inputs: tuple
    results: tuple
    layer: str
    opacity: float
    preset: str
    outlines: bool
    colourBars: bool
    hatching: bool
    mipTop: float


class DisplaySection:
    """Keeps the views as the parameter node says."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._parameters: Parameters = None
        self._shown: _State | None = None
        self._filling = False
        self._layout = ReadingLayout()
        self._buttons = dict(zip(LAYERS, (ui.showCtButton, ui.showPetButton, ui.showMapButton)))
        for layer, button in self._buttons.items():
            button.clicked.connect(partial(self._onLayer, layer))
        self._ctButtons = {name: getattr(ui, f"{name}Button") for name in ct_windows.CT_WINDOWS}
        for name, button in self._ctButtons.items():
            button.clicked.connect(partial(self._onCtWindow, name))
        ui.presetCombo.addItem(_("Automatic"), "")
        for preset in windows.presets():
            ui.presetCombo.addItem(preset.title, preset.key)
        ui.presetCombo.currentIndexChanged.connect(self._onPreset)
        ui.show3DButton.toggled.connect(self._on3D)
        ui.mipSlider.valueChanged.connect(self._onMipTop)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node; the views stay as they are until something changes."""
        self._parameters = parameters
        if parameters is None:
            self._layout.leave()
        self._shown = self._state() if parameters is not None else None
        self.update()

    def update(self) -> None:
        """Show the parameter node's choices in the controls, and in the views what changed."""
        if self._parameters is None:
            return
        self._filling = True
        self._showControls()
        self._filling = False
        state = self._state()
        before, self._shown = self._shown, state
        if before is not None and state != before:
            self._showChanged(before, state)

    def _showControls(self) -> None:
        parameters, ui = self._parameters, self._ui
        self._showWhatApplies()
        shown = slice_views.shownLayer(parameters)
        for layer, button in self._buttons.items():
            button.checked = layer == shown
        self._buttons["map"].enabled = slice_views.showable(scoreMap(parameters, parameters.scorer))
        ct = live(parameters.ct)
        window = ct_windows.shownWindow(ct)
        for name, button in self._ctButtons.items():
            button.enabled = slice_views.showable(ct)
            button.checked = name == window
        ui.presetCombo.setCurrentIndex(max(0, ui.presetCombo.findData(parameters.preset)))
        ui.hatchingCheck.enabled = foreignRegions(parameters) is not None
        ui.show3DButton.checked = parameters.view3D
        ui.mipLabel.visible = ui.mipSlider.visible = parameters.view3D and not isOfMr(parameters)
        ui.mipSlider.value = view_3d.mipTop(parameters)

    def _showWhatApplies(self) -> None:
        ui, ofMr = self._ui, isOfMr(self._parameters)
        for part in (ui.showCtButton, ui.presetLabel, ui.presetCombo, *self._ctButtons.values()):
            part.visible = not ofMr

    def _showChanged(self, before: _State, state: _State) -> None:
        parameters = self._parameters
        otherInputs, otherResults = state.inputs != before.inputs, state.results != before.results
        if otherInputs or state.preset != before.preset:
            windows.showInput(parameters)
        if otherInputs or (state.preset, state.mipTop) != (before.preset, before.mipTop):
            view_3d.showMipRange(parameters)
        if otherInputs or otherResults or state.layer != before.layer:
            slice_views.showLayers(parameters, fit=otherInputs)
        elif state.opacity != before.opacity:
            slice_views.showOpacity(parameters)
        if otherInputs or otherResults or state.outlines != before.outlines:
            slice_views.showOutlines(parameters)
        if otherInputs or otherResults or state.colourBars != before.colourBars:
            colour_bars.showColourBars(parameters)
        if otherInputs or otherResults or state.hatching != before.hatching:
            hatching.showHatching(parameters)

    def _state(self) -> _State:
        p = self._parameters
        inputs = (studyImage(p), None if isOfMr(p) else p.ct)
        results = (scoreMap(p, p.scorer), findingsSegmentation(p), foreignRegions(p))
        return _State(
            # What has no voxels or no display node yet may have them later.
            inputs=(*map(_identifier, inputs), *(_has(live(node)) for node in inputs)),
            results=tuple(map(_identifier, results)),
            layer=p.layer,
            opacity=p.opacity,
            preset=p.preset,
            outlines=p.outlines,
            colourBars=p.colourBars,
            hatching=p.hatching,
            mipTop=p.mipTop,
        )

    def _onLayer(self, layer: str, _checked: bool = False) -> None:
        if self._parameters is not None:
            self._parameters.layer = layer

    def _onCtWindow(self, name: str, _checked: bool = False) -> None:
        ct = live(self._parameters.ct) if self._parameters is not None else None
        if not slice_views.showable(ct):
            return
        if ct_windows.shownWindow(ct) == name:
            ct_windows.showOwnWindow(ct)
        else:
            ct_windows.showWindow(ct, name)
        self.update()

    def _onPreset(self, index: int) -> None:
        if self._parameters is not None and not self._filling and index >= 0:
            self._parameters.preset = self._ui.presetCombo.itemData(index)
            self._parameters.mipTop = 0.0

    def _onMipTop(self, value: float) -> None:
        if self._parameters is not None and not self._filling:
            self._parameters.mipTop = value

    def _on3D(self, shown: bool) -> None:
        parameters = self._parameters
        if parameters is None or parameters.view3D == shown:
            return
        parameters.view3D = shown
        view_3d.show3D(parameters)
        if shown:
            self._layout.show()
            view_3d.frame3D()
        else:
            self._layout.leave()


def _identifier(node: Any) -> str | None:
    return node.GetID() if live(node) else None


def _has(node: Any) -> tuple[bool, bool]:
    """Voxels; a display node."""
    if node is None:
        return False, False
    return node.GetImageData() is not None, node.GetDisplayNode() is not None

"""The panel's display controls: overlay switch, opacity, PET window, outlines, 3-D."""

from __future__ import annotations

from functools import partial
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import LAYERS, Parameters, findingsSegmentation, live, scoreMap
from PETAnomalyLib.panel.scene import slice_views, view_3d, windows
from PETAnomalyLib.panel.scene.reading_layout import ReadingLayout


class DisplaySection:
    """Keeps the views as the parameter node says."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._parameters: Parameters = None
        self._shown: tuple = ()
        self._layout = ReadingLayout()
        self._buttons = dict(zip(LAYERS, (ui.showCtButton, ui.showPetButton, ui.showMapButton)))
        for layer, button in self._buttons.items():
            button.clicked.connect(partial(self._onLayer, layer))
        ui.presetCombo.addItem(_("Automatic"), "")
        for preset in windows.presets():
            ui.presetCombo.addItem(preset.title, preset.key)
        ui.presetCombo.currentIndexChanged.connect(self._onPreset)
        ui.show3DButton.toggled.connect(self._on3D)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node; the views stay as they are until something changes."""
        self._parameters = parameters
        if parameters is None:
            self._layout.leave()
        self._shown = self._state() if parameters is not None else ()
        self.update()

    def update(self) -> None:
        """Show the parameter node's choices in the controls, and in the views what changed."""
        parameters = self._parameters
        if parameters is None:
            return
        shown = slice_views.shownLayer(parameters)
        for layer, button in self._buttons.items():
            button.checked = layer == shown
        self._buttons["map"].enabled = slice_views.showable(scoreMap(parameters, parameters.scorer))
        index = self._ui.presetCombo.findData(parameters.preset)
        self._ui.presetCombo.setCurrentIndex(max(0, index))
        self._ui.show3DButton.checked = parameters.view3D
        state = self._state()
        before, self._shown = self._shown, state
        if not before or state == before:
            return
        nodes, layer, opacity, outlines, preset = state
        if _inputs(nodes) != _inputs(before[0]) or preset != before[4]:
            windows.showInput(parameters)
            view_3d.showMipRange(parameters)
        if nodes != before[0] or layer != before[1]:
            slice_views.showLayers(parameters, fit=_inputs(nodes) != _inputs(before[0]))
        elif opacity != before[2]:
            slice_views.showOpacity(parameters)
        if outlines != before[3] or nodes != before[0]:
            slice_views.showOutlines(parameters)

    def _state(self) -> tuple:
        p = self._parameters
        nodes = (p.pet, p.ct, scoreMap(p, p.scorer), findingsSegmentation(p))
        identifiers = tuple(node.GetID() if live(node) else None for node in nodes)
        # What has no voxels or no display node yet may have them later.
        identifiers += tuple(_has(live(node)) for node in nodes[:2])
        return identifiers, p.layer, p.opacity, p.outlines, p.preset

    def _onLayer(self, layer: str, _checked: bool = False) -> None:
        if self._parameters is not None:
            self._parameters.layer = layer

    def _onPreset(self, index: int) -> None:
        if self._parameters is not None and index >= 0:
            self._parameters.preset = self._ui.presetCombo.itemData(index)

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


def _has(node: Any) -> tuple[bool, bool]:
    """Voxels; a display node."""
    if node is None:
        return False, False
    return node.GetImageData() is not None, node.GetDisplayNode() is not None


def _inputs(nodes: tuple) -> tuple:
    """PET and CT of a state, and whether they can be shown."""
    return nodes[:2] + nodes[4:]

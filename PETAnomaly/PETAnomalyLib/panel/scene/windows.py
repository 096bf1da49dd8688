"""Colours: the windows of PET and MR, and what of an anomaly map is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live
from PETAnomalyLib.panel.scene.ct_windows import GREY, showFirstWindow

INVERTED_GREY = "vtkMRMLColorTableNodeInvertedGrey"
HOT = "vtkMRMLPETProceduralColorNodePET-Heat"  # yellow at 30 % of the range
HOT_METAL = "vtkMRMLPETProceduralColorNodePET-HotMetalBlue"
MAP_COLOURS = "vtkMRMLColorTableNodeIron"  # red to yellow: told apart from CT and PET
CLEAR_SHARE = 0.5  # of the way from the lowest score to the threshold
SAMPLED_VOXELS = 500_000


@dataclass(frozen=True)
class WindowPreset:
    """A PET window: SUV range and colour table."""

    key: str
    title: str
    low: float
    high: float
    colour: str


def presets() -> list[WindowPreset]:
    """FDG windows; the first is PET-IndiC's (window 6, level 3, inverted grey)."""
    grey, hot, metal = _("inverted grey"), _("hot"), _("hot metal blue")
    choices = [
        ("grey6", 6.0, grey, INVERTED_GREY),
        ("grey10", 10.0, grey, INVERTED_GREY),
        ("metal6", 6.0, metal, HOT_METAL),
        ("metal10", 10.0, metal, HOT_METAL),
        ("metal20", 20.0, metal, HOT_METAL),
        ("hot10", 10.0, hot, HOT),
    ]
    text = _("SUV 0 to {high:g}, {colours}")
    return [
        WindowPreset(key, text.format(high=high, colours=colours), 0.0, high, table)
        for key, high, colours, table in choices
    ]


def presetFor(parameters: Parameters) -> WindowPreset:
    """The chosen window; unless chosen, hot metal over a CT and inverted grey without one."""
    available = {preset.key: preset for preset in presets()}
    default = "metal10" if live(parameters.ct) is not None else "grey6"
    return available.get(parameters.preset, available[default])


def showInput(parameters: Parameters) -> None:
    """Give PET and CT, or the MR, their windows, as soon as they are chosen."""
    if isOfMr(parameters):
        _showMr(live(parameters.mr))
        return
    pet, ct = live(parameters.pet), live(parameters.ct)
    if ct is not None and ct.GetImageData() is not None:
        showFirstWindow(ct)
    if pet is not None and pet.GetImageData() is not None:
        preset = presetFor(parameters)
        _window(pet, preset.low, preset.high, existingColour(preset.colour))


def _showMr(mr: Any) -> None:
    """Grey, in the window that it has; Slicer's own for one that was shown in colours."""
    if mr is None or mr.GetImageData() is None:
        return
    if mr.GetDisplayNode() is None:
        mr.CreateDefaultDisplayNodes()
    display = mr.GetDisplayNode()
    if display.GetColorNodeID() != GREY:
        display.SetAndObserveColorNodeID(GREY)
        display.AutoWindowLevelOn()


def showMapColours(node: Any, limit: float) -> None:
    """Colours and window of an anomaly map: clear up to half the threshold, then red to yellow.

    Args:
        node: the map's node.
        limit: the usual threshold, in the map's unit.
    """
    scores = slicer.util.arrayFromVolume(node)
    sample = scores.reshape(-1)[:: max(1, scores.size // SAMPLED_VOXELS)]
    low, high = float(sample.min()), float(scores.max())
    clear = low + CLEAR_SHARE * max(limit - low, 0.0)
    above = sample[sample > clear]
    top = float(np.percentile(above, 99.0)) if above.size else high
    top = max(top, low + 2.0 * (limit - low), clear + 1e-3)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(existingColour(MAP_COLOURS))
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(clear, top)
    display.AutoThresholdOff()
    display.SetThreshold(clear, max(high, top))
    display.ApplyThresholdOn()


def existingColour(*nodeIds: str) -> str:
    """The first of these colour nodes that this Slicer has."""
    for nodeId in nodeIds:
        if slicer.mrmlScene.GetNodeByID(nodeId) is not None:
            return nodeId
    return "vtkMRMLColorTableNodeGrey"


def _window(node: Any, low: float, high: float, colour: str) -> None:
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour)
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)

"""How a study is looked at: which layers the slice views show, how strongly, in which window.

CT below, PET or anomaly map above, one switch and one opacity; without a CT the PET is below. The
3-D view shows a maximum-intensity projection of the PET with the findings as surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, findingsSegmentation, live, scoreMap
from PETAnomalyLib.panel.scene.placing import existingColour

CT_WINDOW, CT_LEVEL = 400.0, 40.0  # HU: abdomen
INVERTED_GREY = "vtkMRMLColorTableNodeInvertedGrey"
HOT = "vtkMRMLPETProceduralColorNodePET-Heat"  # yellow at 30 % of the range
HOT_METAL = "vtkMRMLPETProceduralColorNodePET-HotMetalBlue"
MIP_SUV = (0.0, 10.0)


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
    """Give PET and CT their windows, as soon as they are chosen."""
    pet, ct = live(parameters.pet), live(parameters.ct)
    if ct is not None and ct.GetImageData() is not None:
        _window(ct, CT_LEVEL - CT_WINDOW / 2, CT_LEVEL + CT_WINDOW / 2, "vtkMRMLColorTableNodeGrey")
    if pet is not None and pet.GetImageData() is not None:
        preset = presetFor(parameters)
        _window(pet, preset.low, preset.high, existingColour(preset.colour))


def showLayers(parameters: Parameters, fit: bool = False) -> None:
    """Put the chosen layer into all slice views.

    Args:
        fit: zoom and centre the views on the study as well.
    """
    pet, ct = live(parameters.pet), live(parameters.ct)
    base = ct if ct is not None else pet
    over = {
        "ct": None,
        "pet": pet if ct is not None else None,
        "map": scoreMap(parameters, parameters.scorer),
    }[parameters.layer]
    if parameters.layer == "map" and over is None and ct is not None:
        over = pet  # no map yet: the PET is what there is to see
    slicer.util.setSliceViewerLayers(
        background=base,
        foreground=over,
        label=None,
        foregroundOpacity=parameters.opacity,
        fit=fit and slicer.app.layoutManager() is not None,
    )


def showOpacity(parameters: Parameters) -> None:
    """Only the overlay's opacity: what a slider calls while it moves."""
    slicer.util.setSliceViewerLayers(foregroundOpacity=parameters.opacity)


def showOutlines(parameters: Parameters) -> None:
    """Show or hide the findings' outlines in the slice views."""
    segmentation = live(parameters.segmentation)
    if segmentation is None or segmentation.GetDisplayNode() is None:
        return
    belongs = findingsSegmentation(parameters) is not None
    segmentation.GetDisplayNode().SetVisibility2D(parameters.outlines and belongs)


def show3D(parameters: Parameters) -> None:
    """Switch the 3-D view on or off: a MIP of the PET and the findings' surfaces."""
    _showSurfaces(findingsSegmentation(parameters), parameters.view3D)
    pet = live(parameters.pet)
    if pet is not None:
        _showMip(pet, parameters.view3D)


def frame3D() -> None:
    """Bring what is shown into every 3-D view: their cameras look at the origin until told."""
    layoutManager = slicer.app.layoutManager()
    for index in range(layoutManager.threeDViewCount if layoutManager is not None else 0):
        view = layoutManager.threeDWidget(index).threeDView()
        view.resetFocalPoint()
        view.resetCamera()


def jumpTo(ras: Any) -> None:
    """Bring a point (R, A, S in mm) into the middle of every slice view."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(
        slicer.mrmlScene, *ras, slicer.vtkMRMLSliceNode.CenteredJumpSlice
    )


def setSegmentVisible(parameters: Parameters, identifier: str, shown: bool) -> None:
    """Show or hide one finding."""
    segmentation = findingsSegmentation(parameters)
    if segmentation is not None and segmentation.GetDisplayNode() is not None:
        segmentation.GetDisplayNode().SetSegmentVisibility(identifier, shown)


def isSegmentVisible(parameters: Parameters, identifier: str) -> bool:
    """Is a finding shown?"""
    segmentation = findingsSegmentation(parameters)
    if segmentation is None or segmentation.GetDisplayNode() is None:
        return True
    return bool(segmentation.GetDisplayNode().GetSegmentVisibility(identifier))


def _window(node: Any, low: float, high: float, colour: str) -> None:
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour)
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)


def _showSurfaces(segmentation: Any, shown: bool) -> None:
    if segmentation is None or segmentation.GetDisplayNode() is None:
        return
    if shown:
        segmentation.CreateClosedSurfaceRepresentation()
    segmentation.GetDisplayNode().SetVisibility3D(shown)


def _showMip(pet: Any, shown: bool) -> None:
    """A volume rendering of the PET by maximum intensity, light uptake clear, hot uptake dark.

    Slicer built without volume rendering shows the surfaces alone.
    """
    module = getattr(slicer.modules, "volumerendering", None)
    if module is None:
        return
    logic = module.logic()
    rendering = logic.GetFirstVolumeRenderingDisplayNode(pet)
    if rendering is None:
        if not shown:
            return
        rendering = logic.CreateDefaultVolumeRenderingNodes(pet)
        _setMipProperty(rendering.GetVolumePropertyNode())
    rendering.SetVisibility(shown)
    if not shown:
        return
    for index in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLViewNode")):
        view = slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLViewNode")
        view.SetRaycastTechnique(slicer.vtkMRMLViewNode.MaximumIntensityProjection)


def _setMipProperty(propertyNode: Any) -> None:
    if propertyNode is None:
        return
    low, high = MIP_SUV
    volumeProperty = propertyNode.GetVolumeProperty()
    opacity = volumeProperty.GetScalarOpacity()
    opacity.RemoveAllPoints()
    opacity.AddPoint(low, 0.0)
    opacity.AddPoint(high, 1.0)
    colours = volumeProperty.GetRGBTransferFunction()
    colours.RemoveAllPoints()
    colours.AddRGBPoint(low, 1.0, 1.0, 1.0)
    colours.AddRGBPoint(high, 0.0, 0.0, 0.0)
    volumeProperty.ShadeOff()

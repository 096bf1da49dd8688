"""The 3-D view: a maximum-intensity projection of the PET with the findings as surfaces; of an MR
the surfaces alone.
"""

from __future__ import annotations

from typing import Any

import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.parameters import Parameters, findingsSegmentation, isOfMr, live
from PETAnomalyLib.panel.scene.surfaces import SurfaceMaker
from PETAnomalyLib.panel.scene.windows import presetFor


def show3D(parameters: Parameters) -> None:
    """Switch the 3-D view on or off: a MIP of the PET, and the findings' surfaces as soon as they
    are made.
    """
    _showSurfaces(findingsSegmentation(parameters), parameters.view3D)
    pet = live(parameters.pet)
    if pet is not None:
        _showMip(pet, parameters.view3D and not isOfMr(parameters))
        showMipRange(parameters)


def showMipRange(parameters: Parameters) -> None:
    """The MIP is black from `mipTop` on."""
    module, pet = getattr(slicer.modules, "volumerendering", None), live(parameters.pet)
    if module is None or pet is None:
        return
    rendering = module.logic().GetFirstVolumeRenderingDisplayNode(pet)
    if rendering is not None:
        _setMipProperty(rendering.GetVolumePropertyNode(), mipTop(parameters))


def mipTop(parameters: Parameters) -> float:
    """SUV that is black: the chosen one, else the top of the PET's window."""
    return float(parameters.mipTop) or presetFor(parameters).high


def frame3D() -> None:
    """Bring what is shown into every 3-D view: their cameras look at the origin until told."""
    layoutManager = slicer.app.layoutManager()
    for index in range(layoutManager.threeDViewCount if layoutManager is not None else 0):
        view = layoutManager.threeDWidget(index).threeDView()
        view.resetFocalPoint()
        view.resetCamera()


def stop3D() -> None:
    """Make no more surfaces: the scene closes, or the module goes."""
    for maker in _makers:
        maker.stop()


_makers: list[SurfaceMaker] = []  # one, once it is needed: it has a timer of Qt's


def _showSurfaces(segmentation: Any, shown: bool) -> None:
    if segmentation is None or segmentation.GetDisplayNode() is None:
        return
    stop3D()
    display = segmentation.GetDisplayNode()
    display.SetVisibility3D(False)
    if not shown:
        return
    if not _makers:
        _makers.append(SurfaceMaker())
    _makers[0].onDone = lambda: display.SetVisibility3D(True)
    _makers[0].start(segmentation)


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
    rendering.SetVisibility(shown)
    if not shown:
        return
    for index in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLViewNode")):
        view = slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLViewNode")
        view.SetRaycastTechnique(slicer.vtkMRMLViewNode.MaximumIntensityProjection)


def _setMipProperty(propertyNode: Any, high: float) -> None:
    """Clear and white at SUV 0, opaque and black at `high`."""
    if propertyNode is None:
        return
    volumeProperty = propertyNode.GetVolumeProperty()
    opacity = volumeProperty.GetScalarOpacity()
    opacity.RemoveAllPoints()
    opacity.AddPoint(0.0, 0.0)
    opacity.AddPoint(high, 1.0)
    colours = volumeProperty.GetRGBTransferFunction()
    colours.RemoveAllPoints()
    colours.AddRGBPoint(0.0, 1.0, 1.0, 1.0)
    colours.AddRGBPoint(high, 0.0, 0.0, 0.0)
    volumeProperty.ShadeOff()

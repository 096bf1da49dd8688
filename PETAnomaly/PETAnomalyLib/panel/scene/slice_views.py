"""The slice views: which layers they show and how strongly, which findings, and where they are.

CT below, PET or anomaly map above, one switch and one opacity; without a CT the PET is below. An MR
is below its map.
"""

from __future__ import annotations

from typing import Any

import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.parameters import (
    Parameters,
    findingsSegmentation,
    isOfMr,
    live,
    scoreMap,
    studyImage,
)


def showLayers(parameters: Parameters, fit: bool = False) -> None:
    """Put the chosen layer into all slice views.

    Args:
        fit: zoom and centre the views on the study as well.
    """
    image = _orNothing(studyImage(parameters))
    ct = None if isOfMr(parameters) else _orNothing(live(parameters.ct))
    base = ct if ct is not None else image
    over = {
        "ct": None,
        "pet": image if ct is not None else None,
        "map": _orNothing(scoreMap(parameters, parameters.scorer)),
    }[shownLayer(parameters)]
    slicer.util.setSliceViewerLayers(
        background=base,
        foreground=over,
        label=None,
        foregroundOpacity=parameters.opacity,
        fit=fit and slicer.app.layoutManager() is not None,
    )


def shownLayer(parameters: Parameters) -> str:
    """The chosen layer; without a map yet the PET, or MR, is what there is to see."""
    if isOfMr(parameters) and parameters.layer == "ct":
        return "pet"
    if parameters.layer == "map" and not showable(scoreMap(parameters, parameters.scorer)):
        return "pet"
    return str(parameters.layer)


def showable(node: Any) -> bool:
    """Has a volume voxels and a display node? VTK prints hundreds of errors for one without."""
    if node is None or node.GetImageData() is None or node.GetDisplayNode() is None:
        return False
    return node.GetImageData().GetNumberOfPoints() > 0


def _orNothing(node: Any) -> Any:
    return node if showable(node) else None


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

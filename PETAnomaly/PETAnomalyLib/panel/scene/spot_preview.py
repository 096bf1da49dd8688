"""What a click would add, drawn in the views while the mouse rests; never saved."""

from __future__ import annotations

from typing import Any

import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.scene.adding import Spot
from PETAnomalyLib.panel.scene.findings_segmentation import addSegment

YELLOW = (1.0, 0.9, 0.1)
NUMBER = 1


class SpotPreview:
    """`show` draws a spot's outline instead of the last one, `clear` takes it away."""

    def __init__(self) -> None:
        self._node: Any = None

    def show(self, pet: Any, spot: Spot) -> None:
        """Draw it on the PET's grid."""
        if self._node is None or self._node.GetScene() is None:
            self._node = _addNode()
        segmentation = self._node.GetSegmentation()
        segmentation.RemoveAllSegments()
        self._node.SetReferenceImageGeometryParameterFromVolumeNode(pet)
        made = addSegment(self._node, NUMBER, "preview", pet, spot.mask, spot.start)
        segmentation.GetSegment(made).SetColor(*YELLOW)

    def clear(self) -> None:
        """Nothing is drawn any more."""
        node, self._node = self._node, None
        if node is not None and node.GetScene() is not None:
            display = node.GetDisplayNode()
            slicer.mrmlScene.RemoveNode(node)
            if display is not None:
                slicer.mrmlScene.RemoveNode(display)


def _addNode() -> Any:
    node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentationNode")
    node.UnRegister(None)  # the Python variable holds it
    node.SetName("PETAnomaly preview")
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    slicer.mrmlScene.AddNode(node)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetVisibility3D(False)
    return node

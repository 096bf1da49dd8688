"""The application's views, without windows: ``slicer.app.layoutManager()`` on slicer-core's own
layout and slice logic.

Each slice view is a real vtkMRMLSliceLogic with its slice and composite node, so that what the
panel sets up (layers, opacity, offsets) is what would be drawn, and ``harness.slices`` draws it. A
3-D view is its node only.
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from qt import QVBoxLayout

from harness.mrml_widgets import qMRMLWidget

SLICE_VIEW_SIZE = (400, 400)  # pixels; a view without a window needs some size for fitting
ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}  # as the layouts have it


class SliceWidget(qMRMLWidget):
    """What qMRMLSliceWidget gives to scripts: its logic and nodes, and a place for the focus."""

    def __init__(self, logic: Any) -> None:
        super().__init__()
        self.setLayout(QVBoxLayout())
        self._logic = logic

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToAll()


class ThreeDView:
    """What qMRMLThreeDView gives to scripts, without a renderer."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def mrmlViewNode(self) -> Any:
        return self._node

    def resetFocalPoint(self) -> None:
        """There is no camera to be moved."""

    def resetCamera(self) -> None:
        """There is no camera to be moved."""


class ThreeDWidget:
    """What qMRMLThreeDWidget gives to scripts."""

    def __init__(self, node: Any) -> None:
        self._view = ThreeDView(node)

    def threeDView(self) -> ThreeDView:
        return self._view

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()


class LayoutManager:
    """qSlicerLayoutManager: follows the layout node, keeps a slice logic for every slice node of
    the scene.
    """

    def __init__(self, scene: Any, applicationLogic: Any) -> None:
        self._scene = scene
        self._applicationLogic = applicationLogic
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        self._layoutLogic = slicer.vtkMRMLLayoutLogic()
        self._layoutLogic.SetMRMLScene(scene)
        self._logics = vtk.vtkCollection()
        self._sliceWidgets: dict[str, SliceWidget] = {}
        applicationLogic.SetSliceLogics(self._logics)
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def onNodeAdded(_caller: Any, _event: str, node: Any) -> None:
            if node.IsA("vtkMRMLSliceNode"):
                self._addSliceView(node)

        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
            self._addSliceView(node)
        scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, onNodeAdded)

    def _addSliceView(self, sliceNode: Any) -> None:
        name = sliceNode.GetLayoutName()
        if not name or name in self._sliceWidgets:
            return
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(self._applicationLogic)
        self._sliceWidgets[name] = SliceWidget(logic)
        logic.SetMRMLScene(self._scene)
        logic.SetSliceNode(sliceNode)
        sliceNode.SetOrientation(ORIENTATIONS.get(name, "Axial"))
        logic.ResizeSliceNode(*SLICE_VIEW_SIZE)
        self._logics.AddItem(logic)

    def mrmlScene(self) -> Any:
        return self._scene

    def layoutLogic(self) -> Any:
        return self._layoutLogic

    @property
    def layout(self) -> int:
        return self._layoutLogic.GetLayoutNode().GetViewArrangement()

    @layout.setter
    def layout(self, arrangement: int) -> None:
        self.setLayout(arrangement)

    def setLayout(self, arrangement: int) -> None:
        self._layoutLogic.GetLayoutNode().SetViewArrangement(arrangement)

    def sliceViewNames(self) -> list[str]:
        return list(self._sliceWidgets)

    def sliceWidget(self, name: str) -> SliceWidget | None:
        return self._sliceWidgets.get(name)

    def mrmlSliceLogics(self) -> Any:
        return self._logics

    @property
    def threeDViewCount(self) -> int:
        return len(slicer.util.getNodesByClass("vtkMRMLViewNode", self._scene))

    def threeDWidget(self, index: int) -> ThreeDWidget | None:
        nodes = slicer.util.getNodesByClass("vtkMRMLViewNode", self._scene)
        return ThreeDWidget(nodes[index]) if index < len(nodes) else None

    def resetSliceViews(self) -> None:
        for widget in self._sliceWidgets.values():
            widget.sliceLogic().FitSliceToAll()

    def resetThreeDViews(self) -> None:
        """There is no camera to be moved."""

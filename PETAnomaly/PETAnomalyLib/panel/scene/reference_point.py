"""A reference region in the scene: a point that the user moves, as wide as the region is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.util import VTKObservationMixin


def addPoint(name: str, ras: np.ndarray, width: float) -> Any:
    """A markups node with one point at (R, A, S) mm that looks `width` mm wide."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is not None:
        display.SetGlyphType(display.Circle2D)
        display.SetUseGlyphScale(False)
    showWidth(node, width)
    movePoint(node, ras, name)
    return node


def showWidth(node: Any, width: float) -> None:
    """Let a point look `width` mm wide."""
    display = node.GetDisplayNode() if node is not None else None
    if display is not None and display.GetGlyphSize() != width:
        display.SetGlyphSize(width)


def movePoint(node: Any, ras: np.ndarray, name: str) -> None:
    """Put the point elsewhere; the node has one, whatever it had."""
    with slicer.util.NodeModify(node):
        node.RemoveAllControlPoints()
        node.AddControlPoint([float(value) for value in ras], name)


def placeOf(node: Any) -> np.ndarray | None:
    """(R, A, S) mm of its first point that is placed; None without one."""
    if node is None:
        return None
    for index in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(index) == node.PositionDefined:
            ras = [0.0, 0.0, 0.0]
            node.GetNthControlPointPositionWorld(index, ras)
            return np.array(ras)
    return None


class PointWatch(VTKObservationMixin):
    """`onMoved()` follows the points of the watched nodes while they are moved."""

    def __init__(self) -> None:
        VTKObservationMixin.__init__(self)
        self.onMoved: Callable[[], None] = lambda: None
        self._watched: list = []

    def watch(self, nodes: list) -> None:
        """These nodes from now on, and no others; None among them is passed over."""
        wanted = [node for node in nodes if node is not None]
        if wanted == self._watched:
            return
        self.removeObservers()
        self._watched = wanted
        for node in wanted:
            for event in (
                node.PointModifiedEvent,
                node.PointRemovedEvent,
                node.PointPositionDefinedEvent,
            ):
                self.addObserver(node, event, self._onMoved)

    def _onMoved(self, _caller: Any, _event: Any) -> None:
        self.onMoved()

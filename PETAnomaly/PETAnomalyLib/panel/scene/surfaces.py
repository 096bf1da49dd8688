"""The findings' surfaces, made one after the other while the window stays alive.

Slicer makes them all at once, each from the labelmap that all share: 8.2 s for 25 findings of a
whole body. Here each comes from its own small box, by Slicer's own conversion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer  # slicer.util looks for qt
import vtk

from PETAnomalyLib.panel.scene import findings_segmentation

SURFACE = "Closed surface"


class SurfaceMaker:
    """`start` gives every segment of a segmentation its surface, a segment at a time; `onDone()`
    follows when all have one. `stop` leaves it at that.
    """

    def __init__(self) -> None:
        self.onDone: Callable[[], None] = lambda: None
        self._node: Any = None
        self._waiting: list[str] = []
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._onTimeout)

    @property
    def isBusy(self) -> bool:
        return self._node is not None

    def start(self, node: Any) -> None:
        """Begin, or begin anew."""
        self._node = node
        segmentation = node.GetSegmentation()
        self._waiting = [
            identifier
            for identifier in findings_segmentation.segmentIds(node)
            if segmentation.GetSegment(identifier).GetRepresentation(SURFACE) is None
        ]
        self._timer.start()

    def stop(self) -> None:
        """Make no more."""
        self._timer.stop()
        self._node, self._waiting = None, []

    def _onTimeout(self) -> None:
        node = self._node
        if node is None or node.GetScene() is None:
            self.stop()
            return
        if self._waiting:
            makeSurface(node, self._waiting.pop(0))
            self._timer.start()
            return
        self.stop()
        self.onDone()


def makeSurface(node: Any, identifier: str) -> None:
    """Give one segment its surface; one without voxels gets an empty one."""
    segment = node.GetSegmentation().GetSegment(identifier)
    if segment is None:
        return  # deleted meanwhile
    image = findings_segmentation.ownImage(node, identifier)
    if image is None:
        segment.AddRepresentation(SURFACE, vtk.vtkPolyData())
        return
    scratch, copy = slicer.vtkSegmentation(), slicer.vtkSegment()
    copy.SetLabelValue(1)
    copy.AddRepresentation(findings_segmentation.LABELMAP, image)
    scratch.SetSourceRepresentationName(findings_segmentation.LABELMAP)
    scratch.AddSegment(copy, identifier)
    scratch.CreateRepresentation(SURFACE)
    segment.AddRepresentation(SURFACE, copy.GetRepresentation(SURFACE))

"""A place that the reader clicks on, in any view: Slicer's own place mode, for one point.

The mouse's place between clicks comes from the crosshair node, which every view keeps up to date
(as the Data Probe uses it); Escape or a right click end the mode as they always do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import qt
import slicer  # slicer.util looks for qt
from slicer.util import VTKObservationMixin

HOVER_MS = 80


class PlacePicker(Protocol):
    """Tells where the reader points at, as (R, A, S) in mm."""

    onPicked: Callable[[np.ndarray], None]
    onHover: Callable[[np.ndarray], None]
    onEnded: Callable[[], None]

    def start(self) -> None: ...

    def stop(self) -> None: ...


class SpotPicker(VTKObservationMixin):
    """`PlacePicker` by a markups point that is gone again once it was placed.

    `start` begins; `onHover(ras)` comes when the mouse rests somewhere, `onPicked(ras)` at the
    click, and `onEnded()` last, also when the reader thinks better of it. `stop` ends it silently.
    """

    def __init__(self) -> None:
        VTKObservationMixin.__init__(self)
        self.onPicked: Callable[[np.ndarray], None] = lambda _ras: None
        self.onHover: Callable[[np.ndarray], None] = lambda _ras: None
        self.onEnded: Callable[[], None] = lambda: None
        self._point: Any = None
        self._picked: np.ndarray | None = None
        self._hover = _timer(HOVER_MS, self._onHoverTimeout)
        self._end = _timer(0, self._onEnd)  # not while Slicer still handles the click itself

    @property
    def point(self) -> Any:
        """The markups node that is being placed, or None."""
        return self._point

    def start(self) -> None:
        """Wait for a click."""
        self.stop()
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLMarkupsFiducialNode")
        node.UnRegister(None)  # the Python variable holds it
        node.SetName(slicer.mrmlScene.GenerateUniqueName("PETAnomaly spot"))
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        self._point = slicer.mrmlScene.AddNode(node)
        node.CreateDefaultDisplayNodes()  # without one no view places it
        self.addObserver(node, node.PointPositionDefinedEvent, self._onPlaced)
        crosshair = _crosshair()
        if crosshair is not None:
            self.addObserver(crosshair, crosshair.CursorPositionModifiedEvent, self._onMoved)
        logic = slicer.app.applicationLogic()
        selection, interaction = logic.GetSelectionNode(), logic.GetInteractionNode()
        selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
        selection.SetActivePlaceNodeID(self._point.GetID())
        interaction.SetPlaceModePersistence(False)
        interaction.SetCurrentInteractionMode(interaction.Place)
        self.addObserver(interaction, interaction.InteractionModeChangedEvent, self._onMode)

    def stop(self) -> None:
        """Wait no longer."""
        self.removeObservers()
        self._hover.stop()
        self._end.stop()
        point, self._point, self._picked = self._point, None, None
        if point is None:
            return
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if interaction.GetCurrentInteractionMode() == interaction.Place:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        if point.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(point)

    def _onPlaced(self, _caller: Any, _event: Any) -> None:
        point, ras = self._point, [0.0, 0.0, 0.0]
        for index in range(point.GetNumberOfControlPoints()):  # a view's preview is one too
            if point.GetNthControlPointPositionStatus(index) == point.PositionDefined:
                point.GetNthControlPointPositionWorld(index, ras)
                self._picked = np.array(ras)
                self._end.start()
                return

    def _onMode(self, interaction: Any, _event: Any) -> None:
        if interaction.GetCurrentInteractionMode() != interaction.Place:
            self._end.start()

    def _onEnd(self) -> None:
        picked = self._picked
        self.stop()
        if picked is not None:
            self.onPicked(picked)
        self.onEnded()

    def _onMoved(self, _crosshair: Any, _event: Any) -> None:
        self._hover.start()

    def _onHoverTimeout(self) -> None:
        crosshair = _crosshair()
        ras = [0.0, 0.0, 0.0]
        if crosshair is not None and crosshair.GetCursorPositionRAS(ras):
            self.onHover(np.array(ras))


def _crosshair() -> Any:
    """The node that knows where the mouse is; None in a Slicer without views."""
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")


def _timer(milliseconds: int, slot: Callable[[], None]) -> Any:
    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer

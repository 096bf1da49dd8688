"""Noticing what happens to the chosen volumes themselves: a parameter node tells only that another
one was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.util import VTKObservationMixin
from vtk import vtkCommand


class VolumeWatch(VTKObservationMixin):
    """`onChanged()` follows whatever is done to the watched nodes: voxels, units, matrix,
    transform, display node.

    Call `watch` with the present choice as often as you like, and with nothing when the module is
    left or the scene closes.

        watch.watch((parameters.pet, parameters.ct))
    """

    def __init__(self) -> None:
        VTKObservationMixin.__init__(self)
        self.onChanged: Callable[[], None] = lambda: None
        self._watched: list = []

    def watch(self, nodes: Sequence[Any]) -> None:
        """These volumes from now on, and no others; None among them is passed over."""
        wanted = [node for node in nodes if node is not None]
        if len(wanted) == len(self._watched) and all(
            one is other for one, other in zip(wanted, self._watched)
        ):
            return
        self.removeObservers()
        self._watched = wanted
        for node in dict.fromkeys(wanted):
            for event in (
                vtkCommand.ModifiedEvent,
                slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent,
                slicer.vtkMRMLTransformableNode.TransformModifiedEvent,
                slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent,
            ):
                self.addObserver(node, event, self._onEvent)

    def _onEvent(self, _caller: Any, _event: Any) -> None:
        self.onChanged()

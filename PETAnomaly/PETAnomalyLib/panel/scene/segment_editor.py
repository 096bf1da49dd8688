"""Slicer's Segment Editor inside the panel, with the PET as source volume."""

from __future__ import annotations

from typing import Any, Protocol

import slicer  # slicer.util looks for qt

EDITOR_TAG = "PETAnomaly"
UNDO_STATES = 10


class FindingsEditor(Protocol):
    """Where a hand changes segments."""

    @property
    def isOpen(self) -> bool: ...

    def open(self, segmentation: Any, pet: Any, segment: str = "") -> None: ...

    def close(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def select(self, segment: str) -> None: ...

    def saveStateForUndo(self) -> None: ...

    def undo(self) -> None: ...


class SegmentEditing:
    """`FindingsEditor` that embeds Slicer's own; made when it is first opened.

    `open` shows the editor on a segmentation, `close` leaves it. Call `pause` when the module is
    left and `resume` when it is entered again: two editors must not share the keyboard.

    Whether it is open is kept here: Slicer's widget itself, hidden or not, takes up the next
    segmentation that comes into the scene.
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._widget: Any = None
        self._isOpen = False

    @property
    def isOpen(self) -> bool:
        return self._isOpen

    @property
    def widget(self) -> Any:
        """The qMRMLSegmentEditorWidget, or None before the first opening."""
        return self._widget

    def open(self, segmentation: Any, pet: Any, segment: str = "") -> None:
        """Edit a segmentation with the PET as source volume.

        Args:
            segmentation, pet: nodes.
            segment: the one to start with; empty for the first.
        """
        if self._widget is None:
            self._widget = self._makeWidget()
        self._widget.setMRMLSegmentEditorNode(_editorNode())
        self._widget.setSegmentationNode(segmentation)
        self._widget.setSourceVolumeNode(pet)
        if segment:
            self._widget.setCurrentSegmentID(segment)
        self._widget.setupViewObservations()
        self._widget.installKeyboardShortcuts()
        self._frame.visible = True
        self._isOpen = True

    def close(self) -> None:
        """Leave the editor; what was edited stays."""
        self._frame.visible = False
        if not self._isOpen:
            return
        self._isOpen = False
        self._widget.setActiveEffect(None)
        self._widget.uninstallKeyboardShortcuts()
        self._widget.removeViewObservations()
        self._widget.setSegmentationNode(None)
        self._widget.setSourceVolumeNode(None)

    def pause(self) -> None:
        """The module is left: give mouse and keyboard back."""
        if self.isOpen:
            self._widget.setActiveEffect(None)
            self._widget.uninstallKeyboardShortcuts()
            self._widget.removeViewObservations()

    def resume(self) -> None:
        """The module is entered again."""
        if self.isOpen:
            self._widget.setupViewObservations()
            self._widget.installKeyboardShortcuts()

    def select(self, segment: str) -> None:
        """Go on with this segment."""
        if self.isOpen:
            self._widget.setCurrentSegmentID(segment)

    def saveStateForUndo(self) -> None:
        """What comes now from outside can be taken back like a stroke."""
        if self.isOpen:
            self._widget.saveStateForUndo()

    def undo(self) -> None:
        """Take the last stroke back, or what came from outside last."""
        if self.isOpen:
            self._widget.undo()

    def _makeWidget(self) -> Any:
        widget = slicer.qMRMLSegmentEditorWidget()
        widget.setMaximumNumberOfUndoStates(UNDO_STATES)
        widget.setMRMLScene(slicer.mrmlScene)
        widget.setSegmentationNodeSelectorVisible(False)
        widget.setSourceVolumeNodeSelectorVisible(False)
        widget.setSwitchToSegmentationsButtonVisible(False)
        # The panel's own switch says which layers are seen; the editor would put the PET below.
        widget.setAutoShowSourceVolumeNode(False)
        self._frame.layout().addWidget(widget)
        return widget


def _editorNode() -> Any:
    """The editor's own parameter node, one for this module."""
    node = slicer.mrmlScene.GetSingletonNode(EDITOR_TAG, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(EDITOR_TAG)
        node = slicer.mrmlScene.AddNode(node)
    return node

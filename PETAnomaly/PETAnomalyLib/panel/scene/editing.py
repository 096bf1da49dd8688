"""Correcting findings by hand: Segment Editor on the segmentation, and a table that follows.

`SegmentEditing` embeds Slicer's own editor below the table, with the PET as source volume.
`EditWatch` notices what was changed, whoever changed it (the embedded editor, the Segment Editor
module, a script): half a second after the last stroke it says which segments differ.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.util import VTKObservationMixin

from PETAnomalyLib.panel.scene import findings_segmentation

EDITOR_TAG = "PETAnomaly"
SETTLE_MS = 500
UNDO_STATES = 10


class SegmentEditing:
    """The Segment Editor inside the panel; made when it is first opened.

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

    def undo(self) -> None:
        """Take back the last stroke."""
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


class EditWatch(VTKObservationMixin):
    """Tells which of a segmentation's segments were changed, added or removed by hand.

    `onEdited(changed, removed)` gets two lists of segment identifiers, `SETTLE_MS` after the last
    change. What happens inside `with watch.ownChange():` does not count.
    """

    def __init__(self) -> None:
        VTKObservationMixin.__init__(self)
        self.onEdited: Callable[[list[str], list[str]], None] = lambda _changed, _removed: None
        self._segmentation = None
        self._known: dict[str, int] = {}
        self._own = 0
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self.settle)

    def watch(self, node: Any) -> None:
        """Watch this segmentation from its present state on; None to watch nothing."""
        self.removeObservers()
        self._timer.stop()
        self._segmentation = node
        self._known = {}
        if node is None:
            return
        segmentation = node.GetSegmentation()
        for event in (
            slicer.vtkSegmentation.SourceRepresentationModified,
            slicer.vtkSegmentation.SegmentModified,
            slicer.vtkSegmentation.SegmentAdded,
            slicer.vtkSegmentation.SegmentRemoved,
        ):
            self.addObserver(segmentation, event, self._onModified)
        self._remember()

    @contextmanager
    def ownChange(self) -> Any:
        """The panel itself draws: not an edit."""
        self._own += 1
        try:
            yield
        finally:
            self._own -= 1
            self._timer.stop()
            if self._segmentation is not None:
                self._remember()

    def settle(self) -> None:
        """Look now, rather than when the strokes have settled."""
        self._timer.stop()
        node = self._segmentation
        if node is None or node.GetScene() is None:
            return
        present = findings_segmentation.fingerprints(node)
        changed = [name for name, value in present.items() if self._known.get(name) != value]
        removed = [name for name in self._known if name not in present]
        self._known = present
        if changed or removed:
            self.onEdited(changed, removed)

    def _remember(self) -> None:
        self._known = findings_segmentation.fingerprints(self._segmentation)

    def _onModified(self, _caller: Any, _event: Any) -> None:
        if not self._own:
            self._timer.start()


def _editorNode() -> Any:
    """The editor's own parameter node, one for this module."""
    node = slicer.mrmlScene.GetSingletonNode(EDITOR_TAG, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(EDITOR_TAG)
        node = slicer.mrmlScene.AddNode(node)
    return node

"""What was done to the findings by hand, a step at a time, and the way back.

While the Segment Editor is open its own undo has every step, the panel's too: one order of steps,
one button. When it is closed, all that was done in it is one step.
"""

from __future__ import annotations

from typing import Any

import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.scene import findings_segmentation
from PETAnomalyLib.panel.scene.finding_tags import commentOf, numberOf, verdictOf
from PETAnomalyLib.panel.scene.segment_editor import FindingsEditor

MOST_STEPS = 20


class Steps:
    """The states that a segmentation had: its segments with their voxels, names, colours and tags.

    `save` before a change, `undo` to go back to the last state that differs from the present one.

    Attributes:
        editor: where a hand changes segments; set by whoever opens it.
    """

    def __init__(self) -> None:
        self.editor: FindingsEditor | None = None
        self._node: Any = None
        self._history = slicer.vtkSegmentationHistory()
        self._history.SetMaximumNumberOfStates(MOST_STEPS)

    def follow(self, node: Any) -> None:
        """Another segmentation, or none: what was saved is forgotten."""
        self._node = node
        self._history.RemoveAllStates()
        self._history.SetSegmentation(node.GetSegmentation() if node is not None else None)

    def forget(self) -> None:
        """The findings are others now: there is no way back to those."""
        self._history.RemoveAllStates()

    @property
    def isUndoPossible(self) -> bool:
        if self._openEditor is not None:
            return True  # the editor does not say
        return self._node is not None and bool(self._history.IsRestorePreviousStateAvailable())

    def save(self) -> None:
        """Keep the present state: it is about to change."""
        editor = self._openEditor
        if editor is not None:
            editor.saveStateForUndo()
        elif self._node is not None:
            self._history.SaveState()

    def undo(self) -> bool:
        """Go back one step; whether anything is different now."""
        if self._node is None:
            return False
        before = self._state()
        editor = self._openEditor
        if editor is not None:
            editor.undo()
            return self._state() != before
        while self._history.IsRestorePreviousStateAvailable():
            self._history.RestorePreviousState()
            if self._state() != before:
                return True
        return False

    @property
    def _openEditor(self) -> FindingsEditor | None:
        return self.editor if self.editor is not None and self.editor.isOpen else None

    def _state(self) -> tuple:
        segmentation = self._node.GetSegmentation()
        said = []
        for identifier in sorted(findings_segmentation.segmentIds(self._node)):
            segment = segmentation.GetSegment(identifier)
            tags = (numberOf(segment), verdictOf(segment), commentOf(segment))
            said.append((identifier, segment.GetName(), tags))
        return tuple(said), tuple(sorted(findings_segmentation.fingerprints(self._node).items()))

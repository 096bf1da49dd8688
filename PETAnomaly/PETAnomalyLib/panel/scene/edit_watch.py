"""Noticing what was changed by hand, whoever changed it: the embedded Segment Editor, the module of
that name, a script. Half a second after the last stroke it is said which segments differ.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import qt
import slicer  # slicer.util looks for qt
from slicer.util import VTKObservationMixin

from PETAnomalyLib.panel.scene import findings_segmentation

SETTLE_MS = 500


class SegmentationWatch(Protocol):
    """Tells which of a segmentation's segments were changed, added or removed by others."""

    onEdited: Callable[[list[str], list[str]], None]

    def watch(self, node: Any) -> None: ...

    def ownChange(self) -> AbstractContextManager: ...

    def settle(self) -> None: ...


class EditWatch(VTKObservationMixin):
    """`SegmentationWatch` by fingerprints of each segment's voxels.

    `onEdited(changed, removed)` gets two lists of segment identifiers, `SETTLE_MS` after the last
    change. What happens inside `with watch.ownChange():` does not count.
    """

    def __init__(self) -> None:
        VTKObservationMixin.__init__(self)
        self.onEdited: Callable[[list[str], list[str]], None] = lambda _changed, _removed: None
        self._segmentation = None
        self._known: dict[str, str] = {}
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
            if not self._own:
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

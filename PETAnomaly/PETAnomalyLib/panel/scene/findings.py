"""The findings of the chosen PET in the scene: what they are, and every way they change.

A finding is a segment and a row of the table node; both are changed here, together, so that they
stay the same findings. What a control draws anew and what a hand changes come this way, and so
will what else is said about a finding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PETAnomalyLib.panel.parameters import (
    Parameters,
    findingsSegmentation,
    findingsTable,
    live,
    scoreMap,
)
from PETAnomalyLib.panel.scene import findings_segmentation, findings_table_node
from PETAnomalyLib.panel.scene.drawing import Drawing
from PETAnomalyLib.panel.scene.edit_watch import EditWatch, SegmentationWatch
from PETAnomalyLib.panel.scene.findings_table_node import Row


class SceneFindings:
    """Segments and rows of the last run of the chosen PET.

    `replace` draws them anew, `remove` takes some away by hand, and what a hand does to segments is
    measured once it has settled. `onChanged()` follows each change; `handEdited` of the parameter
    node says that a hand had a part in it.

    Args:
        watch: notices what a hand does to segments.
    """

    def __init__(self, watch: SegmentationWatch | None = None) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self._parameters: Parameters = None
        self._watched: str | None = None  # the segmentation's ID
        self._watch = watch if watch is not None else EditWatch()
        self._watch.onEdited = self._onEdited

    @property
    def segmentation(self) -> Any:
        """The node, or None."""
        return findingsSegmentation(self._parameters) if self._parameters is not None else None

    @property
    def table(self) -> Any:
        """The node, or None."""
        return findingsTable(self._parameters) if self._parameters is not None else None

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self._parameters = parameters
        self.stop()

    def follow(self) -> bool:
        """The parameter node may name another segmentation now: whether it does."""
        segmentation = self.segmentation
        identifier = segmentation.GetID() if segmentation is not None else None
        if identifier == self._watched:
            return False
        self._watched = identifier
        self._watch.watch(segmentation)
        return True

    def rows(self) -> list[Row]:
        """The findings as the table node keeps them."""
        table = self.table
        return findings_table_node.read(table) if table is not None else []

    def settle(self) -> None:
        """Measure what a hand did until now, rather than when it has rested."""
        self._watch.settle()

    def replace(self, drawing: Drawing) -> None:
        """These findings instead of those that are there."""
        segmentation = self.segmentation
        with self._watch.ownChange():
            findings_segmentation.draw(
                segmentation, live(self._parameters.pet), drawing.labels, drawing.findings
            )
        self._write([Row(f, findings_segmentation.segmentId(f.number)) for f in drawing.findings])

    def remove(self, segments: list[str]) -> None:
        """Take findings away, as a correction by hand."""
        segmentation = self.segmentation
        if segmentation is None or not segments:
            return
        with self._watch.ownChange():
            for segment in segments:
                segmentation.GetSegmentation().RemoveSegment(segment)
        self._parameters.handEdited = True
        self._write([row for row in self.rows() if row.segment not in segments])

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watched = None
        self._watch.watch(None)

    def _onEdited(self, changed: list[str], removed: list[str]) -> None:
        """The table follows a hand's edit."""
        parameters, segmentation = self._parameters, self.segmentation
        pet, score = live(parameters.pet), scoreMap(parameters, parameters.scorer)
        if segmentation is None or pet is None or score is None:
            return
        rows = {row.segment: row for row in self.rows() if row.segment not in removed}
        free = max((row.finding.number for row in rows.values()), default=0) + 1
        for segment in changed:
            number = rows[segment].finding.number if segment in rows else free
            finding = findings_segmentation.measureSegment(
                segmentation, segment, number, pet, score
            )
            if finding is None:
                rows.pop(segment, None)
                continue
            free = max(free, number + 1)
            rows[segment] = Row(finding, segment, edited=True)
            with self._watch.ownChange():
                findings_segmentation.rename(segmentation, segment, finding)
        parameters.handEdited = True
        self._write(sorted(rows.values(), key=lambda row: row.finding.number))

    def _write(self, rows: list[Row]) -> None:
        table = self.table
        if table is not None:
            findings_table_node.write(table, rows)
        self.onChanged()

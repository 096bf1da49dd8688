"""The findings of the chosen PET, or MR, in the scene: what they are, and every way they change.

A finding is a segment and a row of the table node. What is said of it (number, name, colour,
verdict, comment) stands on the segment; the row has its measurements, and follows. So whatever a
control draws, a hand changes or undo brings back, the rows are those of the segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from PETAnomalyLib.engine.findings.segmentation import segment_id
from PETAnomalyLib.panel.parameters import (
    Parameters,
    findingsSegmentation,
    findingsTable,
    live,
    scoreMap,
    studyImage,
)
from PETAnomalyLib.panel.scene import finding_tags, findings_segmentation, findings_table_node
from PETAnomalyLib.panel.scene.carry_over import carriedOver
from PETAnomalyLib.panel.scene.drawing import Drawing
from PETAnomalyLib.panel.scene.edit_watch import EditWatch, SegmentationWatch
from PETAnomalyLib.panel.scene.finding_kinds import kindFor
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.steps import Steps


class SceneFindings:
    """Segments and rows of the last run of the chosen PET, or MR.

    `replace` draws them anew; what a hand does to segments is measured once it has settled. What
    the panel itself does by hand is a `step`, and `undo` takes the last one back. `onChanged()`
    follows each change; `handEdited` of the parameter node says whether the findings differ from
    what the software drew. `describe(rows)` gives rows their further columns.

        with findings.step() as segmentation:
            segmentation.GetSegmentation().RemoveSegment("Finding_3")

    Args:
        watch: notices what a hand does to segments.
        steps: what can be taken back.
    """

    def __init__(self, watch: SegmentationWatch | None = None, steps: Steps | None = None) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self.describe: Callable[[list[Row]], list[Row]] = lambda rows: rows
        self.steps = steps if steps is not None else Steps()
        self._parameters: Parameters = None
        self._watched: tuple = ()  # the IDs of segmentation and table
        self._measured: dict[str, Any] = {}  # by the fingerprint of a segment's voxels
        self._highest = 0  # number that was ever given
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

    @property
    def nextNumber(self) -> int:
        """That no finding has or had."""
        return self._highest + 1

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self._parameters = parameters
        self.stop()

    def follow(self) -> bool:
        """The parameter node may name other findings now: whether it does."""
        nodes = (self.segmentation, self.table)
        identifiers = tuple(node.GetID() if node is not None else None for node in nodes)
        if identifiers == self._watched:
            return False
        self._watched = identifiers
        self._learn()
        self._watch.watch(self.segmentation)
        self.steps.follow(self.segmentation)
        return True

    def rows(self) -> list[Row]:
        """The findings: measured as the table node keeps them, judged as their segments say."""
        table, segmentation = self.table, self.segmentation
        if table is None:
            return []
        rows = findings_table_node.read(table)
        return rows if segmentation is None else [_judged(segmentation, row) for row in rows]

    def settle(self) -> None:
        """Measure what a hand did until now, rather than when it has rested."""
        self._watch.settle()

    def replace(self, drawing: Drawing) -> None:
        """These findings instead of those that are there; what was said of them goes over."""
        segmentation, image = self.segmentation, studyImage(self._parameters)
        said = carriedOver(segmentation, image, self.rows(), drawing.labels)
        with self._watch.ownChange():
            findings_segmentation.draw(segmentation, image, drawing.labels, drawing.findings)
            for number, (verdict, comment) in said.items():
                segment = segmentation.GetSegmentation().GetSegment(segment_id(number))
                finding_tags.setVerdict(segment, verdict)
                finding_tags.setComment(segment, comment)
        self.steps.forget()
        rows = [Row(f, segment_id(f.number)) for f in drawing.findings]
        self._write([_judged(segmentation, row) for row in rows])
        self._learn()

    @contextmanager
    def step(self) -> Iterator[Any]:
        """Something done by hand, that can be taken back; gives the segmentation."""
        self.settle()
        self.steps.save()
        with self._watch.ownChange():
            yield self.segmentation
            self.refresh()

    def undo(self) -> bool:
        """Take the last step back; whether there was one."""
        self.settle()
        with self._watch.ownChange():
            undone = self.steps.undo()
            if undone:
                self.refresh()
        return undone

    def remove(self, segments: list[str]) -> None:
        """Take findings away, as a correction by hand."""
        if self.segmentation is None or not segments:
            return
        with self.step() as segmentation:
            for segment in segments:
                segmentation.GetSegmentation().RemoveSegment(segment)

    def judge(self, segments: list[str], verdict: str) -> None:
        """Say what findings are.

        Args:
            segments: their identifiers.
            verdict: one of `verdict.VERDICTS`.
        """
        self._tell(segments, finding_tags.verdictOf, finding_tags.setVerdict, verdict)

    def comment(self, segments: list[str], comment: str) -> None:
        """Say something about findings."""
        self._tell(segments, finding_tags.commentOf, finding_tags.setComment, comment)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watched = ()
        self._watch.watch(None)
        self.steps.follow(None)

    def refresh(self) -> None:
        """The rows and `handEdited` follow the segments."""
        if self.segmentation is None or studyImage(self._parameters) is None:
            return
        with self._watch.ownChange():
            rows, present = self._measureAll()
        drawn = findings_segmentation.asDrawn(self.segmentation)
        self._parameters.handEdited = present != (drawn or {})
        self._write(rows)

    def describeAgain(self) -> None:
        """What `describe` looks at has changed."""
        table = self.table
        if table is None:
            return
        rows = findings_table_node.read(table)
        described = self.describe(rows)
        if described != rows:
            findings_table_node.write(table, described)
            self.onChanged()

    def _measureAll(self) -> tuple[list[Row], dict[int, str]]:
        """A row for every segment that holds something, by number; and what it holds."""
        parameters, segmentation = self._parameters, self.segmentation
        image, score = studyImage(parameters), scoreMap(parameters, parameters.scorer)
        mask, kind = live(parameters.scoredMask), kindFor(parameters)
        prints = findings_segmentation.fingerprints(segmentation)
        drawn = findings_segmentation.asDrawn(segmentation) or {}
        before = {row.segment: row for row in self.rows()}
        present, rows = {}, []
        for identifier, number in self._numbers(segmentation, list(prints)).items():
            print_ = prints[identifier]
            finding = self._measured.get(print_) or findings_segmentation.measureSegment(
                segmentation, identifier, number, image, score, mask, kind
            )
            if finding is None:
                continue  # painted outside the image
            self._measured[print_] = finding = replace(finding, number=number)
            findings_segmentation.rename(segmentation, identifier, finding)
            present[number] = print_
            row = Row(
                finding,
                identifier,
                byHand=drawn.get(number) != print_,
                further=_stillSaid(before, identifier, finding),
            )
            rows.append(_judged(segmentation, row))
        return sorted(rows, key=lambda row: row.finding.number), present

    def _tell(self, segments: list[str], present: Any, put: Any, text: str) -> None:
        if self.segmentation is None:
            return
        known = self.segmentation.GetSegmentation()
        told = [known.GetSegment(name) for name in segments if known.GetSegment(name) is not None]
        if all(present(segment) == text for segment in told):
            return
        with self.step():
            for segment in told:
                put(segment, text)

    def _numbers(self, segmentation: Any, identifiers: list[str]) -> dict[str, int]:
        """Of each segment. What came by hand gets the next one, also a copy of one that has one."""
        taken: dict[str, int] = {}
        for identifier in identifiers:
            segment = segmentation.GetSegmentation().GetSegment(identifier)
            number = finding_tags.numberOf(segment)
            if number is None or number in taken.values():
                number = self._highest + 1
                finding_tags.setNumber(segment, number)
            taken[identifier] = number
            self._highest = max(self._highest, number)
        return taken

    def _learn(self) -> None:
        """What the rows say was measured on the segments as they are; segments of scenes that were
        saved by an earlier version get their numbers.
        """
        self._measured, self._highest = {}, 0
        segmentation = self.segmentation
        if segmentation is None:
            return
        prints, rows = findings_segmentation.fingerprints(segmentation), self.rows()
        for row in rows:
            segment = segmentation.GetSegmentation().GetSegment(row.segment)
            if segment is None:
                continue
            if finding_tags.numberOf(segment) is None:
                finding_tags.setNumber(segment, row.finding.number)
            if row.segment in prints:
                self._measured[prints[row.segment]] = row.finding
        drawn = findings_segmentation.asDrawn(segmentation)
        if drawn is None and self.table is not None:
            drawn = {
                row.finding.number: "" if row.byHand else prints.get(row.segment, "")
                for row in rows
            }
            findings_segmentation.setDrawn(segmentation, drawn)
        numbers = [row.finding.number for row in rows]
        self._highest = max([0, *numbers, *(drawn or {})])

    def _onEdited(self, _changed: list[str], _removed: list[str]) -> None:
        """The rows follow a hand's edit."""
        self.refresh()

    def _write(self, rows: list[Row]) -> None:
        table = self.table
        if table is not None:
            findings_table_node.write(table, rows)
            # Described as they are read back: with the table's decimals, whenever that is done.
            findings_table_node.write(table, self.describe(self.rows()))
        self.onChanged()


def _stillSaid(
    before: dict[str, Row], identifier: str, finding: Any
) -> tuple[tuple[str, str], ...]:
    """The further columns of a finding, empty where they were said of another outline."""
    known = next(iter(before.values())).further if before else ()
    row = before.get(identifier)
    if row is not None and findings_table_node.sameCells(row.finding, finding):
        return row.further
    return tuple((name, "") for name, _text in known)


def _judged(segmentation: Any, row: Row) -> Row:
    """The row with what its segment says of the finding."""
    segment = segmentation.GetSegmentation().GetSegment(row.segment)
    if segment is None:
        return row
    return replace(
        row,
        verdict=finding_tags.verdictOf(segment),
        comment=finding_tags.commentOf(segment),
    )

"""Reading the findings: lesion, physiological or unsure, a comment, and on to the next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.verdict import LESION, PHYSIOLOGICAL, UNSURE
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.sections.findings_table import FindingsTable


class TriageControls:
    """The three verdicts, the comment, and the ways to the next finding, from the selected ones.

    A verdict on a finding that had none yet leads on to the next such one, so that a study is read
    with a key a finding.

    Args:
        ui: the widgets by name.
        findings: that are read.
        table: says which.
    """

    def __init__(self, ui: Any, findings: SceneFindings, table: FindingsTable) -> None:
        self._ui = ui
        self._findings = findings
        self._table = table
        self._buttons = {
            LESION: ui.lesionButton,
            PHYSIOLOGICAL: ui.physiologicalButton,
            UNSURE: ui.unsureButton,
        }
        for verdict, button in self._buttons.items():
            button.clicked.connect(partial(self._onVerdict, verdict))
        ui.nextButton.clicked.connect(self._onNext)
        ui.upButton.clicked.connect(partial(self._onStep, -1))
        ui.downButton.clicked.connect(partial(self._onStep, 1))
        ui.commentEdit.editingFinished.connect(self._onComment)
        ui.commentEdit.returnPressed.connect(self._onCommentReturn)

    def update(self) -> None:
        """Show what was said of the selected findings."""
        rows = self._selected()
        said = {row.verdict for row in rows}
        for verdict, button in self._buttons.items():
            button.enabled = bool(rows)
            button.checked = said == {verdict}
        edit = self._ui.commentEdit
        edit.enabled = bool(rows)
        comments = {row.comment for row in rows}
        if not edit.hasFocus():  # else somebody is typing
            edit.text = comments.pop() if len(comments) == 1 else ""
        for button in (self._ui.upButton, self._ui.downButton, self._ui.nextButton):
            button.enabled = self._findings.table is not None

    def judge(self, verdict: str) -> None:
        """Say what the selected findings are."""
        rows = self._selected()
        segments = [row.segment for row in rows]
        self._findings.judge(segments, verdict)
        self.update()
        if len(rows) == 1 and rows[0].verdict == UNSURE != verdict:
            self.next()

    def next(self) -> None:
        """Go to the next finding without a verdict, in the table's order, from the selected one."""
        segments = self._table.segments()
        undecided = {row.segment for row in self._findings.rows() if row.verdict == UNSURE}
        selected = self._table.selectedSegments()
        start = segments.index(selected[-1]) + 1 if selected else 0
        for segment in segments[start:] + segments[:start]:
            if segment in undecided:
                self._table.selectSegment(segment)
                return
        if segments:
            slicer.util.showStatusMessage(_("Every finding has a verdict."), 3000)

    def step(self, steps: int) -> None:
        """Go so many rows down the table, or up; it ends at its ends."""
        segments, selected = self._table.segments(), self._table.selectedSegments()
        if not segments:
            return
        row = segments.index(selected[0 if steps < 0 else -1]) + steps if selected else 0
        self._table.selectSegment(segments[min(max(row, 0), len(segments) - 1)])

    def _selected(self) -> Sequence[Row]:
        selected = set(self._table.selectedSegments())
        return [row for row in self._findings.rows() if row.segment in selected]

    def _onVerdict(self, verdict: str, _checked: bool = False) -> None:
        self.judge(verdict)
        self._table.takeFocus()

    def _onNext(self, _checked: bool = False) -> None:
        self.next()
        self._table.takeFocus()

    def _onStep(self, steps: int, _checked: bool = False) -> None:
        self.step(steps)
        self._table.takeFocus()

    def _onComment(self) -> None:
        rows, text = self._selected(), self._ui.commentEdit.text
        if rows and any(row.comment != " ".join(text.split()) for row in rows):
            self._findings.comment([row.segment for row in rows], text)

    def _onCommentReturn(self) -> None:
        self._table.takeFocus()

"""The panel's findings after a run: table, totals, and the controls that change them.

Three things can change findings: a run, a control (`delineation.py`, `redrawing.py`) and a hand
(`triage.py`, `correction.py`). This file binds them to the findings that are in the scene, and
shows those.
"""

from __future__ import annotations

import html
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.engine.findings.measures import cell
from PETAnomalyLib.panel.environment import models
from PETAnomalyLib.panel.parameters import Parameters, live, scoreMap
from PETAnomalyLib.panel.scene import findings_segmentation, slice_views
from PETAnomalyLib.panel.scene.drawing import Drawer
from PETAnomalyLib.panel.scene.finding_kinds import kindFor
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.run_record import warningsOf
from PETAnomalyLib.panel.scene.segment_editor import FindingsEditor
from PETAnomalyLib.panel.scene.shape_measures import Diameters
from PETAnomalyLib.panel.scene.verdict_display import dimPhysiological
from PETAnomalyLib.panel.sections.adding import AddingControls
from PETAnomalyLib.panel.sections.correction import CorrectionControls
from PETAnomalyLib.panel.sections.delineation import Delineation, DelineationControls
from PETAnomalyLib.panel.sections.dicom_export import DicomExport
from PETAnomalyLib.panel.sections.export import FindingsExport
from PETAnomalyLib.panel.sections.findings_table import FindingsTable
from PETAnomalyLib.panel.sections.look import Look, inHex
from PETAnomalyLib.panel.sections.reading_keys import ReadingKeys
from PETAnomalyLib.panel.sections.redrawing import Redrawing
from PETAnomalyLib.panel.sections.reference import ReferenceControls
from PETAnomalyLib.panel.sections.report import ReportControls
from PETAnomalyLib.panel.sections.runs import RunsTable
from PETAnomalyLib.panel.sections.study import WARNING
from PETAnomalyLib.panel.sections.totals import totalsText
from PETAnomalyLib.panel.sections.triage import TriageControls


class FindingsSection:
    """Everything about the findings after a run.

    `update` follows the parameter node. Going to a finding and showing or hiding it are the table's
    gestures; what else happens to findings is each control's own.

    Args:
        ui: the widgets by name.
        findings, drawer, editor: collaborators; a test may hand in its own.
    """

    def __init__(
        self,
        ui: Any,
        findings: SceneFindings | None = None,
        drawer: Drawer | None = None,
        editor: FindingsEditor | None = None,
    ) -> None:
        self._ui = ui
        self._parameters: Parameters = None
        self._shownNodes: tuple = ()
        self._diameters = Diameters()
        self.inScene = findings if findings is not None else SceneFindings()
        self.inScene.onChanged = self._showNodes
        self.table = FindingsTable(ui.findingsTable)
        self.table.onJump = self._onJump
        self.table.onVisibility = self._onVisibility
        self.delineation = DelineationControls(ui)
        self.redrawing = Redrawing(self.inScene, drawer)
        self.redrawing.onRefused = self._onRefused
        self.redrawing.onFailed = self._onDrawFailed
        self.correction = CorrectionControls(ui, self.inScene, self.table, editor)
        self.adding = AddingControls(ui, self.inScene, self.table)
        self.triage = TriageControls(ui, self.inScene, self.table)
        self.keys = ReadingKeys(ui.findingsTable)
        self.table.onSelection = self._onSelection
        self.keys.onVerdict = self.triage.judge
        self.keys.onNext = self.triage.next
        self.runs = RunsTable(ui, self.inScene)
        self.export = FindingsExport(ui, self.inScene)
        self.dicom = DicomExport(ui, self.inScene)
        self.reference = ReferenceControls(ui, self.inScene)
        self.report = ReportControls(
            ui, self.inScene, self.delineation.describe, self.reference.facts
        )
        ui.resetButton.clicked.connect(self.reset)

    def setParameters(self, parameters: Parameters | None, model: Any) -> None:
        """Follow another parameter node: what it shows counts as drawn."""
        self.redrawing.setParameters(parameters)
        self.adding.setParameters(parameters)
        self.report.setParameters(parameters)
        self.reference.setParameters(parameters)
        self.dicom.setParameters(parameters)
        self.correction.setParameters(parameters)  # an open editor is closed: what it did counts
        self._parameters = parameters
        self._shownNodes = ()
        self._diameters.forget()
        self.delineation.setParameters(parameters)
        self.inScene.setParameters(parameters)
        self.runs.setParameters(parameters)
        if parameters is None:
            self.table.show([], lambda _segment: True)
            return
        self.update(model)

    def update(self, model: Any) -> None:
        """Follow the parameter node: refill, and redraw when a control moved.

        Args:
            model: the chosen bundle, or None.
        """
        if self._parameters is None:
            return
        self._showNodes()
        self.reference.update()
        self.delineation.update(model)
        self.redrawing.follow(self.delineation.wanted())
        self.runs.update()

    def rows(self) -> list[Row]:
        """The findings as the scene keeps them."""
        return self.inScene.rows()

    def reset(self) -> None:
        """The model's own threshold, smallest volume and growth; drawn anew in any case."""
        if self._parameters is None:
            return
        self.delineation.reset()
        wanted = self.delineation.wanted()
        if wanted is not None:
            self.redrawing.request(wanted)

    def enter(self) -> None:
        """The module is shown."""
        self.correction.editor.resume()
        self.keys.enter()

    def exit(self) -> None:
        """Another module is shown."""
        self.correction.editor.pause()
        self.keys.exit()
        self.adding.stop()

    def showFirst(self) -> None:
        """Go to the first finding, with the keyboard when nothing else has it."""
        segments = self.table.segments()
        if segments:
            self.table.selectSegment(segments[0])
            if self._ui.detectButton.hasFocus():
                self.table.takeFocus()

    def stop(self) -> None:
        """End what is under way: the scene closes or the module goes."""
        self.keys.exit()
        self.adding.stop()
        self.redrawing.stop()
        self.reference.stop()
        self.correction.closeEditor()
        self.inScene.stop()

    def _showNodes(self) -> None:
        """Table and buttons follow the nodes."""
        if self.inScene.follow() and self.correction.editor.isOpen:
            self.correction.closeEditor()
        segmentation, table = self.inScene.segmentation, self.inScene.table
        nodes = (
            kindFor(self._parameters),
            segmentation.GetID() if segmentation is not None else None,
            table.GetID() if table is not None else None,
            table.GetMTime() if table is not None else 0,
        )
        if nodes != self._shownNodes:
            self._shownNodes = nodes
            self._showTable()
            self._showWarnings()
            self.runs.update()
        parameters = self._parameters
        self._ui.resetButton.enabled = scoreMap(parameters, parameters.scorer) is not None
        self.correction.update()
        self.adding.update()
        self.export.update()
        self.report.update()

    def _showWarnings(self) -> None:
        """Above the findings: they are to be read with these in mind."""
        label, warnings = self._ui.warningState, warningsOf(self.inScene.segmentation)
        label.visible = bool(warnings)
        if not warnings:
            return
        look = Look(label.palette)
        more = _("<br>and {n} more (rest the mouse here)").format(n=len(warnings) - 1)
        text = html.escape(warnings[0]) + (more if len(warnings) > 1 else "")
        mark = f"<span style='color:{inHex(look.warning)}'>{WARNING}</span>"
        label.text = f"{mark} {text}"
        label.toolTip = "\n".join(warnings)

    def _showTable(self) -> None:
        rows, segmentation = self.rows(), self.inScene.segmentation
        self.table.show(
            rows,
            lambda name: slice_views.isSegmentVisible(self._parameters, name),
            lambda row: findings_segmentation.colourOf(segmentation, row.segment),
            self._measured,
            kindFor(self._parameters),
        )
        self.triage.update()
        dimPhysiological(segmentation, rows)
        self._ui.totalsState.text = (
            totalsText(rows)
            if self.inScene.table is not None
            else _("The findings of a run appear here.")
        )

    def _measured(self, row: Row) -> tuple[tuple[str, str], ...]:
        if isinstance(row.finding, HeadFinding):
            return ()  # what is measured in an MR has columns of its own
        pet, segmentation = live(self._parameters.pet), self.inScene.segmentation
        mean = ("suv_mean", cell(row.finding.suv_mean))
        if pet is None or segmentation is None:
            return (mean,)
        return (mean, ("diameter_mm", cell(self._diameters.of(row, segmentation, pet))))

    def _onJump(self, segment: str) -> None:
        finding = next((row.finding for row in self.rows() if row.segment == segment), None)
        if finding is not None:
            slice_views.jumpTo(
                (finding.centroid_r_mm, finding.centroid_a_mm, finding.centroid_s_mm)
            )
        self.correction.editor.select(segment)

    def _onSelection(self) -> None:
        self.triage.update()
        self.adding.update()

    def _onVisibility(self, segment: str, shown: bool) -> None:
        slice_views.setSegmentVisible(self._parameters, segment, shown)

    def _onRefused(self, drawn: Delineation) -> None:
        self.delineation.goBack(drawn)

    def _onDrawFailed(self, error: Exception) -> None:
        self._ui.totalsState.text = models.describeError(error)

"""The panel's findings: threshold, table, correction by hand, export.

Three things can change the findings: a run, a control (threshold, smallest volume, growth, scorer)
and a hand. A control redraws them from the map that is there. What a hand did is marked, and is
replaced by a redraw only after asking; when the answer is no, the control goes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctk
import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment import models
from PETAnomalyLib.panel.parameters import (
    DEFAULT_GROWTH,
    Parameters,
    findingsSegmentation,
    findingsTable,
    live,
    scoreMap,
    setThreshold,
    threshold,
)
from PETAnomalyLib.panel.scene import display, findings_segmentation, findings_table_node
from PETAnomalyLib.panel.scene.editing import EditWatch, SegmentEditing
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.map_range import mapRange
from PETAnomalyLib.panel.scene.placing import SCORER_ATTRIBUTE, THRESHOLD_ATTRIBUTE
from PETAnomalyLib.panel.scene.redraw import Drawing, DrawSettings, Redraw
from PETAnomalyLib.panel.sections.findings_table import FindingsTable, totalsText

GROWTH_PRESETS = (0.4, 0.41, 0.5, 0.0)  # 41 %: EANM 2.0; 50 %: many nodes' choice


class FindingsSection:
    """Everything about the findings after a run.

    `redraw`, `editing` and `watch` may be handed in by a test.
    """

    def __init__(
        self,
        ui: Any,
        redraw: Redraw | None = None,
        editing: SegmentEditing | None = None,
        watch: EditWatch | None = None,
    ) -> None:
        self._ui = ui
        self._parameters: Parameters = None
        self._model = None
        self._filling = False
        self._asking = False
        # What was asked for, a map and its settings; what was drawn; the segmentation it is in.
        self._requested: tuple[str | None, DrawSettings] | None = None
        self._drawn: tuple[str | None, DrawSettings] | None = None
        self._drawnIn = None
        self._shownNodes: tuple = ()
        self._range: tuple = ()
        self.table = FindingsTable(ui.findingsTable)
        self.table.onJump = self._onJump
        self.table.onVisibility = self._onVisibility
        self.table.onDelete = self.deleteFindings
        self.redraw = redraw if redraw is not None else Redraw()
        self.redraw.onDrawn = self._onDrawn
        self.redraw.onFailed = self._onDrawFailed
        self.editing = editing if editing is not None else SegmentEditing(ui.editorFrame)
        self.watch = watch if watch is not None else EditWatch()
        self.watch.onEdited = self._onEdited
        # Else CTK gives its number of decimals to the sliders of the embedded Segment Editor.
        ui.thresholdSlider.synchronizeSiblings = ctk.ctkSliderWidget.NoSynchronize
        ui.thresholdSlider.valueChanged.connect(self._onThreshold)
        ui.growthCombo.currentIndexChanged.connect(self._onGrowth)
        ui.editButton.toggled.connect(self._onEditToggled)
        ui.deleteButton.clicked.connect(lambda: self.deleteFindings(self.table.selectedSegments()))
        ui.resetButton.clicked.connect(self.reset)
        ui.exportButton.clicked.connect(self._onExport)

    def setParameters(self, parameters: Parameters | None, model: Any) -> None:
        """Follow another parameter node: what it shows counts as drawn."""
        self.redraw.forget()
        self.closeEditor()
        self._parameters = parameters
        self._model = model
        self._requested = self._drawn = self._drawnIn = None
        self._shownNodes = ()
        if parameters is None:
            self.watch.watch(None)
            self.table.show([], lambda _segment: True)
            return
        self.update(model)

    def update(self, model: Any) -> None:
        """Follow the parameter node: refill, and redraw when a control moved.

        Args:
            model: the chosen bundle, or None.
        """
        self._model = model
        parameters = self._parameters
        if parameters is None:
            return
        self._showNodes()
        self._showControls()
        wanted = self._wanted()
        segmentation = findingsSegmentation(parameters)
        if wanted is None or segmentation is not self._drawnIn:
            # A run, or a scene that was opened, brought these findings: they are as drawn.
            self.redraw.forget()
            self._requested = self._drawn = wanted
            self._drawnIn = segmentation
        elif wanted != self._requested:
            self._onWanted(wanted)

    def rows(self) -> list[Row]:
        """The table's rows as the scene keeps them."""
        table = findingsTable(self._parameters) if self._parameters is not None else None
        return findings_table_node.read(table) if table is not None else []

    def mayBeReplaced(self) -> bool:
        """Before a run that replaces the last one's results: ask for what was changed by hand."""
        self.watch.settle()
        parameters = self._parameters
        return not (parameters.replaceResults and parameters.handEdited) or self._ask(
            _("The findings were changed by hand. Replace them by the new run's?"),
            _("Replace the findings"),
        )

    def effectiveThreshold(self) -> float | None:
        """Of the chosen scorer: the radiologist's, else the one that the map's model came with."""
        parameters = self._parameters
        chosen = threshold(parameters, parameters.scorer)
        if chosen is not None:
            return chosen
        node = scoreMap(parameters, parameters.scorer)
        text = node.GetAttribute(THRESHOLD_ATTRIBUTE) if node is not None else None
        if text:
            return float(text)
        return models.defaultThreshold(self._model, parameters.scorer) if self._model else None

    def deleteFindings(self, segments: list[str]) -> None:
        """Remove findings, as a correction by hand."""
        parameters = self._parameters
        segmentation = findingsSegmentation(parameters) if parameters is not None else None
        if segmentation is None or not segments:
            return
        if self.editing.isOpen:
            self.editing.widget.saveStateForUndo()
        with self.watch.ownChange():
            for segment in segments:
                segmentation.GetSegmentation().RemoveSegment(segment)
        parameters.handEdited = True
        self._writeRows([row for row in self.rows() if row.segment not in segments])

    def reset(self) -> None:
        """The model's own threshold, smallest volume and growth; drawn anew in any case."""
        parameters = self._parameters
        if parameters is None:
            return
        with slicer.util.NodeModify(parameters):
            setThreshold(parameters, parameters.scorer, None)
            parameters.growth = DEFAULT_GROWTH
            if self._model is not None:
                parameters.minimumVolume = self._model.min_volume_ml
        wanted = self._wanted()
        if wanted is not None:
            self._onWanted(wanted)

    def exportCsv(self, path: Path) -> bool:
        """Write the table; a folder that can't be written to is said."""
        try:
            findings_table_node.writeCsv(path, self.rows())
        except OSError as error:
            slicer.util.errorDisplay(
                _("The table was not written to {path}: {why}").format(
                    path=path, why=error.strerror or error
                )
            )
            return False
        slicer.util.showStatusMessage(_("Written: {path}").format(path=path), 5000)
        return True

    def closeEditor(self) -> None:
        """Leave the Segment Editor, if it is open."""
        self.editing.close()
        self._ui.editButton.checked = False

    def stop(self) -> None:
        """End what is under way: the scene closes or the module goes."""
        self.redraw.forget()
        self.closeEditor()
        self.watch.watch(None)

    # What is shown

    def _showNodes(self) -> None:
        """Table, watch and buttons follow the nodes."""
        parameters = self._parameters
        segmentation, table = findingsSegmentation(parameters), findingsTable(parameters)
        nodes = (
            segmentation.GetID() if segmentation is not None else None,
            table.GetID() if table is not None else None,
            table.GetMTime() if table is not None else 0,
        )
        ui = self._ui
        if nodes[0] != (self._shownNodes[0] if self._shownNodes else None):
            self.watch.watch(segmentation)
            if self.editing.isOpen:
                self.closeEditor()
        if nodes != self._shownNodes:
            self._shownNodes = nodes
            self._showTable()
        for button in (ui.editButton, ui.deleteButton):
            button.enabled = segmentation is not None
        ui.exportButton.enabled = table is not None
        ui.resetButton.enabled = scoreMap(parameters, parameters.scorer) is not None
        ui.editedState.visible = parameters.handEdited
        ui.editedState.text = _("Changed by hand: a redraw asks before it replaces them.")

    def _showTable(self) -> None:
        rows = self.rows()
        self.table.show(rows, lambda name: display.isSegmentVisible(self._parameters, name))
        self._ui.totalsState.text = (
            totalsText(rows)
            if findingsTable(self._parameters) is not None
            else _("The findings of a run appear here.")
        )

    def _showControls(self) -> None:
        self._filling = True
        self._showThreshold()
        self._showGrowth()
        self._filling = False

    def _showThreshold(self) -> None:
        parameters, slider = self._parameters, self._ui.thresholdSlider
        node = scoreMap(parameters, parameters.scorer)
        value = self.effectiveThreshold()
        if node is None or value is None:
            slider.enabled = False
            return
        slider.enabled = True
        key = (node.GetID(), node.GetImageData().GetMTime())
        if not self._range or self._range[0] != key:
            self._range = (key, mapRange(node, value))
        bounds = self._range[1]
        slider.decimals = bounds.decimals
        slider.minimum = min(bounds.low, value)
        slider.maximum = max(bounds.high, value)
        slider.singleStep = bounds.step  # last: a step wider than the range is not taken
        unit = models.SCORER_UNITS[parameters.scorer]
        slider.suffix = f" {unit}" if unit else ""
        slider.value = value

    def _showGrowth(self) -> None:
        combo = self._ui.growthCombo
        choices = list(GROWTH_PRESETS)
        if self._parameters.growth not in choices:
            choices.insert(0, self._parameters.growth)
        if [combo.itemData(index) for index in range(combo.count)] != choices:
            combo.clear()
            for share in choices:
                title = _("{n:g} % of its SUVmax").format(n=100 * share)
                combo.addItem(title if share else _("No growing"), share)
        combo.setCurrentIndex(choices.index(self._parameters.growth))

    # What the radiologist does

    def _onThreshold(self, value: float) -> None:
        if not self._filling and self._parameters is not None:
            setThreshold(self._parameters, self._parameters.scorer, value)

    def _onGrowth(self, index: int) -> None:
        if not self._filling and self._parameters is not None and index >= 0:
            self._parameters.growth = float(self._ui.growthCombo.itemData(index))

    def _onJump(self, segment: str) -> None:
        finding = next((row.finding for row in self.rows() if row.segment == segment), None)
        if finding is not None:
            display.jumpTo((finding.centroid_r_mm, finding.centroid_a_mm, finding.centroid_s_mm))
        if self.editing.isOpen:
            self.editing.widget.setCurrentSegmentID(segment)

    def _onVisibility(self, segment: str, shown: bool) -> None:
        display.setSegmentVisible(self._parameters, segment, shown)

    def _onEditToggled(self, opened: bool) -> None:
        parameters = self._parameters
        segmentation = findingsSegmentation(parameters) if parameters is not None else None
        if opened and segmentation is not None:
            selected = self.table.selectedSegments()
            self.editing.open(segmentation, live(parameters.pet), selected[0] if selected else "")
        else:
            self.editing.close()
            self.watch.settle()

    def _onExport(self) -> None:
        name = findingsTable(self._parameters).GetName()
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(), _("Export the findings"), f"{name}.csv", "CSV (*.csv)"
        )
        if path:
            self.exportCsv(Path(path))

    # Drawing

    def _wanted(self) -> tuple[str | None, DrawSettings] | None:
        """The map and the settings that the controls ask for; None without a map."""
        parameters = self._parameters
        node = scoreMap(parameters, parameters.scorer)
        value = self.effectiveThreshold()
        if node is None or value is None or findingsSegmentation(parameters) is None:
            return None
        settings = DrawSettings(value, parameters.growth, parameters.minimumVolume)
        return node.GetID(), settings

    def _onWanted(self, wanted: tuple[str | None, DrawSettings]) -> None:
        parameters = self._parameters
        if live(parameters.pet) is None or self._asking:
            return
        if not self._mayRedraw():
            self._goBack()
            return
        self._requested = wanted
        self.redraw.request(
            live(parameters.pet),
            scoreMap(parameters, parameters.scorer),
            live(parameters.scoredMask),
            wanted[1],
        )

    def _mayRedraw(self) -> bool:
        """Ask before what a hand did is lost; afterwards it counts as given up."""
        if self._parameters.handEdited and not self._ask(
            _("The findings were changed by hand. Draw them anew and lose these changes?"),
            _("Redraw the findings"),
        ):
            return False
        self._parameters.handEdited = False
        return True

    def _ask(self, question: str, title: str) -> bool:
        self._asking = True
        try:
            return slicer.util.confirmOkCancelDisplay(question, windowTitle=title)
        finally:
            self._asking = False

    def _goBack(self) -> None:
        """The controls return to what the findings were drawn with."""
        if self._drawn is None:
            return
        self._requested = self._drawn
        mapId, settings = self._drawn
        parameters = self._parameters
        with slicer.util.NodeModify(parameters):
            node = slicer.mrmlScene.GetNodeByID(mapId)
            scorer = node.GetAttribute(SCORER_ATTRIBUTE) if node is not None else None
            if scorer:
                parameters.scorer = scorer
            setThreshold(parameters, parameters.scorer, settings.threshold)
            parameters.growth = settings.growth
            parameters.minimumVolume = settings.minimumVolume
        self._showControls()

    def _onDrawn(self, drawing: Drawing) -> None:
        parameters = self._parameters
        segmentation = findingsSegmentation(parameters) if parameters is not None else None
        pet = live(parameters.pet) if parameters is not None else None
        if segmentation is None or segmentation is not self._drawnIn or pet is None:
            return  # of findings that a run has replaced meanwhile
        self.watch.settle()
        if not self._mayRedraw():  # changed by hand since the redraw was asked for
            self.redraw.forget()
            self._goBack()
            return
        if self._requested is not None:
            self._drawn = (self._requested[0], drawing.settings)
        with self.watch.ownChange():
            findings_segmentation.draw(segmentation, pet, drawing.labels, drawing.findings)
        self._writeRows(
            [Row(f, findings_segmentation.segmentId(f.number)) for f in drawing.findings]
        )
        if parameters.view3D:
            display.show3D(parameters)

    def _onDrawFailed(self, error: Exception) -> None:
        self._ui.totalsState.text = models.describeError(error)

    def _onEdited(self, changed: list[str], removed: list[str]) -> None:
        """The table follows a hand's edit."""
        parameters = self._parameters
        segmentation = findingsSegmentation(parameters)
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
            with self.watch.ownChange():
                findings_segmentation.rename(segmentation, segment, finding)
        parameters.handEdited = True
        self._writeRows(sorted(rows.values(), key=lambda row: row.finding.number))

    def _writeRows(self, rows: list[Row]) -> None:
        table = findingsTable(self._parameters)
        if table is not None:
            findings_table_node.write(table, rows)
        self._showNodes()

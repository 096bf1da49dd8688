"""Correcting findings by hand: the Segment Editor on them, deleting, and that it was done."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, studyImage
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.segment_editor import FindingsEditor, SegmentEditing
from PETAnomalyLib.panel.sections.findings_table import FindingsTable


class CorrectionControls:
    """The buttons Edit and Delete, the Delete key, and the line that says what a hand did.

    Args:
        ui: the widgets by name.
        findings: that are corrected.
        table: says which.
        editor: changes their segments.
    """

    def __init__(
        self,
        ui: Any,
        findings: SceneFindings,
        table: FindingsTable,
        editor: FindingsEditor | None = None,
    ) -> None:
        self._ui = ui
        self._findings = findings
        self._table = table
        self._parameters: Parameters = None
        self.editor = editor if editor is not None else SegmentEditing(ui.editorFrame)
        findings.steps.editor = self.editor
        table.onDelete = self.delete
        ui.editButton.toggled.connect(self._onEditToggled)
        ui.deleteButton.clicked.connect(lambda: self.delete(table.selectedSegments()))
        ui.undoButton.clicked.connect(self._onUndo)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self.closeEditor()
        self._parameters = parameters

    def update(self) -> None:
        """Show what can be corrected, and whether it was."""
        ui = self._ui
        for button in (ui.editButton, ui.deleteButton):
            button.enabled = self._findings.segmentation is not None
        ui.undoButton.enabled = (
            self._findings.segmentation is not None and self._findings.steps.isUndoPossible
        )
        ui.editedState.visible = self._parameters.handEdited
        ui.editedState.text = _("Changed by hand: a redraw asks before it replaces them.")

    def delete(self, segments: list[str]) -> None:
        """Remove findings; undo brings them back."""
        self._findings.remove(segments)

    def closeEditor(self) -> None:
        """Leave the Segment Editor, if it is open."""
        self.editor.close()
        self._ui.editButton.checked = False

    def _onUndo(self, _checked: bool = False) -> None:
        self._findings.undo()

    def _onEditToggled(self, opened: bool) -> None:
        segmentation = self._findings.segmentation
        if opened and segmentation is not None:
            self._findings.steps.save()
            selected = self._table.selectedSegments()
            image = studyImage(self._parameters)
            self.editor.open(segmentation, image, selected[0] if selected else "")
        else:
            self.editor.close()
            self._findings.settle()

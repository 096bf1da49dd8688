"""The findings as a file for others: the button Export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.panel.scene import findings_table_node
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.sections.saving import isWritten


class FindingsExport:
    """Writes the table as CSV where the radiologist wants it."""

    def __init__(self, ui: Any, findings: SceneFindings) -> None:
        self._ui = ui
        self._findings = findings
        ui.exportButton.clicked.connect(self._onExport)

    def update(self) -> None:
        """There is something to export, or there is not."""
        self._ui.exportButton.enabled = self._findings.table is not None

    def writeCsv(self, path: Path) -> bool:
        """Write the table; a folder that can't be written to is said."""
        rows, table = self._findings.rows(), self._findings.table
        kind = findings_table_node.kindOf(table) if table is not None else Finding
        return isWritten(
            path,
            lambda place: findings_table_node.writeCsv(place, rows, kind),
            _("The table was not written to {path}: {why}"),
        )

    def _onExport(self) -> None:
        name = self._findings.table.GetName()
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(), _("Export the findings"), f"{name}.csv", "CSV (*.csv)"
        )
        if path:
            self.writeCsv(Path(path))

"""The button Report: the reading as a page, HTML or PDF."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live, scoreMap
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.head_picture import writeHeadPicture
from PETAnomalyLib.panel.scene.mip_picture import writeNumberedMip
from PETAnomalyLib.panel.scene.report import reportHtml
from PETAnomalyLib.panel.scene.totals import lesions
from PETAnomalyLib.panel.sections.saving import isWritten

BLACK_SUV = 8.0  # what the picture shows black; the liver stays light


class ReportControls:
    """Writes the report where the radiologist wants it.

    Args:
        ui: the widgets by name.
        findings: that were read.
        describe: with which settings they are drawn.
        references: what they are seen beside.
    """

    def __init__(
        self,
        ui: Any,
        findings: SceneFindings,
        describe: Callable[[], dict[str, Any]],
        references: Callable[[], list[tuple[str, str]]],
    ) -> None:
        self._ui = ui
        self._findings = findings
        self._describe = describe
        self._references = references
        self._parameters: Parameters = None
        ui.reportButton.clicked.connect(self._onReport)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self._parameters = parameters

    def update(self) -> None:
        """There is something to report, or there is not."""
        self._ui.reportButton.enabled = self._findings.segmentation is not None

    def write(self, path: Path) -> bool:
        """Write `.pdf` or, with any other ending, HTML; what can't be written is said."""
        self._findings.settle()
        return isWritten(path, self._write, _("The report was not written to {path}: {why}"))

    def _write(self, path: Path) -> None:
        rows = self._findings.rows()
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "picture.png"
            self._draw(picture, rows)
            page = reportHtml(
                self._parameters, rows, picture.read_bytes(), self._describe(), self._references()
            )
        if path.suffix.lower() == ".pdf":
            writePdf(path, page)
        else:
            path.write_text(page, encoding="utf-8")

    def _draw(self, picture: Path, rows: list[Row]) -> None:
        """The lesions: in the PET from the front, in an MR slice by slice."""
        parameters = self._parameters
        if not isOfMr(parameters):
            writeNumberedMip(picture, live(parameters.pet), lesions(rows), BLACK_SUV)
            return
        scorer = parameters.scorer
        writeHeadPicture(
            picture,
            live(parameters.mr),
            scoreMap(parameters, scorer),
            self._findings.segmentation,
            lesions(rows),
            scorer,
            self._describe().get("threshold"),
        )

    def _onReport(self, _checked: bool = False) -> None:
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(),
            _("Report of the reading"),
            "report.pdf",
            "PDF (*.pdf);;HTML (*.html)",
        )
        if path:
            self.write(Path(path))


def writePdf(path: Path, page: str) -> None:
    """Print a page of HTML into a file.

    Raises:
        OSError: nothing was written.
    """
    printer = qt.QPrinter(qt.QPrinter.PrinterResolution)
    printer.setOutputFormat(qt.QPrinter.PdfFormat)
    printer.setOutputFileName(str(path))
    document = qt.QTextDocument()
    document.setHtml(page)
    document.print_(printer)
    if not path.is_file() or not path.stat().st_size:
        raise OSError(_("nothing was written"))

"""The button DICOM: where the findings come from and go to as DICOM objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.jobs.dicom_export import OBJECTS
from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live, scoreMap
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.inputs import dicomFiles


class DicomExport:
    """Asks for what is not known, the PET's DICOM files and a folder; `onExport(series, folder)`
    does the rest.
    """

    def __init__(self, ui: Any, findings: SceneFindings) -> None:
        self.onExport: Callable[[Path | Sequence[Path], Path], None] = lambda _series, _folder: None
        self._ui = ui
        self._findings = findings
        self._parameters: Parameters = None
        ui.dicomButton.clicked.connect(self._onClick)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self._parameters = parameters

    def update(self, isBusy: bool) -> None:
        """There is something to export and nothing else under way, or not."""
        self._ui.dicomButton.enabled = (
            not isOfMr(self._parameters)
            and self._findings.segmentation is not None
            and scoreMap(self._parameters, self._parameters.scorer) is not None
            and not isBusy
        )

    def _onClick(self, _checked: bool = False) -> None:
        self._findings.settle()
        series: Path | Sequence[Path] = dicomFiles(live(self._parameters.pet))
        window = slicer.util.mainWindow()
        if not series:
            chosen = qt.QFileDialog.getExistingDirectory(
                window, _("Folder with the DICOM files of this PET")
            )
            if not chosen:
                return
            series = Path(chosen)
        chosen = qt.QFileDialog.getExistingDirectory(window, _("Folder for the DICOM objects"))
        if chosen and self._mayReplace(Path(chosen)):
            self.onExport(series, Path(chosen))

    def _mayReplace(self, folder: Path) -> bool:
        present = [name for name in OBJECTS if (folder / name).exists()]
        if not present:
            return True
        question = _("{folder} has {names} already. Replace?").format(
            folder=folder, names=_(" and ").join(present)
        )
        return bool(slicer.util.confirmOkCancelDisplay(question, windowTitle=_("Export DICOM")))

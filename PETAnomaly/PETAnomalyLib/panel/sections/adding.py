"""Adding a finding by a click, merging and splitting."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.environment.models import describeError
from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live, scoreMap, studyImage
from PETAnomalyLib.panel.scene import adding, reshaping
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.findings_segmentation import addSegment
from PETAnomalyLib.panel.scene.spot_picker import PlacePicker, SpotPicker
from PETAnomalyLib.panel.scene.spot_preview import SpotPreview
from PETAnomalyLib.panel.sections.findings_table import FindingsTable


class AddingControls:
    """The buttons Add, Merge and Split.

    Add waits for a click on a hot spot; while the mouse rests, what a click there would add is
    drawn, and said in the status line. A click into a finding that is there goes to it instead.

    Args:
        ui: the widgets by name.
        findings: that are added to.
        table: says which are merged or split.
        picker: tells where the reader clicks.
    """

    def __init__(
        self,
        ui: Any,
        findings: SceneFindings,
        table: FindingsTable,
        picker: PlacePicker | None = None,
    ) -> None:
        self._ui = ui
        self._findings = findings
        self._table = table
        self._parameters: Parameters = None
        self._preview = SpotPreview()
        self.picker = picker if picker is not None else SpotPicker()
        self.picker.onPicked = self.addAt
        self.picker.onHover = self._onHover
        self.picker.onEnded = self._onEnded
        ui.addButton.toggled.connect(self._onAddToggled)
        ui.mergeButton.clicked.connect(self._onMerge)
        ui.splitButton.clicked.connect(self._onSplit)

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self.stop()
        self._parameters = parameters

    def update(self) -> None:
        """Show what can be done to the selected findings."""
        isThere = self._findings.segmentation is not None
        selected = len(self._table.selectedSegments())
        ofMr = self._parameters is not None and isOfMr(self._parameters)
        self._ui.addButton.enabled = isThere and not ofMr
        self._ui.contourCombo.visible = not ofMr
        self._ui.mergeButton.enabled = isThere and selected > 1
        self._ui.splitButton.enabled = isThere and selected == 1

    def stop(self) -> None:
        """Wait for no click any more."""
        self.picker.stop()
        self._preview.clear()
        self._ui.addButton.checked = False

    def addAt(self, ras: np.ndarray) -> None:
        """Add the hot spot at (R, A, S) mm as a finding by hand; say why when there is none."""
        parameters, segmentation = self._parameters, self._findings.segmentation
        pet = live(parameters.pet) if parameters is not None else None
        if segmentation is None or pet is None:
            return
        try:
            spot = adding.spotAt(pet, ras, parameters.contour)
        except InputError as error:
            slicer.util.warningDisplay(describeError(error))
            return
        there = adding.segmentAt(segmentation, pet, spot.hottest)
        if there:
            slicer.util.showStatusMessage(_("This is a finding already."), 3000)
            self._table.selectSegment(there)
            return
        mask = adding.withoutOthers(segmentation, pet, spot)
        number = self._findings.nextNumber
        with self._findings.step() as node:
            made = addSegment(node, number, f"Finding {number} ", pet, mask, spot.start)
        self._table.selectSegment(made)

    def _onHover(self, ras: np.ndarray) -> None:
        pet = live(self._parameters.pet)
        if pet is None:
            return
        try:
            spot = adding.spotAt(pet, ras, self._parameters.contour)
        except InputError as error:
            self._preview.clear()
            slicer.util.showStatusMessage(error.message)
            return
        self._preview.show(pet, spot)
        suv = float(slicer.util.arrayFromVolume(pet)[spot.hottest])
        volume = spot.mask.sum() * np.prod(pet.GetSpacing()) / 1000.0
        slicer.util.showStatusMessage(
            _("A click adds SUVmax {suv:.1f}, {volume:.1f} ml.").format(suv=suv, volume=volume)
        )

    def _onAddToggled(self, wanted: bool) -> None:
        if wanted and self._findings.segmentation is not None:
            slicer.util.showStatusMessage(_("Click on the hot spot in a slice view."))
            self.picker.start()
        else:
            self.picker.stop()
            self._preview.clear()

    def _onEnded(self) -> None:
        self._preview.clear()
        self._ui.addButton.checked = False

    def _onMerge(self, _checked: bool = False) -> None:
        selected = set(self._table.selectedSegments())
        rows = [row for row in self._findings.rows() if row.segment in selected]
        if len(rows) > 1:
            kept = reshaping.merge(self._findings, studyImage(self._parameters), rows)
            self._table.selectSegment(kept)

    def _onSplit(self, _checked: bool = False) -> None:
        selected = self._table.selectedSegments()
        rows = [row for row in self._findings.rows() if row.segment in selected[:1]]
        if not rows:
            return
        parameters = self._parameters
        ofMr, score = isOfMr(parameters), scoreMap(parameters, parameters.scorer)
        heat = score if ofMr and score is not None else studyImage(parameters)
        made = reshaping.divide(self._findings, heat, rows[0])
        if made:
            self._table.selectSegment(made)
        else:
            said = (
                _("This finding has one peak of the score only.")
                if ofMr
                else _("This finding has one hot spot only.")
            )
            slicer.util.showStatusMessage(said, 5000)

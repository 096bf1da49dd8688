"""The section Reference: organs, liver and blood pool, and what the patient weighs without fat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.lean_body_mass import HEIGHT_LIMITS_CM, WEIGHT_LIMITS_KG
from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.organs import Place
from PETAnomalyLib.engine.findings.reference import (
    BLOOD_POOL_RADIUS_MM,
    Uptake,
    blood_pool_place,
    liver_place,
)
from PETAnomalyLib.engine.findings.reference_columns import AORTA, LIVER, References
from PETAnomalyLib.engine.findings.response_criteria import NO_UPTAKE
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.environment.models import describeError
from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live, studyImage
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.organs import SceneOrgans
from PETAnomalyLib.panel.scene.patient import patientOf
from PETAnomalyLib.panel.scene.reference_point import (
    PointWatch,
    addPoint,
    movePoint,
    showWidth,
)
from PETAnomalyLib.panel.scene.references import (
    further,
    placeOfSegment,
    referencesOf,
)
from PETAnomalyLib.panel.scene.sites import SceneSites
from PETAnomalyLib.panel.scene.totals import lesions
from PETAnomalyLib.panel.scene.volume_files import ijkToRas

MOVING_MS = 60  # what a moved point tells is looked at this often


class ReferenceControls:
    """Places the two reference regions, follows them, and gives the findings their columns.

    A region is placed from the organs where they are given, else in the middle of the PET; it can
    be dragged from there. Values follow while it moves.

    Args:
        ui: the widgets by name.
        findings: that are described.
        organs: a collaborator; a test may hand in its own.
    """

    def __init__(self, ui: Any, findings: SceneFindings, organs: SceneOrgans | None = None) -> None:
        self._ui = ui
        self._findings = findings
        self._parameters: Parameters = None
        self._places: dict[tuple[str, Finding], Place] = {}
        self.organs = organs if organs is not None else SceneOrgans()
        self.organs.onChanged = self._onOrgans
        self.sites = SceneSites()
        self._watch = PointWatch()
        self._moving = qt.QTimer()
        self._moving.setSingleShot(True)
        self._moving.setInterval(MOVING_MS)
        self._moving.timeout.connect(self._onMoved)
        self._watch.onMoved = self._moving.start
        findings.describe = self.described
        ui.organsSelector.setMRMLScene(slicer.mrmlScene)
        ui.liverButton.clicked.connect(partial(self._onPlace, "liverPoint"))
        ui.bloodPoolButton.clicked.connect(partial(self._onPlace, "bloodPoolPoint"))

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self.stop()
        self._parameters = parameters

    def update(self) -> None:
        """Follow the parameter node."""
        parameters = self._parameters
        if parameters is None:
            return
        self._ui.referenceSection.visible = not isOfMr(parameters)
        if isOfMr(parameters):  # uptake alone is seen beside liver and blood
            self.stop()
            self._findings.describeAgain()
            return
        pet = live(parameters.pet)
        if pet is not None and live(parameters.referencePet) is not pet:
            self._beginWith(pet)
        self.organs.follow(live(parameters.organs), pet)
        showWidth(live(parameters.liverPoint), parameters.liverDiameter)
        self._watch.watch([live(parameters.liverPoint), live(parameters.bloodPoolPoint)])
        self._ui.liverButton.enabled = self._ui.bloodPoolButton.enabled = pet is not None
        self._findings.describeAgain()
        self._show()

    def stop(self) -> None:
        """Follow nothing any more."""
        self._moving.stop()
        self._watch.watch([])
        self.organs.stop()
        self._places = {}

    def described(self, rows: list[Row]) -> list[Row]:
        """The rows with their further columns."""
        if self._parameters is None:
            return rows
        references = referencesOf(self._parameters)
        image = studyImage(self._parameters)
        known = self.sites.of(rows, self._findings.segmentation, image)
        sites: Sequence[str | None] = known if known is not None else [None] * len(rows)
        return [
            replace(row, further=further(row, site, self._place(row), references))
            for row, site in zip(rows, sites)
        ]

    def facts(self) -> list[tuple[str, str]]:
        """For the report: title and value of what is known."""
        if self._parameters is None or isOfMr(self._parameters):
            return []
        return _facts(referencesOf(self._parameters), self._findings.rows())

    def place(self, name: str) -> None:
        """Place a region anew; where that cannot be, say why.

        Args:
            name: `liverPoint` or `bloodPoolPoint`.
        """
        parameters = self._parameters
        pet = live(parameters.pet) if parameters is not None else None
        if pet is None:
            return
        isLiver = name == "liverPoint"
        mask = self.organs.mask(*(LIVER if isLiver else AORTA))
        try:
            if mask is None:
                ras = _middle(pet)
            elif isLiver:
                ras = liver_place(mask, ijkToRas(pet), parameters.liverDiameter / 2)
            else:
                ras = blood_pool_place(mask, ijkToRas(pet))
        except InputError as error:
            slicer.util.warningDisplay(describeError(error))
            return
        node = live(parameters.getValue(name))
        title = _("Liver") if isLiver else _("Blood pool")
        if node is None:
            width = parameters.liverDiameter if isLiver else 2 * BLOOD_POOL_RADIUS_MM
            parameters.setValue(name, addPoint(title, ras, width))
        else:
            movePoint(node, ras, title)
        self.update()

    def _beginWith(self, pet: Any) -> None:
        """Another PET may be another patient's: nothing is carried over."""
        parameters, patient = self._parameters, patientOf(pet)
        parameters.liverPoint = parameters.bloodPoolPoint = None
        parameters.heightCm = min(patient.heightCm, HEIGHT_LIMITS_CM[1])
        parameters.weightKg = min(patient.weightKg, WEIGHT_LIMITS_KG[1])
        parameters.sex = patient.sex
        parameters.referencePet = pet

    def _place(self, row: Row) -> Place | None:
        locator, segmentation = self.organs.locator, self._findings.segmentation
        if locator is None or segmentation is None or isOfMr(self._parameters):
            return None
        key = (row.segment, row.finding)  # what a hand changes, measures otherwise
        if key not in self._places:
            pet = live(self._parameters.pet)
            self._places[key] = placeOfSegment(locator, segmentation, row.segment, pet)
        return self._places[key]

    def _onOrgans(self) -> None:
        self._places = {}
        self._onMoved()

    def _onMoved(self) -> None:
        self._findings.describeAgain()
        self._show()

    def _onPlace(self, name: str, _checked: bool = False) -> None:
        self.place(name)

    def _show(self) -> None:
        ui = self._ui
        state = self.organs.problem
        if self.organs.isBusy:
            state = _("Carrying the organs over to the PET ...")
        ui.organsState.text = state
        ui.organsState.visible = bool(state)
        facts = self.facts()
        ui.referenceState.text = "<br>".join(f"{title}: <b>{value}</b>" for title, value in facts)
        ui.referenceState.visible = bool(facts)


def _facts(references: References, rows: list[Row]) -> list[tuple[str, str]]:
    facts = []
    for title, uptake in ((_("Liver"), references.liver), (_("Blood pool"), references.blood_pool)):
        if uptake is not None:
            facts.append((title, _said(uptake)))
    if references.liver is not None and references.blood_pool is not None:
        scores = [int(dict(row.further).get("deauville", NO_UPTAKE)) for row in lesions(rows)]
        facts.append((_("Deauville of the lesions"), str(max(scores, default=NO_UPTAKE))))
    if references.sul_of_suv is not None:
        facts.append((_("SUL over SUVbw"), f"{references.sul_of_suv:.3f}"))
    limit = references.measurable_from
    if limit is not None:
        facts.append((_("Measurable from SULpeak (PERCIST)"), f"{limit:.2f}"))
    return facts


def _said(uptake: Uptake) -> str:
    return _("SUVmean {mean:.2f}, SD {sd:.2f}, SUVmax {maximum:.2f}, {n} voxels").format(
        mean=uptake.mean, sd=uptake.sd, maximum=uptake.maximum, n=uptake.voxels
    )


def _middle(pet: Any) -> np.ndarray:
    """Of the PET, (R, A, S) mm: from there the user drags it."""
    depth, rows, columns = slicer.util.arrayFromVolume(pet).shape
    matrix = ijkToRas(pet)
    middle: np.ndarray = (matrix @ [(columns - 1) / 2, (rows - 1) / 2, (depth - 1) / 2, 1.0])[:3]
    return middle

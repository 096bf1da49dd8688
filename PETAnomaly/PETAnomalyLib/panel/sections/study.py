"""The panel's first section: which PET and CT, or which MR and mask, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.models import needsCt
from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live
from PETAnomalyLib.panel.scene.head_inputs import describeMask, describeMr
from PETAnomalyLib.panel.scene.inputs import (
    CONFIRMED_ATTRIBUTE,
    InputState,
    confirmSuv,
    describeCt,
    describePet,
    unitsCode,
)
from PETAnomalyLib.panel.scene.volume_files import ijkToRas
from PETAnomalyLib.panel.sections.look import Look, inHex

GOOD, WARNING, BAD = "\N{CHECK MARK}", "\N{WARNING SIGN}", "\N{BALLOT X}"


class StudySection:
    """Says what the selectors hold; the selectors themselves are bound to the parameter node. Those
    that the model has no use for are hidden.

    `onConvert()` and `onSample()` come from the two buttons. `pet` and `ct`, `mr` and `mask` are
    the last states.
    """

    def __init__(self, ui: Any) -> None:
        self.onConvert: Callable[[], None] = lambda: None
        self.onSample: Callable[[], None] = lambda: None
        self.pet = InputState(False, "")
        self.ct = InputState(True, "")
        self.mr = InputState(False, "")
        self.mask = InputState(True, "")
        self._isOfMr = False
        self._ui = ui
        self._described: tuple = ()
        for selector in (ui.petSelector, ui.ctSelector, ui.mrSelector, ui.maskSelector):
            selector.setMRMLScene(slicer.mrmlScene)
        ui.convertButton.clicked.connect(self._onConvert)
        ui.sampleButton.clicked.connect(self._onSample)

    def update(self, parameters: Parameters, model: Any, isBusy: bool) -> None:
        """Describe the chosen volumes.

        Args:
            parameters: of the study.
            model: the chosen bundle or None; says whether a CT is needed, or which contrast.
            isBusy: the engine is at work.
        """
        self._isOfMr = isOfMr(parameters)
        self._showSelectors()
        if self._isOfMr:
            self._describeHead(parameters, model)
        else:
            self._describePetCt(parameters, model)
        self._ui.convertButton.enabled = not isBusy
        # Which contrast it is to be, the model says.
        self._ui.sampleButton.enabled = not isBusy and not (self._isOfMr and model is None)

    def whyNot(self) -> list[str]:
        """Reasons of this section against Detect."""
        states = [(_("PET: {why}"), self.pet), (_("CT: {why}"), self.ct)]
        if self._isOfMr:
            states = [(_("MR: {why}"), self.mr), (_("Brain mask: {why}"), self.mask)]
        return [text.format(why=state.text) for text, state in states if not state.usable]

    def describe(self) -> list[str]:
        """For the diagnostics: no names."""
        if self._isOfMr:
            return [f"MR: {self.mr.text}", f"Brain mask: {self.mask.text}"]
        return [f"PET: {self.pet.text}", f"CT: {self.ct.text}"]

    def _describePetCt(self, parameters: Parameters, model: Any) -> None:
        pet, ct = live(parameters.pet), live(parameters.ct)
        key = (_version(pet), _version(ct), needsCt(model))
        if key != self._described:
            self._described = key
            self.pet = describePet(pet)
            self.ct = describeCt(ct, pet, needsCt(model))
            self._show()

    def _describeHead(self, parameters: Parameters, model: Any) -> None:
        mr, mask = live(parameters.mr), live(parameters.brainMask)
        wanted = model.contrast if model is not None else ""
        name = mr.GetName() if mr is not None else ""  # tells the contrast
        key = (_version(mr), name, _version(mask), wanted, parameters.anyway)
        if key == self._described:
            return
        self._described = key
        self.mr = describeMr(mr, wanted, parameters.anyway)
        self.mask = describeMask(mask, mr)
        _say(self._ui.mrStateIcon, self._ui.mrState, self.mr)
        _say(self._ui.maskStateIcon, self._ui.maskState, self.mask)
        if mask is None:
            self._ui.maskStateIcon.text = ""

    def _showSelectors(self) -> None:
        ui, ofMr = self._ui, self._isOfMr
        for name in ("mr", "mask", "pet", "ct"):
            for part in ("Label", "Selector", "StateIcon", "State"):
                getattr(ui, f"{name}{part}").visible = ofMr == (name in ("mr", "mask"))
        ui.convertButton.visible = not ofMr and self.pet.convertible

    def _onConvert(self, _checked: bool = False) -> None:
        self.onConvert()

    def _onSample(self, _checked: bool = False) -> None:
        self.onSample()

    def mayBeTakenForSuv(self, parameters: Parameters) -> bool:
        """Ask once about a PET without units; the answer stays with the volume."""
        if self._isOfMr:
            return True
        pet = live(parameters.pet)
        if pet is None or not self.pet.unconfirmed:
            return pet is not None
        if not slicer.util.confirmOkCancelDisplay(
            _(
                "{name} does not say what its values are. Are they SUV by body weight (g/ml)? In "
                "any other unit thresholds and measurements would be wrong."
            ).format(name=pet.GetName()),
            windowTitle=_("SUV by body weight?"),
        ):
            return False
        confirmSuv(pet)
        self.forget()
        return True

    def forget(self) -> None:
        """Describe anew next time, whatever it was."""
        self._described = ()

    def _show(self) -> None:
        ui = self._ui
        _say(ui.petStateIcon, ui.petState, self.pet)
        _say(ui.ctStateIcon, ui.ctState, self.ct)
        ui.convertButton.visible = self.pet.convertible
        if self._described[1] is None and self.ct.usable:
            ui.ctStateIcon.text = ""


def _say(icon: Any, label: Any, state: InputState) -> None:
    look = Look(label.palette)
    mark, colour = (GOOD, look.good) if state.usable else (BAD, look.bad)
    if state.usable and state.warning:
        mark, colour = WARNING, look.warning
    icon.text = f"<span style='color:{inHex(colour)}'>{mark}</span>"
    label.text = state.text


def _version(node: Any) -> tuple | None:
    """Changes with the node, its voxels, its units, its files and its place."""
    if node is None:
        return None
    image = node.GetImageData()
    return (
        node.GetID(),
        image.GetMTime() if image is not None else 0,
        unitsCode(node),
        node.GetAttribute("DICOM.instanceUIDs"),
        node.GetAttribute(CONFIRMED_ATTRIBUTE),
        node.GetParentTransformNode() is not None,
        ijkToRas(node).tobytes(),
    )

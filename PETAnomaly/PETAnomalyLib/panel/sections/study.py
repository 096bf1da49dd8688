"""The panel's first section: which PET, which CT, and what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.models import needsCt
from PETAnomalyLib.panel.parameters import Parameters, live
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
    """Says what the selectors hold; the selectors themselves are bound to the parameter node.

    `onConvert()` and `onSample()` come from the two buttons. `pet` and `ct` are the last states.
    """

    def __init__(self, ui: Any) -> None:
        self.onConvert: Callable[[], None] = lambda: None
        self.onSample: Callable[[], None] = lambda: None
        self.pet = InputState(False, "")
        self.ct = InputState(True, "")
        self._ui = ui
        self._described: tuple = ()
        for selector in (ui.petSelector, ui.ctSelector):
            selector.setMRMLScene(slicer.mrmlScene)
        ui.convertButton.clicked.connect(self._onConvert)
        ui.sampleButton.clicked.connect(self._onSample)

    def update(self, parameters: Parameters, model: Any, isBusy: bool) -> None:
        """Describe the chosen volumes.

        Args:
            parameters: of the study.
            model: the chosen bundle or None; says whether a CT is needed.
            isBusy: the engine is at work.
        """
        pet, ct = live(parameters.pet), live(parameters.ct)
        key = (_version(pet), _version(ct), needsCt(model))
        if key != self._described:
            self._described = key
            self.pet = describePet(pet)
            self.ct = describeCt(ct, pet, needsCt(model))
            self._show()
        self._ui.convertButton.enabled = not isBusy
        self._ui.sampleButton.enabled = not isBusy

    def _onConvert(self, _checked: bool = False) -> None:
        self.onConvert()

    def _onSample(self, _checked: bool = False) -> None:
        self.onSample()

    def mayBeTakenForSuv(self, parameters: Parameters) -> bool:
        """Ask once about a PET without units; the answer stays with the volume."""
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

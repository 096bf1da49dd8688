"""What widgets are called, and their tooltips, where an MR is looked at: there the .ui file's own
words, which are a PET's, would be wrong.
"""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _


class Wording:
    """The words of a PET or of an MR, as `show` says."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._ofPet = {name: getattr(ui, name).toolTip for name in _toolTips()}
        self._named = {name: getattr(ui, name).text for name in _names()}

    def show(self, isOfMr: bool) -> None:
        """Say what fits an MR, or a PET."""
        for name, text in (_toolTips() if isOfMr else self._ofPet).items():
            getattr(self._ui, name).toolTip = text
        for name, text in (_names() if isOfMr else self._named).items():
            getattr(self._ui, name).text = text


def _names() -> dict[str, str]:
    return {
        "sampleButton": _("&Sample brain MR"),
        "showPetButton": _("MR"),
        "elevatedCheck": _("Brighter than healed only"),
    }


def _toolTips() -> dict[str, str]:
    return {
        "sampleButton": _(
            "Makes a synthetic MR of a head with a known mass, in the model's contrast, and loads "
            "it: no patient, nothing is downloaded."
        ),
        "elevatedCheck": _(
            "Scores only what is brighter than in the healed version; off: darker as well, such as "
            "an infarct on T1w. Some models count both, whatever is chosen here."
        ),
        "showPetButton": _("The MR alone."),
        "showMapButton": _("The anomaly map over the MR."),
        "show3DButton": _("The findings as surfaces, turned with the mouse."),
        "coloursCheck": _("Shows in the slice views which score the map's colours stand for."),
        "addButton": _(
            "A click finds the contour of uptake, which an MR does not have: draw what was missed "
            "with Edit findings."
        ),
        "totalsState": _("Of the lesions and of all findings: number and total volume."),
        "physiologicalButton": _("The selected findings are normal for this brain (key P)."),
        "splitButton": _("Divides the selected finding between its two highest peaks of the map."),
        "editButton": _(
            "Opens the Segment Editor on the findings, with the MR as source. The table follows "
            "the edits."
        ),
        "resetButton": _(
            "Draws the findings anew with the model's own threshold and smallest volume."
        ),
        "dicomButton": _(
            "DICOM objects are written of a PET's findings. Of an MR's there are CSV and report."
        ),
    }

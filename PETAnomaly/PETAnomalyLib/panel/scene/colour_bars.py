"""Colour bars in the slice views: which SUV, which score a colour stands for.

Slicer's own colour legends (module Colors), one for the PET and one for the map, on either side: a
view shows those of the volumes that it shows.
"""

from __future__ import annotations

from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.models import SCORER_UNITS
from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live, scoreMap
from PETAnomalyLib.panel.scene.result_nodes import SHORT_TITLES
from PETAnomalyLib.panel.scene.slice_views import showable

OWN_ATTRIBUTE = "PETAnomaly.ColourBar"  # of a legend that is ours; a user's own is left alone
SIZE = (0.12, 0.4)  # width and height, shares of a view
LETTERS_GROUND = 0.5  # opacity
PET_PLACE, MAP_PLACE = (0.01, 0.5), (0.99, 0.5)  # of the space that is left beside a bar


def showColourBars(parameters: Parameters) -> None:
    """Bars for the chosen PET and the shown scorer's map, or none; without Colors nothing. An MR
    has no unit, and no bar.
    """
    if getattr(slicer.modules, "colors", None) is None:
        return
    if parameters.colourBars:
        scorer = parameters.scorer
        title = f"{_(SHORT_TITLES[scorer])} {SCORER_UNITS[scorer]}".strip()
        if not isOfMr(parameters):
            _addBar(live(parameters.pet), _("SUVbw g/ml"), PET_PLACE)
        _addBar(scoreMap(parameters, scorer), title, MAP_PLACE)
    for bar in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"):
        if bar.GetAttribute(OWN_ATTRIBUTE):
            bar.SetVisibility(parameters.colourBars)


def _addBar(node: Any, title: str, place: tuple[float, float]) -> None:
    if not showable(node):
        return
    logic = slicer.modules.colors.logic()
    if logic.GetColorLegendDisplayNode(node) is not None:
        return
    bar = logic.AddDefaultColorLegendDisplayNode(node)
    with slicer.util.NodeModify(bar):
        bar.SetAttribute(OWN_ATTRIBUTE, "true")
        bar.SetTitleText(title)
        bar.SetPosition(*place)
        bar.SetSize(*SIZE)
        bar.SetVisibility3D(False)
        for text in (bar.GetTitleTextProperty(), bar.GetLabelTextProperty()):
            text.SetBackgroundColor(0.0, 0.0, 0.0)  # white letters, also over a white PET
            text.SetBackgroundOpacity(LETTERS_GROUND)

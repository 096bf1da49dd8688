"""When the findings are drawn anew, and when not: what a hand did is lost only after asking.

A control that has moved asks for another delineation of the map that is there. If the findings were
changed by hand and the radiologist wants to keep that, the control goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live, studyImage
from PETAnomalyLib.panel.scene import view_3d
from PETAnomalyLib.panel.scene.drawing import Drawer, Drawing, FindingsDrawer
from PETAnomalyLib.panel.scene.finding_kinds import kindFor
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.result_nodes import SCORER_ATTRIBUTE
from PETAnomalyLib.panel.scene.run_record import keepDrawnWith
from PETAnomalyLib.panel.sections.delineation import Delineation


class Confirmation(Protocol):
    """Asks the radiologist; blocks until there is an answer."""

    def __call__(self, question: str, title: str) -> bool: ...


def askUser(question: str, title: str) -> bool:
    """Slicer's own dialog."""
    return bool(slicer.util.confirmOkCancelDisplay(question, windowTitle=title))


class Redrawing:
    """Keeps the findings as the controls say.

    `follow(wanted)` after each change of the parameter node; `request(wanted)` to draw in any case.
    What a run or an opened scene has brought counts as drawn. `onFailed(error)` comes when nothing
    could be drawn, `onRefused(drawn)` when the radiologist wants to keep what a hand has changed.

    Args:
        findings: that are replaced.
        drawer: draws, away from the GUI.
        confirm: asks before a hand's work is lost.
    """

    def __init__(
        self,
        findings: SceneFindings,
        drawer: Drawer | None = None,
        confirm: Confirmation | None = None,
    ) -> None:
        self.onFailed: Callable[[Exception], None] = lambda _error: None
        self.onRefused: Callable[[Delineation], None] = lambda _drawn: None
        self._findings = findings
        self._confirm = confirm if confirm is not None else askUser
        self._parameters: Parameters = None
        self._isAsking = False
        self._isForNextRun = False
        self._requested: Delineation | None = None
        self._drawn: Delineation | None = None
        self._drawnIn: Any = None  # the segmentation
        self._drawer = drawer if drawer is not None else FindingsDrawer()
        self._drawer.onDrawn = self._onDrawn
        self._drawer.onFailed = self._onDrawFailed

    @property
    def isPending(self) -> bool:
        """Findings are being drawn, or about to be."""
        return self._drawer.isPending

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node: what it shows counts as drawn."""
        self.stop()
        self._parameters = parameters
        self._requested = self._drawn = self._drawnIn = None

    def follow(self, wanted: Delineation | None) -> None:
        """Draw when a control has moved.

        Args:
            wanted: what the controls ask for; None when there is nothing to draw from.
        """
        segmentation = self._findings.segmentation
        if wanted is None or segmentation is not self._drawnIn:
            # A run, or a scene that was opened, brought these findings: they are as drawn.
            self.stop()
            self._requested = wanted
            self._drawnIn = segmentation
            self._setDrawn(wanted)
        elif wanted != self._requested and self._isForNextRun:
            self._requested = wanted
        elif wanted != self._requested:
            self.request(wanted)
        self._isForNextRun = False

    def keepDrawn(self) -> None:
        """The controls move for the next run, whose model is another: what is drawn stays."""
        self._isForNextRun = True

    def request(self, wanted: Delineation) -> None:
        """Draw soon, unless the radiologist wants to keep what is there."""
        parameters = self._parameters
        if studyImage(parameters) is None or self._isAsking:
            return
        if not self._mayRedraw():
            self._refuse()
            return
        self._requested = wanted
        self._drawer.request(
            studyImage(parameters),
            slicer.mrmlScene.GetNodeByID(wanted.mapId),
            live(parameters.scoredMask),
            wanted.settings,
            kindFor(parameters),
        )

    def mayBeReplaced(self) -> bool:
        """Before a run that replaces the last one's results: ask for what was changed by hand."""
        self._findings.settle()
        parameters = self._parameters
        return not (parameters.replaceResults and parameters.handEdited) or self._ask(
            _("The findings were changed by hand. Replace them by the new run's?"),
            _("Replace the findings"),
        )

    def stop(self) -> None:
        """Drop what is under way and what was prepared."""
        self._drawer.forget()

    def _setDrawn(self, drawn: Delineation | None) -> None:
        """Also kept with the findings: another run may be shown, and this one again."""
        self._drawn = drawn
        if drawn is None or self._drawnIn is None:
            return
        scorer = slicer.mrmlScene.GetNodeByID(drawn.mapId).GetAttribute(SCORER_ATTRIBUTE)
        settings = drawn.settings
        grown = {} if isOfMr(self._parameters) else {"grow": settings.growth}
        keepDrawnWith(self._drawnIn, {
            "scorer": scorer, "threshold": settings.threshold, **grown,
            "min_volume_ml": settings.minimumVolume,
        })  # fmt: skip

    def _mayRedraw(self) -> bool:
        """Ask before what a hand did is lost; afterwards it counts as given up."""
        if self._parameters.handEdited and not self._ask(
            _("The findings were changed by hand. Draw them anew and lose these changes?"),
            _("Redraw the findings"),
        ):
            return False
        self._parameters.handEdited = False
        return True

    def _ask(self, question: str, title: str) -> bool:
        self._isAsking = True
        try:
            return self._confirm(question, title)
        finally:
            self._isAsking = False

    def _refuse(self) -> None:
        if self._drawn is not None:
            self._requested = self._drawn
            self.onRefused(self._drawn)

    def _onDrawFailed(self, error: Exception) -> None:
        self.onFailed(error)

    def _onDrawn(self, drawing: Drawing) -> None:
        parameters, segmentation = self._parameters, self._findings.segmentation
        if segmentation is None or segmentation is not self._drawnIn:
            return  # of findings that a run has replaced meanwhile
        if studyImage(parameters) is None:
            return
        self._findings.settle()
        if not self._mayRedraw():  # changed by hand since the redraw was asked for
            self._drawer.forget()
            self._refuse()
            return
        if self._requested is not None:
            self._setDrawn(Delineation(self._requested.mapId, drawing.settings))
        self._findings.replace(drawing)
        if parameters.view3D:
            view_3d.show3D(parameters)

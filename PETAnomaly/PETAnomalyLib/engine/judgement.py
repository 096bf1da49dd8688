"""What the model finds of a study, judged before anything is drawn: refused, or doubted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.body_regions import RegionBorders
from PETAnomalyLib.engine.frame.doubt import Doubt, spoken
from PETAnomalyLib.engine.frame.familiarity import (
    REFUSED_SHARE,
    Familiarity,
    cell_regions,
    familiarity,
    measures_of,
)
from PETAnomalyLib.engine.frame.field_of_view import marked_foreign
from PETAnomalyLib.engine.frame.measured_regions import WHOLE
from PETAnomalyLib.engine.runtime.stages import Stages

if TYPE_CHECKING:  # torch comes with it
    from PETAnomalyLib.engine.families.healer import Judged

_SHARE = f"{WHOLE}/unlikely_share"


def measures(bundle: Bundle, template: sitk.Image, judged: Judged) -> dict[str, float]:
    """The measures of one study: see `familiarity.measures_of`."""
    region = cell_regions(
        borders_of(bundle, template),
        template.GetOrigin(),
        template.GetSpacing(),
        template.GetSize(),
        judged.body.shape,
    )
    threshold = bundle.thresholds.get("resampling", 1.0)  # a model without tokens has none
    return measures_of(judged.body, region, judged.log_likelihood, judged.error, threshold)


def borders_of(bundle: Bundle, template: sitk.Image) -> RegionBorders:
    """The bundle's regions, or those of its template where it carries none."""
    if bundle.familiarity is None:
        return RegionBorders.of_template(template)
    return RegionBorders.from_values(bundle.familiarity["borders_mm"])


class Judgement:
    """Told by the healer what it finds of a study; says what is doubtful, and keeps the figures.

    Args:
        bundle: the model.
        template: its frame.
        anyway: the user goes on whatever the study is.
        run: told of the doubts.
    """

    def __init__(self, bundle: Bundle, template: sitk.Image, anyway: bool, run: Stages) -> None:
        self._bundle, self._template = bundle, template
        self._anyway, self._run = anyway, run
        self._found: Familiarity | None = None
        self._is_told = False

    def __call__(self, judged: Judged) -> None:
        """Judge; a healer that begins anew in smaller pieces tells the same once more.

        Raises:
            InputError: more than a third of the body is unlikely, and the user did not say that
                this is right.
        """
        if self._is_told:
            return
        self._is_told = True
        known = self._bundle.familiarity
        if known is None:
            return
        values = measures(self._bundle, self._template, judged)
        self._found = familiarity(values, known)
        doubts = []
        share = values.get(_SHARE, 0.0)
        # A model to which studies of its own kind look as strange has nothing to say here.
        if share > max([REFUSED_SHARE, *known["measures"].get(_SHARE, ())]):
            doubts.append(_nothing_like_it(share))
        if self._found.unfamiliar:
            doubts.append(_foreign(self._found))
        self._run.warn_first(*spoken(doubts, self._anyway))

    def marked(self, scored: sitk.Image, alignment: Alignment) -> sitk.Image:
        """The mask of what was scored, with 2 where the study is unlike what the model knows."""
        if self._found is None or not self._found.foreign_regions:
            return scored
        return marked_foreign(
            scored,
            self._template,
            alignment,
            borders_of(self._bundle, self._template),
            self._found.foreign_regions,
        )

    def report(self) -> dict[str, Any]:
        """What `report.json` says of it under `fit`."""
        return {} if self._found is None else {"familiarity": self._found.report()}


def _nothing_like_it(share: float) -> Doubt:
    return Doubt(
        f"{100 * share:.0f} % of the body is unlike anything that the model knows; more than "
        f"{100 * REFUSED_SHARE:.0f} % are refused.",
        "Check the study's orientation, units and tracer, and that the CT is its own; or use a "
        "model that was trained on such studies.",
        True,
    )


def _foreign(found: Familiarity) -> Doubt:
    *others, last = found.foreign_regions
    regions = f"{', '.join(others)} and {last}" if others else last
    return Doubt(
        f"The study is unlike those that the model knows: {regions}.",
        "Findings there are marked as unfamiliar: they may be the model's ignorance, not disease.",
        False,
    )

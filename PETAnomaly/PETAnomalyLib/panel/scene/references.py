"""What the findings are beside the liver and the blood pool, and in which organs they lie."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt

from PETAnomalyLib.engine.findings.lean_body_mass import sul_of_suv
from PETAnomalyLib.engine.findings.measures import cell
from PETAnomalyLib.engine.findings.organs import COLUMNS, Locator, Place
from PETAnomalyLib.engine.findings.reference import Uptake, blood_pool_uptake, liver_uptake
from PETAnomalyLib.engine.findings.reference_columns import References
from PETAnomalyLib.engine.frame.region_atlas import COLUMN as SITE
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.parameters import Parameters, isOfMr, live
from PETAnomalyLib.panel.scene.findings_segmentation import partOnGrid
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.reference_point import placeOf
from PETAnomalyLib.panel.scene.volume_files import ijkToRas


def referencesOf(parameters: Parameters) -> References:
    """As the scene has them now."""
    pet = live(parameters.pet)
    if isOfMr(parameters) or pet is None or pet.GetImageData() is None:
        return References()
    suv, matrix = slicer.util.arrayFromVolume(pet), ijkToRas(pet)

    def uptake(measure: Any, node: Any) -> Uptake | None:
        place = placeOf(live(node))
        try:
            return None if place is None else measure(suv, matrix, place)
        except InputError:
            return None  # moved out of the PET

    try:
        factor = sul_of_suv(parameters.heightCm, parameters.weightKg, parameters.sex)
    except InputError:
        factor = None
    return References(
        uptake(partial(liver_uptake, radius=parameters.liverDiameter / 2), parameters.liverPoint),
        uptake(blood_pool_uptake, parameters.bloodPoolPoint),
        factor,
    )


def placeOfSegment(locator: Locator, segmentation: Any, segment: str, pet: Any) -> Place:
    """In which organ a finding's segment lies."""
    part = partOnGrid(segmentation, segment, pet)
    if part is None:
        return Place("", 0.0, "")
    mask, start = part
    return locator.place(np.argwhere(mask) + np.array(start))


def further(
    row: Row, site: str | None, place: Place | None, references: References
) -> tuple[tuple[str, str], ...]:
    """A row's further columns as text; none that are not known.

    Args:
        row: the finding.
        site: where in the body it lies; None where no finding's is known.
        place: where it lies; None without organs.
        references: beside which it is seen.
    """
    placed: Mapping[str, float | str] = dict(zip(COLUMNS, place.cells())) if place else {}
    sited: Mapping[str, float | str] = {} if site is None else {SITE: site}
    found = {**sited, **placed, **references.columns(row.finding)}
    return tuple((name, cell(value)) for name, value in found.items())

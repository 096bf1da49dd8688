"""The two kinds of findings: uptake in a PET, and a place in an MR, which has no SUV."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.findings.head_measures import HeadFinding, measure_head
from PETAnomalyLib.engine.findings.measures import Finding, measure
from PETAnomalyLib.panel.parameters import Parameters, isOfMr

KINDS: tuple[type, ...] = (Finding, HeadFinding)
LATER = ("unfamiliar",)  # columns that tables of scenes saved earlier don't have


def kindFor(parameters: Parameters) -> type:
    """Of the findings of what is looked at."""
    return HeadFinding if isOfMr(parameters) else Finding


def columnsOf(kind: type) -> tuple[str, ...]:
    """Those of findings.csv."""
    return tuple(column.name for column in fields(kind))


def kindOfColumns(names: Collection[str]) -> type | None:
    """Whose measurements a table with these columns has; None where they are nobody's."""
    for kind in KINDS:
        if set(columnsOf(kind)) - set(LATER) <= set(names):
            return kind
    return None


def findingFromText(kind: type, row: Mapping[str, str]) -> Any:
    """A finding from its columns as text; columns of other names are passed over.

    Raises:
        KeyError, ValueError: a column is missing, or holds something else.
    """
    values: dict[str, Any] = {}
    for column in fields(kind):
        name = column.name
        text = row.get(name, "") if name in LATER else row[name]
        if column.type == "int":
            values[name] = int(float(text))
        elif column.type == "bool":
            values[name] = text == "true"
        else:
            values[name] = float(text)
    return kind(**values)


def measureFindings(
    kind: type,
    labels: sitk.Image,
    image: sitk.Image,
    score: sitk.Image,
    limited: Sequence[bool] = (),
    scored: sitk.Image | None = None,
) -> list[Any]:
    """Measure every label, as the engine does.

    Args:
        kind: of finding.
        labels, image, score: on one grid; the image is the PET or the MR.
        limited: of a PET's: growth was held back.
        scored: the scored mask on that grid, or None.
    """
    if kind is HeadFinding:
        return list(measure_head(labels, score))
    return list(measure(labels, image, score, limited, scored))


def volumeMl(finding: Finding | HeadFinding) -> float:
    """Of one finding: its MTV, or its extent in an MR."""
    return finding.volume_ml if isinstance(finding, HeadFinding) else finding.mtv_ml

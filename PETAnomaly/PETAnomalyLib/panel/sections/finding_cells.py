"""What the findings' table says of a finding, cell by cell, and what its columns are called."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.verdict import LESION, PHYSIOLOGICAL, UNSURE
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.sections.further_columns import FURTHER_DECIMALS

SORT_ROLE = int(qt.Qt.UserRole)
SEGMENT_ROLE = SORT_ROLE + 1
EDITED_MARK = "\N{LOWER RIGHT PENCIL}"
LIMITED_MARK = "*"
UNFAMILIAR_MARK = "?"
COMMENT_MARK = "\N{HORIZONTAL ELLIPSIS}"
VERDICT_MARKS = {LESION: "L", PHYSIOLOGICAL: "P", UNSURE: "\N{EN DASH}"}
VERDICT_ORDER = (LESION, UNSURE, PHYSIOLOGICAL)


def headings(kind: type) -> list[tuple[str, str]]:
    """Title and definition of the columns that are always there.

    Args:
        kind: of finding, a PET's or an MR's.
    """
    return [
        ("#", _("The finding's number; ticked when it is shown. A pencil: changed by hand.")),
        (
            _("L/P"),
            _("L: lesion. P: physiological. A dash: not decided. Dots: there is a comment."),
        ),
        *(_headingsOfMr() if kind is HeadFinding else _headingsOfPet()),
        (_("Score"), _("The highest anomaly score in the finding, in the map's unit.")),
    ]


def cellsOf(row: Row, shown: bool, ownColour: tuple[int, int, int]) -> list:
    """A row's items.

    Args:
        row: the finding.
        shown: in the views.
        ownColour: red, green, blue (0..255) there.
    """
    finding = row.finding
    number = qt.QStandardItem(
        f"{finding.number} {EDITED_MARK}" if row.byHand else f"{finding.number}"
    )
    number.setData(finding.number, SORT_ROLE)
    number.setData(row.segment, SEGMENT_ROLE)
    number.setData(qt.QColor(*ownColour), qt.Qt.DecorationRole)
    number.setCheckable(True)
    number.setCheckState(qt.Qt.Checked if shown else qt.Qt.Unchecked)
    if row.byHand:
        number.setToolTip(_("Changed by hand since it was drawn."))
    said = qt.QStandardItem(
        f"{VERDICT_MARKS[row.verdict]}{COMMENT_MARK}" if row.comment else VERDICT_MARKS[row.verdict]
    )
    said.setData(VERDICT_ORDER.index(row.verdict), SORT_ROLE)
    said.setToolTip(f"{_(row.verdict)}. {row.comment}".strip())
    said.setEditable(False)
    measured = (
        _measuredInMr(finding) if isinstance(finding, HeadFinding) else _measuredInPet(finding)
    )
    return [number, said, *measured, *(_furtherCell(name, text) for name, text in row.further)]


def _headingsOfPet() -> list[tuple[str, str]]:
    return [
        (_("SUVmax"), _("The highest SUV in the finding (g/ml).")),
        (
            _("SUVpeak"),
            _(
                "SUVpeak: the highest mean SUV over a sphere of 1 cm3 whose centre lies in the "
                "finding (PERCIST); the sphere may reach beyond it."
            ),
        ),
        (
            _("MTV ml"),
            _("Metabolic tumour volume. *: growth was held back beside a hot organ."),
        ),
        (_("TLG g"), _("Total lesion glycolysis: SUVmean times MTV.")),
    ]


def _headingsOfMr() -> list[tuple[str, str]]:
    return [
        (_("Volume ml"), _("The volume of the finding.")),
        (
            _("Long mm"),
            _("The largest diameter: between the two points of its surface farthest apart."),
        ),
    ]


def _measuredInMr(finding: HeadFinding) -> list:
    values = [
        (finding.volume_ml, f"{finding.volume_ml:.1f}"),
        (finding.diameter_mm, f"{finding.diameter_mm:.1f}"),
        (finding.score_max, f"{finding.score_max:.2f}"),
    ]
    return [_numberCell(value, text) for value, text in values]


def _measuredInPet(finding: Finding) -> list:
    limited = LIMITED_MARK if finding.growth_limited else ""
    unfamiliar = UNFAMILIAR_MARK if finding.unfamiliar else ""
    values = [
        (finding.suv_max, f"{finding.suv_max:.1f}"),
        (finding.suv_peak, f"{finding.suv_peak:.1f}"),
        (finding.mtv_ml, f"{finding.mtv_ml:.1f}{limited}"),
        (finding.tlg_g, f"{finding.tlg_g:.1f}"),
        (finding.score_max, f"{finding.score_max:.2f}{unfamiliar}"),
    ]
    cells = [_numberCell(value, text) for value, text in values]
    if finding.unfamiliar:
        cells[-1].setToolTip(
            _("The study is unlike what the model knows here: the score may be its ignorance.")
        )
    return cells


def _furtherCell(name: str, text: str) -> Any:
    try:
        item = _numberCell(float(text), f"{float(text):.{FURTHER_DECIMALS.get(name, 1)}f}")
    except ValueError:
        item = qt.QStandardItem({"true": _("yes"), "false": _("no")}.get(text, text))
        item.setData(text, SORT_ROLE)
        item.setEditable(False)
    return item


def _numberCell(value: float, text: str) -> Any:
    item = qt.QStandardItem(text)
    item.setData(float(value), SORT_ROLE)
    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    item.setEditable(False)
    return item

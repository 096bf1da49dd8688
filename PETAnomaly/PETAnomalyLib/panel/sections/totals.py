"""The line of totals below the table: of the lesions and of all, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.panel.scene.finding_kinds import volumeMl
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.totals import ReadingTotals, lesions, totalsOf


def totalsText(rows: Sequence[Row]) -> str:
    """A small table as rich text."""
    if not rows:
        return _("No findings at this threshold.")
    if isinstance(rows[0].finding, HeadFinding):
        return _table(_ofMr(rows))
    columns = [totalsOf(lesions(rows)), totalsOf(rows)]
    foreign = [(_("Unfamiliar"), [str(each.unfamiliar) for each in columns])]
    lines = [
        ("", [_("Lesions"), _("All")]),
        (_("Number"), [str(each.count) for each in columns]),
        *(foreign if columns[-1].unfamiliar else []),
        (_("TMTV"), [f"{each.tmtv_ml:.1f} ml" for each in columns]),
        (_("TLG"), [f"{each.tlg_g:.1f} g" for each in columns]),
        (_("SUVmax"), [_orNothing(each.suv_max, 1, "") for each in columns]),
        (_("Dmax"), [_dmax(each) for each in columns]),
    ]
    return _table(lines)


def _ofMr(rows: Sequence[Row]) -> list[tuple[str, list[str]]]:
    columns = [lesions(rows), rows]
    volumes = [sum(volumeMl(row.finding) for row in each) for each in columns]
    return [
        ("", [_("Lesions"), _("All")]),
        (_("Number"), [str(len(each)) for each in columns]),
        (_("Volume"), [f"{ml:.1f} ml" for ml in volumes]),
    ]


def _table(lines: Sequence[tuple[str, list[str]]]) -> str:
    cells = "".join(
        f"<tr><td>{title}</td>"
        + "".join(f"<td align='right'>&nbsp;&nbsp;<b>{cell}</b></td>" for cell in values)
        + "</tr>"
        for title, values in lines
    )
    return f"<table cellspacing='0'>{cells}</table>"


def _dmax(totals: ReadingTotals) -> str:
    return _orNothing(totals.dmax_mm / 10.0, 1, " cm")


def _orNothing(value: float, decimals: int, unit: str) -> str:
    return f"{value:.{decimals}f}{unit}" if value else "\N{EN DASH}"

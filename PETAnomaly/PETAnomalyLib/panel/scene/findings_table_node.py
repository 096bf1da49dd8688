"""The findings' measurements as a table node: the columns of findings.csv, then where each lies and
what it is beside reference uptake (`further`, where that is known), what a reader said of each, and
which segment shows it.

The node is what a saved scene keeps; the table on screen (`sections/findings_table.py`) mirrors it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import vtk

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.verdict import UNSURE
from PETAnomalyLib.panel.scene.result_files import findingFromText

COLUMNS = tuple(column.name for column in fields(Finding))
READING_COLUMNS = ("verdict", "comment", "by_hand")
SEGMENT_COLUMN = "segment_id"
EARLIER_BY_HAND_COLUMN = "edited"  # what by_hand was called in scenes saved earlier
KNOWN = {*COLUMNS, *READING_COLUMNS, SEGMENT_COLUMN, EARLIER_BY_HAND_COLUMN}
DECIMALS = 4  # as in findings.csv
# Of a table that can be read; "unfamiliar" is not in scenes saved earlier.
ESSENTIAL = {*COLUMNS, SEGMENT_COLUMN} - {"unfamiliar"}


@dataclass(frozen=True)
class Row:
    """One finding, the segment that shows it, and what a reader did.

    Attributes:
        byHand: added, or changed since the software drew it.
        verdict: one of `verdict.VERDICTS`.
        comment: the reader's, one line.
        further: name and value of more columns, the same ones in every row.
    """

    finding: Finding
    segment: str
    byHand: bool = False
    verdict: str = UNSURE
    comment: str = ""
    further: tuple[tuple[str, str], ...] = ()


def write(node: Any, rows: Sequence[Row]) -> None:
    """Replace the table's content.

    The cells hold findings.csv's own text: numeric columns would come back from a saved scene with
    six digits only (vtkDelimitedTextWriter).
    """
    table = vtk.vtkTable()
    cells = [[*_cells(row), row.segment] for row in rows]
    for index, name in enumerate((*_columns(rows), SEGMENT_COLUMN)):
        column = vtk.vtkStringArray()
        column.SetName(name)
        for row in cells:
            column.InsertNextValue(row[index])
        table.AddColumn(column)
    wasModified = node.StartModify()
    node.SetAndObserveTable(table)
    node.SetLocked(True)
    node.EndModify(wasModified)


def read(node: Any) -> list[Row]:
    """The table's rows; a table that someone else changed beyond recognition has none."""
    names = [node.GetColumnName(index) for index in range(node.GetNumberOfColumns())]
    if not ESSENTIAL.issubset(names):
        return []
    rows = []
    for index in range(node.GetNumberOfRows()):
        cells = {name: node.GetCellText(index, names.index(name)) for name in names}
        byHand = cells.get("by_hand", cells.get(EARLIER_BY_HAND_COLUMN)) == "true"
        verdict, comment = cells.get("verdict", UNSURE), cells.get("comment", "")
        further = tuple((name, cells[name]) for name in names if name not in KNOWN)
        rows.append(
            Row(findingFromText(cells), cells[SEGMENT_COLUMN], byHand, verdict, comment, further)
        )
    return rows


def writeCsv(path: Path, rows: Sequence[Row]) -> None:
    """As findings.csv, `further`, and what the reader said: `verdict`, `comment`, `by_hand`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_columns(rows))
        writer.writerows(_cells(row) for row in rows)


def _columns(rows: Sequence[Row]) -> list[str]:
    further = [name for name, _text in rows[0].further] if rows else []
    return [*COLUMNS, *further, *READING_COLUMNS]


def _cells(row: Row) -> list[str]:
    """The finding's fields as `measures.write_csv` writes them, further ones, the reader's."""
    finding = row.finding
    numbers = [f"{getattr(finding, name) + 0.0:.{DECIMALS}f}" for name in COLUMNS[1:-2]]
    flags = [_word(finding.growth_limited), _word(finding.unfamiliar)]
    measured = [str(finding.number), *numbers, *flags, *(text for _name, text in row.further)]
    return [*measured, row.verdict, row.comment, _word(row.byHand)]


def _word(value: bool) -> str:
    return "true" if value else "false"

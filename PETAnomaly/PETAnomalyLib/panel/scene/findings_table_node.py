"""The findings' measurements as a table node: the columns of findings.csv, a PET's or an MR's, then
where each lies and what it is beside reference uptake (`further`, where that is known), what a
reader said of each, and which segment shows it.

The node is what a saved scene keeps; the table on screen (`sections/findings_table.py`) mirrors it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import vtk

from PETAnomalyLib.engine.findings.measures import Finding, cell
from PETAnomalyLib.engine.findings.verdict import UNSURE
from PETAnomalyLib.panel.scene.finding_kinds import (
    columnsOf,
    findingFromText,
    kindOfColumns,
)

READING_COLUMNS = ("verdict", "comment", "by_hand")
SEGMENT_COLUMN = "segment_id"
EARLIER_BY_HAND_COLUMN = "edited"  # what by_hand was called in scenes saved earlier
NOT_MEASURED = {*READING_COLUMNS, SEGMENT_COLUMN, EARLIER_BY_HAND_COLUMN}


@dataclass(frozen=True)
class Row:
    """One finding, the segment that shows it, and what a reader did.

    Attributes:
        byHand: added, or changed since the software drew it.
        verdict: one of `verdict.VERDICTS`.
        comment: the reader's, one line.
        further: name and value of more columns, the same ones in every row.
    """

    finding: Any  # a PET's `Finding`, or an MR's `HeadFinding`
    segment: str
    byHand: bool = False
    verdict: str = UNSURE
    comment: str = ""
    further: tuple[tuple[str, str], ...] = ()


def write(node: Any, rows: Sequence[Row], kind: type | None = None) -> None:
    """Replace the table's content.

    Args:
        node: vtkMRMLTableNode.
        rows: the findings, all of one kind.
        kind: theirs; None for that of the rows, and without any for what the table has columns of.

    The cells hold findings.csv's own text: numeric columns would come back from a saved scene with
    six digits only (vtkDelimitedTextWriter).
    """
    if kind is None:
        kind = type(rows[0].finding) if rows else kindOf(node)
    table = vtk.vtkTable()
    cells = [[*_cells(row), row.segment] for row in rows]
    for index, name in enumerate((*_columns(rows, kind), SEGMENT_COLUMN)):
        column = vtk.vtkStringArray()
        column.SetName(name)
        for row in cells:
            column.InsertNextValue(row[index])
        table.AddColumn(column)
    wasModified = node.StartModify()
    node.SetAndObserveTable(table)
    node.SetLocked(True)
    node.EndModify(wasModified)


def kindOf(node: Any) -> type:
    """Of the findings that a table has columns of; a PET's where that can't be told."""
    return kindOfColumns(_names(node)) or Finding


def read(node: Any) -> list[Row]:
    """The table's rows; a table that someone else changed beyond recognition has none."""
    names = _names(node)
    kind = kindOfColumns(names)
    if kind is None or SEGMENT_COLUMN not in names:
        return []
    known = {*columnsOf(kind), *NOT_MEASURED}
    rows = []
    for index in range(node.GetNumberOfRows()):
        cells = {name: node.GetCellText(index, names.index(name)) for name in names}
        byHand = cells.get("by_hand", cells.get(EARLIER_BY_HAND_COLUMN)) == "true"
        verdict, comment = cells.get("verdict", UNSURE), cells.get("comment", "")
        further = tuple((name, cells[name]) for name in names if name not in known)
        finding = findingFromText(kind, cells)
        rows.append(Row(finding, cells[SEGMENT_COLUMN], byHand, verdict, comment, further))
    return rows


def writeCsv(path: Path, rows: Sequence[Row], kind: type = Finding) -> None:
    """As findings.csv, `further`, and what the reader said: `verdict`, `comment`, `by_hand`.

    Args:
        path: the file.
        rows: the findings.
        kind: theirs.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_columns(rows, kind))
        writer.writerows(_cells(row) for row in rows)


def sameCells(one: Any, other: Any) -> bool:
    """Do two findings measure the same, to the table's decimals?"""
    return list(map(cell, astuple(one))) == list(map(cell, astuple(other)))


def _names(node: Any) -> list[str]:
    return [node.GetColumnName(index) for index in range(node.GetNumberOfColumns())]


def _columns(rows: Sequence[Row], kind: type) -> list[str]:
    further = [name for name, _text in rows[0].further] if rows else []
    return [*columnsOf(kind), *further, *READING_COLUMNS]


def _cells(row: Row) -> list[str]:
    """The finding's fields as `measures.write_csv` writes them, further ones, the reader's."""
    measured = [cell(value) for value in astuple(row.finding)]
    said = [row.verdict, row.comment, cell(row.byHand)]
    return [*measured, *(text for _name, text in row.further), *said]

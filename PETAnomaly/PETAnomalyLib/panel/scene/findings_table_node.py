"""The findings' measurements as a table node: the columns of findings.csv, then two of the panel's.

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
from PETAnomalyLib.panel.scene.result_files import findingFromText

COLUMNS = tuple(column.name for column in fields(Finding))
SEGMENT_COLUMN = "segment_id"
EDITED_COLUMN = "edited"
DECIMALS = 4  # as in findings.csv


@dataclass(frozen=True)
class Row:
    """One finding, the segment that shows it, and whether it was changed by hand."""

    finding: Finding
    segment: str
    edited: bool = False


def write(node: Any, rows: Sequence[Row]) -> None:
    """Replace the table's content.

    The cells hold findings.csv's own text: numeric columns would come back from a saved scene with
    six digits only (vtkDelimitedTextWriter).
    """
    table = vtk.vtkTable()
    cells = [[*_cells(row.finding), row.segment, _word(row.edited)] for row in rows]
    for index, name in enumerate((*COLUMNS, SEGMENT_COLUMN, EDITED_COLUMN)):
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
    if not {*COLUMNS, SEGMENT_COLUMN, EDITED_COLUMN} <= set(names):
        return []
    rows = []
    for index in range(node.GetNumberOfRows()):
        cells = {name: node.GetCellText(index, names.index(name)) for name in names}
        edited = cells[EDITED_COLUMN] == "true"
        rows.append(Row(findingFromText(cells), cells[SEGMENT_COLUMN], edited))
    return rows


def writeCsv(path: Path, rows: Sequence[Row]) -> None:
    """As findings.csv, with a last column `edited`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, EDITED_COLUMN])
        writer.writerows([*_cells(row.finding), _word(row.edited)] for row in rows)


def _cells(finding: Finding) -> list[str]:
    """The finding's fields as `measures.write_csv` writes them."""
    numbers = [f"{getattr(finding, name) + 0.0:.{DECIMALS}f}" for name in COLUMNS[1:-2]]
    return [str(finding.number), *numbers, _word(finding.growth_limited), _word(finding.unfamiliar)]


def _word(value: bool) -> str:
    return "true" if value else "false"

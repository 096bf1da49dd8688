from __future__ import annotations

import csv
from dataclasses import replace
from typing import Any

import pytest
import qt
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.measures import Finding, write_csv
from PETAnomalyLib.panel.scene import findings_table_node as node_table
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.sections.findings_table import FindingsTable
from PETAnomalyLib.panel.sections.totals import totalsText

pytestmark = pytest.mark.usefixtures("scene")


def finding(number: int, suv_max: float, mtv: float = 10.0, limited: bool = False) -> Finding:
    return Finding(
        number=number,
        suv_max=suv_max,
        suv_mean=suv_max / 2,
        suv_peak=round(suv_max * 0.9, 4),
        mtv_ml=mtv,
        tlg_g=round(mtv * suv_max / 2, 4),
        centroid_r_mm=1.5,
        centroid_a_mm=-2.0,
        centroid_s_mm=3.25,
        score_max=suv_max * 3,
        score_mean=suv_max,
        growth_limited=limited,
    )


ROWS = [
    Row(finding(1, 9.0, mtv=12345.6789), "Finding_1"),
    Row(
        finding(2, 10.5, limited=True),
        "Finding_2",
        byHand=True,
        verdict="lesion",
        comment="left, near the aorta",
    ),
    Row(finding(3, 2.25), "Finding_3"),
]


@pytest.fixture
def table() -> Any:
    view = qt.QTableView()
    view.setSortingEnabled(True)
    made = FindingsTable(view)
    made.show(ROWS, lambda segment: segment != "Finding_3")
    yield made, view
    view.deleteLater()


def test_the_node_gives_back_what_was_written_to_the_fourth_decimal() -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    node_table.write(node, ROWS)
    assert node_table.read(node) == ROWS
    assert node.GetCellText(0, 4) == "12345.6789"


def test_the_nodes_columns_and_cells_are_those_of_findings_csv(tmp_path: Any) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    node_table.write(node, ROWS)
    write_csv(tmp_path / "findings.csv", [row.finding for row in ROWS])
    with (tmp_path / "findings.csv").open(encoding="utf-8") as file:
        expected = list(csv.reader(file))
    width = len(expected[0])
    assert [node.GetColumnName(column) for column in range(width)] == expected[0]
    for index, row in enumerate(expected[1:]):
        assert [node.GetCellText(index, column) for column in range(width)] == row


def test_the_exported_csv_is_findings_csv_and_what_the_reader_said(tmp_path: Any) -> None:
    node_table.writeCsv(tmp_path / "a.csv", ROWS)
    write_csv(tmp_path / "b.csv", [row.finding for row in ROWS])
    exported = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    plain = (tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()
    said = (
        "verdict,comment,by_hand",
        "unsure,,false",
        'lesion,"left, near the aorta",true',
        "unsure,,false",
    )
    assert exported == [f"{line},{own}" for line, own in zip(plain, said)]


def test_a_table_of_another_kind_has_no_rows() -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    assert node_table.read(node) == []


def test_sorting_is_by_number_not_by_text(table: Any) -> None:
    made, view = table
    view.sortByColumn(2, qt.Qt.DescendingOrder)
    assert made.segments() == ["Finding_2", "Finding_1", "Finding_3"]
    view.sortByColumn(2, qt.Qt.AscendingOrder)
    assert [made.text(row, 2) for row in range(3)] == ["2.2", "9.0", "10.5"]


def test_the_order_chosen_stays_when_the_table_is_filled_anew(table: Any) -> None:
    made, view = table
    view.sortByColumn(2, qt.Qt.DescendingOrder)
    made.show(ROWS[::-1], lambda _segment: True)
    assert made.segments() == ["Finding_2", "Finding_1", "Finding_3"]


def test_a_current_row_jumps_by_mouse_and_by_keyboard(table: Any) -> None:
    made, view = table
    jumps: list[str] = []
    made.onJump = jumps.append
    view.selectRow(1)
    view.selectRow(2)
    assert jumps == ["Finding_2", "Finding_3"]


def test_a_tick_shows_and_hides_and_filling_the_table_does_neither(table: Any) -> None:
    made, _view = table
    told = []
    made.onVisibility = lambda segment, shown: told.append((segment, shown))
    made.show(ROWS, lambda segment: segment != "Finding_3")
    assert told == []
    made.setVisible("Finding_3", True)
    made.setVisible("Finding_1", False)
    assert told == [("Finding_3", True), ("Finding_1", False)]


def test_selected_rows_stay_selected_through_a_redraw(table: Any) -> None:
    made, view = table
    view.selectRow(1)
    made.show(ROWS[1:], lambda _segment: True)
    assert made.selectedSegments() == ["Finding_2"]


def test_edits_and_held_back_growth_are_marked(table: Any) -> None:
    made, _view = table
    assert made.text(1, 0) != "2"
    assert made.text(1, 0).startswith("2 ")
    assert made.text(0, 0) == "1"
    assert made.text(1, 4) == "10.0*"


def test_what_lies_in_a_foreign_region_is_marked_and_counted_apart() -> None:
    rows = [*ROWS, Row(replace(finding(4, 5.0), unfamiliar=True), "Finding_4")]
    view = qt.QTableView()
    made = FindingsTable(view)
    made.show(rows, lambda _segment: True)
    assert [made.text(row, 6).endswith("?") for row in range(4)] == [False, False, False, True]
    assert "<td>Unfamiliar</td><td align='right'>&nbsp;&nbsp;<b>0</b></td>" in totalsText(rows)
    assert "Unfamiliar" not in totalsText(ROWS)
    view.deleteLater()


def test_the_totals_add_up_volume_and_glycolysis() -> None:
    text = totalsText(ROWS[1:])
    assert ">1<" in text  # the lesion
    assert ">2<" in text
    assert "20.0 ml" in text
    assert "63.8 g" in text  # 10 * 10.5 / 2 + 10 * 2.25 / 2 = 63.75
    assert "No findings" in totalsText([])

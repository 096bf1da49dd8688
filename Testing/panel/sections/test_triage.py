"""Reading: verdicts by click and by key, comments, totals of the lesions and of all."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest
import qt
import slicer  # slicer.util looks for qt
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.totals import lesions, totalsOf
from PETAnomalyLib.panel.sections.reading_keys import NEXT_KEY, VERDICT_KEYS
from PySide6.QtTest import QTest

pytestmark = pytest.mark.usefixtures("scene")

# vtkMRMLSliceIntersectionWidget.cxx, the Segment Editor's effects aside
SLICE_VIEW_KEYS = {"R", "G", "T", "V", "F", "B", "Left", "Right", "Up", "Down", "[", "]"}


def verdicts(panel: Any) -> list[str]:
    return [row.verdict for row in panel.findings.rows()]


def opacity(panel: Any, segment: str) -> float:
    return panel.parameters.segmentation.GetDisplayNode().GetSegmentOpacity2DOutline(segment)


def press(widget: Any, key: str) -> None:
    """A key while the widget has the focus."""
    window = widget.window()
    window.show()
    window.activateWindow()
    widget.setFocus()
    QTest.qWaitForWindowActive(window, 2000)
    QTest.keyClick(widget, getattr(qt.Qt, f"Key_{key}"))
    slicer.app.processEvents()


def test_a_click_judges_the_selected_findings_and_goes_on(detected: Any) -> None:
    ui, table = detected.ui, detected.findings.table
    table.selectSegment("Finding_1")
    ui.lesionButton.click()
    assert verdicts(detected) == ["lesion", "unsure"]
    assert table.selectedSegments() == ["Finding_2"]
    ui.physiologicalButton.click()
    assert verdicts(detected) == ["lesion", "physiological"]
    assert table.selectedSegments() == ["Finding_2"]  # there is no other without a verdict
    assert ui.physiologicalButton.checked
    assert (opacity(detected, "Finding_1"), opacity(detected, "Finding_2")) == (1.0, 0.3)
    ui.undoButton.click()
    assert verdicts(detected) == ["lesion", "unsure"]
    assert opacity(detected, "Finding_2") == 1.0
    assert not ui.physiologicalButton.checked


def test_keys_act_in_the_table_and_in_slice_views_only(detected: Any) -> None:
    detected.findings.table.selectSegment("Finding_1")
    view = slicer.app.layoutManager().sliceWidget("Red")
    press(detected.ui.findingsTable, "L")
    assert verdicts(detected) == ["lesion", "unsure"]
    view.setFocusPolicy(qt.Qt.ClickFocus)
    press(view, "P")
    assert verdicts(detected) == ["lesion", "physiological"]
    press(detected.ui.findingsTable, "U")
    assert verdicts(detected) == ["lesion", "unsure"]
    detected.findings.table.selectSegment("Finding_1")
    press(view, "N")
    assert detected.findings.table.selectedSegments() == ["Finding_2"]
    press(detected.ui.minimumVolumeSpin, "L")
    assert verdicts(detected) == ["lesion", "unsure"]
    press(detected.ui.commentEdit, "P")
    assert detected.ui.commentEdit.text == "p"
    assert verdicts(detected) == ["lesion", "unsure"]
    detected.exit()
    press(view, "L")
    assert verdicts(detected) == ["lesion", "unsure"]
    view.hide()


def test_slicers_own_keys_are_left_alone() -> None:
    assert not SLICE_VIEW_KEYS & {*VERDICT_KEYS, NEXT_KEY}


def test_buttons_go_down_and_up_the_table_as_it_is_sorted(detected: Any) -> None:
    ui, table = detected.ui, detected.findings.table
    ui.findingsTable.sortByColumn(2, qt.Qt.AscendingOrder)  # SUVmax: 2 before 1
    table.selectSegment("Finding_2")
    ui.downButton.click()
    assert table.selectedSegments() == ["Finding_1"]
    ui.downButton.click()
    assert table.selectedSegments() == ["Finding_1"]
    ui.upButton.click()
    ui.upButton.click()
    assert table.selectedSegments() == ["Finding_2"]


def test_a_comment_is_kept_shown_and_exported(detected: Any, tmp_path: Any) -> None:
    edit, table = detected.ui.commentEdit, detected.findings.table
    table.selectSegment("Finding_2")
    edit.text = 'Left ureter, "sure"'
    edit.editingFinished.emit()
    table.selectSegment("Finding_1")
    assert edit.text == ""
    detected.findings.triage.judge("lesion")
    assert edit.text == 'Left ureter, "sure"'  # it has gone on to the other one
    assert detected.findings.export.writeCsv(tmp_path / "read.csv")
    with (tmp_path / "read.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = [(row["verdict"], row["comment"], row["by_hand"]) for row in rows]
    assert said == [("lesion", "", "false"), ("unsure", 'Left ureter, "sure"', "false")]


def test_a_saved_reading_is_loaded_as_it_was_and_goes_on(detected: Any, tmp_path: Any) -> None:
    findings = detected.findings.inScene
    findings.judge(["Finding_1"], "lesion")
    findings.judge(["Finding_2"], "physiological")
    findings.comment(["Finding_2"], 'ä "b", c\td; = |e| : 5 %')
    rows = detected.findings.rows()
    assert slicer.util.saveScene(str(tmp_path / "read.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "read.mrb"))
    detected.update()
    assert detected.findings.rows() == rows
    assert not detected.parameters.handEdited
    assert opacity(detected, "Finding_2") == pytest.approx(0.3)
    findings.refresh()
    assert detected.findings.rows() == rows  # nothing counts as changed by hand
    findings.judge(["Finding_2"], "unsure")
    assert findings.undo()
    assert detected.findings.rows() == rows


def test_totals_of_the_lesions_stand_beside_those_of_all(detected: Any) -> None:
    detected.findings.inScene.judge(["Finding_2"], "lesion")
    rows = detected.findings.rows()
    own, every = totalsOf(lesions(rows)), totalsOf(rows)
    assert (own.count, every.count) == (1, 2)
    assert own.tmtv_ml == rows[1].finding.mtv_ml
    assert every.tlg_g == pytest.approx(sum(row.finding.tlg_g for row in rows))
    assert (own.suv_max, every.suv_max) == (6.0, 9.0)
    assert own.dmax_mm == 0.0
    # centres of the two spheres: 14, 2 and 16 voxels of 4, 4 and 5 mm apart
    assert every.dmax_mm == pytest.approx(np.linalg.norm([14 * 4, 2 * 4, 16 * 5]), abs=2.0)
    assert f"{every.dmax_mm / 10:.1f} cm" in detected.ui.totalsState.text


def test_dmax_is_the_largest_of_all_distances(detected: Any) -> None:
    from dataclasses import replace

    points = np.random.default_rng(7).normal(size=(9, 3)) * 100
    some = detected.findings.rows()[0].finding
    rows = [
        Row(replace(some, centroid_r_mm=r, centroid_a_mm=a, centroid_s_mm=s), "")
        for r, a, s in points.tolist()
    ]
    expected = max(np.linalg.norm(one - other) for one in points for other in points)
    assert totalsOf(rows).dmax_mm == pytest.approx(expected)


def test_after_a_run_the_first_finding_is_shown_and_the_way_to_it_folded(detected: Any) -> None:
    ui = detected.ui
    assert ui.studySection.collapsed
    assert ui.modelSection.collapsed
    assert detected.findings.table.selectedSegments() == ["Finding_1"]
    first = detected.findings.rows()[0].finding
    centre = (first.centroid_r_mm, first.centroid_a_mm, first.centroid_s_mm)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
        assert np.linalg.inv(matrix) @ [*centre, 1.0] == pytest.approx([0, 0, 0, 1], abs=1e-6)
    slicer.mrmlScene.Clear(0)
    assert not ui.studySection.collapsed

"""Several runs of one study in one table: each keeps what it is, a click shows another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import qt
import slicer  # slicer.util looks for qt
from open_panel import settled
from PETAnomalyLib.panel.parameters import SCORERS
from PETAnomalyLib.panel.scene import slice_views
from PETAnomalyLib.panel.scene.run_record import RUN_ATTRIBUTE, partsOf
from PETAnomalyLib.panel.scene.runs import runsOf
from PETAnomalyLib.panel.scene.volume_nodes import folderOf
from PETAnomalyLib.panel.settings import Settings
from stub_bundles import model
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def detect(panel: Any) -> Any:
    """Another run; its segmentation."""
    before = panel.parameters.segmentation
    panel.ui.detectButton.click()
    assert waitUntil(
        lambda: (
            panel.parameters.segmentation not in (None, before)
            and panel.parameters.table is not None
        )
    )
    settled(panel)
    panel.update()
    return panel.parameters.segmentation


def chooseModel(panel: Any, name: str) -> None:
    panel.ui.modelCombo.setCurrentIndex(panel.ui.modelCombo.findData(name))
    settled(panel)


@pytest.fixture
def two(detected: Any) -> Iterator[Any]:
    """As `detected`, and a second run, of another model; drawn from its Z-score map, and so high
    that one finding is left.
    """
    assert detected.parameters.model == "petct-phantom"
    chooseModel(detected, "pet-phantom")
    detect(detected)
    detected.parameters.scorer = "zscore"
    # The stub's Z-score is twice the SUV.
    detected.parameters.zscoreThreshold = 0.1 + 2 * min(
        row.finding.suv_max for row in detected.findings.rows()
    )
    detected.parameters.growth = 0.0
    detected.update()
    settled(detected)
    detected.update()
    yield detected
    Settings().model = "petct-phantom"  # a computer begins with the model used last


def choose(panel: Any, row: int) -> None:
    view = panel.ui.runsTable
    view.clicked.emit(view.model().index(row, 0))
    panel.update()
    settled(panel)
    panel.update()


def state(panel: Any) -> dict[str, Any]:
    """All that the panel and the views show of a run."""
    parameters = panel.parameters
    node = parameters.segmentation
    return {
        "nodes": {
            name: getattr(parameters.getValue(name), "GetID", lambda: None)()
            for name in (*(f"{scorer}Map" for scorer in SCORERS), "segmentation", "table")
        },
        "controls": (parameters.model, parameters.scorer, panel.findings.delineation.threshold(),
                     parameters.growth, parameters.minimumVolume, parameters.handEdited),
        "rows": [(r.segment, r.finding.number, r.verdict, r.comment, r.byHand)
                 for r in panel.findings.rows()],
        "outlines": [n.GetID() for n in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
                     if n.GetDisplayNode().GetVisibility()],
        "segments": node.GetSegmentation().GetNumberOfSegments(),
        "map": slice_views.scoreMap(parameters, parameters.scorer).GetID(),
    }  # fmt: skip


def isShown(view: Any) -> bool:
    return bool(view.isVisibleTo(view.parentWidget()))


def test_one_run_needs_no_table(detected: Any) -> None:
    assert len(runsOf(detected.parameters)) == 1
    assert not isShown(detected.ui.runsTable)


def test_the_table_says_of_each_run_what_it_is_and_found(two: Any) -> None:
    assert isShown(two.ui.runsTable)
    first, second = two.findings.runs.texts()
    shown = runsOf(two.parameters)
    assert [run.isShown for run in shown] == [False, True]
    assert first[1:3] == ["petct-phantom", "KDE"]
    assert second[1:3] == ["pet-phantom", "Z-score"]
    for cells, run in zip((first, second), shown):
        table = partsOf(run.segmentation, ["table"])["table"]
        volumes = [
            float(table.GetCellText(row, table.GetColumnIndex("mtv_ml")))
            for row in range(table.GetNumberOfRows())
        ]
        assert cells[3:] == [str(len(volumes)), f"{sum(volumes):.1f}"]
    assert first[4] != second[4]
    assert two.ui.runsTable.currentIndex().row() == 1
    # What is physiological does not count.
    (row,) = two.findings.rows()
    two.findings.inScene.judge([row.segment], "physiological")
    two.update()
    assert [cells[3] for cells in two.findings.runs.texts()] == ["2", "0"]


def test_a_click_shows_another_run_as_it_was_left_and_back(two: Any) -> None:
    second = state(two)
    two.findings.inScene.judge([two.findings.rows()[0].segment], "lesion")
    two.findings.inScene.comment([two.findings.rows()[0].segment], "seen")
    two.update()
    second = state(two)
    assert second["rows"][0][2:4] == ("lesion", "seen")
    choose(two, 0)
    first = state(two)
    assert first["controls"][:2] == ("petct-phantom", "kde")
    assert {row[2] for row in first["rows"]} == {"unsure"}
    assert first["outlines"] == [first["nodes"]["segmentation"]]
    assert not set(first["nodes"].values()) & set(second["nodes"].values())
    assert first["map"] == first["nodes"]["kdeMap"]
    choose(two, 1)
    assert state(two) == second
    choose(two, 0)
    assert state(two) == first


def test_what_a_hand_did_stays_with_its_run(two: Any) -> None:
    choose(two, 0)
    two.findings.inScene.remove([two.findings.rows()[0].segment])
    two.update()
    left = [row.finding.number for row in two.findings.rows()]
    assert two.parameters.handEdited
    choose(two, 1)
    assert not two.parameters.handEdited
    choose(two, 0)
    assert two.parameters.handEdited
    assert [row.finding.number for row in two.findings.rows()] == left
    assert two.findings.runs.texts()[0][3] == str(len(left))


def test_the_arrow_keys_go_from_run_to_run(two: Any) -> None:
    view = two.ui.runsTable
    view.setCurrentIndex(view.model().index(1, 0))
    event = qt.QKeyEvent(qt.QEvent.KeyPress, qt.Qt.Key_Up, qt.Qt.NoModifier)
    qt.QApplication.sendEvent(view, event)
    two.update()
    assert two.parameters.model == "petct-phantom"
    assert [run.isShown for run in runsOf(two.parameters)] == [True, False]
    assert view.currentIndex().row() == 0


@pytest.mark.slow
def test_a_redraw_belongs_to_the_run_that_is_shown(two: Any) -> None:
    choose(two, 0)
    second = two.findings.runs.texts()[1]
    two.ui.thresholdSlider.value = 1.0
    two.update()
    assert settled(two)
    two.update()
    redrawn = state(two)
    assert redrawn["controls"][2] == pytest.approx(1.0, abs=0.1)
    choose(two, 1)
    assert two.findings.runs.texts()[1] == second
    choose(two, 0)
    assert state(two) == redrawn


def test_deleting_the_run_that_is_shown_shows_another_after_asking(two: Any) -> None:
    two.findings.runs._confirm = lambda _question, _title: False
    two.findings.runs._delete.trigger()
    assert len(runsOf(two.parameters)) == 2
    shown = two.parameters.segmentation
    gone = [two.parameters.zscoreMap, two.parameters.table, two.parameters.scoredMask, shown]
    folder = folderOf(shown)
    two.findings.runs._confirm = lambda _question, _title: True
    two.findings.runs._delete.trigger()
    two.update()
    assert all(node.GetScene() is None for node in gone)
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    assert folder not in _items(hierarchy)
    assert two.parameters.model == "petct-phantom"
    assert len(two.findings.rows()) == 2
    assert not isShown(two.ui.runsTable)


def test_a_run_whose_findings_were_deleted_elsewhere_leaves_the_table(two: Any) -> None:
    first, _second = runsOf(two.parameters)
    slicer.mrmlScene.RemoveNode(first.segmentation)
    two.update()
    assert len(runsOf(two.parameters)) == 1
    assert not isShown(two.ui.runsTable)
    other, _ct = addStudy()  # whose runs these are not
    two.parameters.pet = other
    two.update()
    assert runsOf(two.parameters) == []


def test_a_scene_keeps_its_runs_and_they_are_live(two: Any, tmp_path: Any) -> None:
    two.findings.inScene.judge([two.findings.rows()[0].segment], "lesion")
    two.update()
    second, texts = state(two), two.findings.runs.texts()
    choose(two, 0)
    first = state(two)
    assert slicer.util.saveScene(str(tmp_path / "runs.mrb"))
    slicer.mrmlScene.Clear(0)
    two.update()
    assert not isShown(two.ui.runsTable)
    slicer.util.loadScene(str(tmp_path / "runs.mrb"))
    two.update()
    assert two.findings.runs.texts() == texts
    for row, before in ((1, second), (0, first)):
        choose(two, row)
        now = state(two)
        assert (now["controls"], now["rows"]) == (before["controls"], before["rows"])
        assert len(now["outlines"]) == 1


def test_a_run_of_a_scene_that_an_earlier_version_saved_is_one(detected: Any) -> None:
    node = detected.parameters.segmentation
    for role in range(node.GetNumberOfNodeReferenceRoles() - 1, -1, -1):
        name = node.GetNthNodeReferenceRole(role)
        if name.startswith("PETAnomaly."):
            node.RemoveNodeReferenceIDs(name)
    node.SetAttribute(RUN_ATTRIBUTE, None)
    (run,) = runsOf(detected.parameters)
    assert run.isShown
    assert (run.time, run.count) == ("", 2)


@pytest.mark.parametrize("scale", [1.0, pytest.param(1.5, marks=pytest.mark.slow)])
def test_the_table_fits_into_a_dock(two: Any, scale: float) -> None:
    before = qt.QApplication.font()
    larger = qt.QApplication.font()
    larger.setPointSizeF(scale * before.pointSizeF())
    qt.QApplication.setFont(larger)
    two.dock = dock = qt.QScrollArea()  # the panel's widget goes with it
    dock.setWidgetResizable(True)
    dock.setWidget(two.widget)
    dock.resize(400, 1000)
    dock.show()
    waitUntil(lambda: False, 0.1)
    two.findings.inScene.judge([two.findings.rows()[0].segment], "physiological")
    two.update()
    try:
        view = two.ui.runsTable
        metrics = view.fontMetrics()
        for row in two.findings.runs.texts():
            for column, text in enumerate(row):
                assert view.columnWidth(column) > metrics.boundingRect(text).width()
        assert dock.horizontalScrollBar().maximum == 0
        if scale == 1.0:  # larger, or with longer names, it scrolls
            assert view.horizontalScrollBar().maximum == 0
        assert view.viewport().height >= 2 * view.rowHeight(0)
    finally:
        dock.takeWidget()
        qt.QApplication.setFont(before)


def test_a_click_while_results_come_in_mixes_no_runs(detected: Any) -> None:
    panel, first = detected, detected.parameters.segmentation
    panel.ui.detectButton.click()
    assert waitUntil(lambda: panel.task.isPlacing and panel.parameters.segmentation is None)
    panel.findings.runs.update()
    view = panel.ui.runsTable
    view.clicked.emit(view.model().index(0, 0))
    panel.findings.runs._delete.trigger()
    assert first.GetScene() is not None
    assert settled(panel)
    panel.update()
    parts = partsOf(panel.parameters.segmentation, ["kdeMap", "table", "segmentation"])
    assert parts["segmentation"] is panel.parameters.segmentation is not first
    assert parts["kdeMap"] is panel.parameters.kdeMap
    assert parts["table"] is panel.parameters.table
    assert not first.GetDisplayNode().GetVisibility()


def test_choosing_a_model_for_the_next_run_leaves_the_findings_alone(detected: Any) -> None:
    """Its smallest volume and its scorer are its own."""
    parameters = detected.parameters
    smallest = min(row.finding.mtv_ml for row in detected.findings.rows())
    parameters.minimumVolume = smallest / 2
    detected.update()
    settled(detected)
    rows = detected.findings.rows()
    detected.findings.inScene.judge([rows[0].segment], "lesion")
    hungry = model("hungry", ct="unused", min_volume_ml=900.0, scorers=("residual",))
    detected.model._adopt(hungry)
    detected.update()
    assert settled(detected)
    assert parameters.minimumVolume == 900.0
    assert [row.finding for row in detected.findings.rows()] == [row.finding for row in rows]
    parameters.minimumVolume = 1.5 * smallest  # that is for these findings
    detected.update()
    assert settled(detected)
    assert len(detected.findings.rows()) < len(rows)
    Settings().model = "petct-phantom"


def _items(hierarchy: Any) -> list[int]:
    import vtk

    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), found, True)
    return [found.GetId(n) for n in range(found.GetNumberOfIds())]


OPENED = """
import json, sys
from pathlib import Path
import harness
harness.start()
import slicer
from open_panel import openPanel
with openPanel(Path(sys.argv[2])) as panel:
    slicer.util.loadScene(sys.argv[1])
    panel.update()
    told = []
    for row in (1, 0):
        view = panel.ui.runsTable
        view.clicked.emit(view.model().index(row, 0))
        panel.update()
        told.append([panel.parameters.model, panel.parameters.scorer,
                     panel.findings.delineation.threshold(), panel.parameters.handEdited,
                     [[r.finding.number, r.verdict, r.comment] for r in panel.findings.rows()]])
    print("TOLD " + json.dumps([panel.findings.runs.texts(), *told]))
"""


@pytest.mark.slow
def test_another_process_has_the_same_runs_and_they_are_live(two: Any, tmp_path: Any) -> None:
    two.findings.inScene.judge([two.findings.rows()[0].segment], "lesion")
    two.findings.inScene.comment([two.findings.rows()[0].segment], "über, all")
    choose(two, 0)
    two.findings.inScene.remove([two.findings.rows()[0].segment])
    two.update()
    told = []
    for row in (1, 0):
        choose(two, row)
        controls = state(two)["controls"]
        rows = [[r.finding.number, r.verdict, r.comment] for r in two.findings.rows()]
        told.append([*controls[:3], controls[5], rows])
    texts = two.findings.runs.texts()
    assert slicer.util.saveScene(str(tmp_path / "runs.mrb"))
    ran = subprocess.run(
        [sys.executable, "-c", OPENED, str(tmp_path / "runs.mrb"), str(tmp_path / "other")],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
    )  # fmt: skip
    lines = [line for line in ran.stdout.splitlines() if line.startswith("TOLD ")]
    assert lines, ran.stderr[-2000:]
    assert json.loads(lines[0].removeprefix("TOLD ")) == [texts, *told]

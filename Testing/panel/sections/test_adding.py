"""What the software missed is added by a click; findings are merged and split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
import vtk
from PETAnomalyLib.panel.parameters import CONTOURS
from studies import ORIGIN_LPS, SPACING, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def rasOf(i: float, j: float, k: float) -> list[float]:
    x, y, z = (o + n * s for o, n, s in zip(ORIGIN_LPS, (i, j, k), SPACING))
    return [-x, -y, z]


def click(panel: Any, ras: list[float]) -> None:
    """As Slicer's place mode does it: a control point where the reader clicks."""
    panel.findings.adding.picker.point.AddControlPointWorld(vtk.vtkVector3d(*ras))


def voxels(panel: Any, segment: str) -> np.ndarray:
    node, pet = panel.parameters.segmentation, panel.parameters.pet
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, pet) > 0


@pytest.fixture
def missed(detected: Any) -> Any:
    """Finding 2 (sphere of SUV 6 at 28, 16, 36) was missed."""
    detected.findings.inScene.remove(["Finding_2"])
    return detected


def test_a_click_near_the_hot_spot_adds_its_contour_as_a_finding_by_hand(missed: Any) -> None:
    ui = missed.ui
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    ui.addButton.click()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    click(missed, rasOf(29.0, 16.5, 36.8))
    assert waitUntil(lambda: len(missed.findings.rows()) == 2, 5.0)
    assert not ui.addButton.checked
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform
    assert not slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    row = missed.findings.rows()[1]
    assert (row.finding.number, row.byHand, row.verdict) == (3, True, "unsure")
    assert row.finding.suv_max == pytest.approx(6.0)
    sphere = petArray() >= 0.4 * np.float32(6.0)
    sphere[:32] = False  # the other one
    assert np.array_equal(voxels(missed, row.segment), sphere)
    assert row.finding.score_max == pytest.approx(6.0 * 1.5 - 2.0)
    assert missed.findings.table.selectedSegments() == [row.segment]
    missed.findings.inScene.undo()
    assert len(missed.findings.rows()) == 1


def test_a_fixed_suv_draws_at_that_suv(missed: Any) -> None:
    missed.ui.contourCombo.setCurrentIndex(list(CONTOURS).index("SUV 4"))
    assert missed.parameters.contour == "SUV 4"
    missed.findings.adding.addAt(np.array(rasOf(28, 16, 36)))
    expected = petArray() >= 4.0
    expected[:32] = False
    assert np.array_equal(voxels(missed, missed.findings.rows()[1].segment), expected)


def test_a_click_into_a_finding_goes_to_it(missed: Any) -> None:
    missed.findings.adding.addAt(np.array(rasOf(15, 18, 21)))
    assert [row.segment for row in missed.findings.rows()] == ["Finding_1"]
    assert missed.findings.table.selectedSegments() == ["Finding_1"]


@pytest.mark.parametrize(
    ("place", "contour", "expected"),
    [
        ((-30.0, 0.0, 0.0), "40 % of its SUVmax", "outside the PET"),
        ((19.0, 17.0, 5.0), "40 % of its SUVmax", "runs far into its surroundings"),
        ((19.0, 17.0, 5.0), "SUV 4", "SUV 1."),
    ],
)
def test_what_is_no_spot_is_refused_in_words(
    missed: Any, monkeypatch: Any, place: Any, contour: str, expected: str
) -> None:
    said: list[str] = []
    monkeypatch.setattr(slicer.util, "warningDisplay", lambda text, *_a, **_k: said.append(text))
    missed.parameters.contour = contour
    missed.findings.adding.addAt(np.array(rasOf(*place)))
    assert len(said) == 1
    assert expected in said[0]
    assert len(missed.findings.rows()) == 1


def test_thinking_better_of_it_leaves_nothing(missed: Any) -> None:
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    missed.ui.addButton.click()
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)  # Escape
    assert waitUntil(lambda: not missed.ui.addButton.checked, 5.0)
    assert not slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    missed.ui.addButton.click()
    missed.ui.addButton.click()
    assert interaction.GetCurrentInteractionMode() == interaction.ViewTransform
    assert len(missed.findings.rows()) == 1


def test_what_hovers_is_drawn_and_said_in_the_status_line(missed: Any, monkeypatch: Any) -> None:
    said: list[str] = []
    monkeypatch.setattr(slicer.util, "showStatusMessage", lambda text, *_a, **_k: said.append(text))
    missed.ui.addButton.click()
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshair.SetCursorPositionRAS(rasOf(28, 16, 36))
    assert waitUntil(lambda: any("SUVmax 6.0" in text for text in said), 5.0)
    preview = slicer.util.getFirstNodeByClassByName("vtkMRMLSegmentationNode", "PETAnomaly preview")
    sphere = petArray() >= 0.4 * np.float32(6.0)
    sphere[:32] = False
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(
        preview, preview.GetSegmentation().GetNthSegmentID(0), missed.parameters.pet
    )
    assert np.array_equal(drawn > 0, sphere)
    crosshair.SetCursorPositionRAS(rasOf(19, 17, 5))  # nothing there
    assert waitUntil(lambda: preview.GetScene() is None, 5.0)
    crosshair.SetCursorPositionRAS(rasOf(28, 16, 36))
    waitUntil(lambda: False, 0.3)
    before = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    missed.ui.addButton.click()
    after = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    assert before - after == 1
    assert [row.segment for row in missed.findings.rows()] == ["Finding_1"]


def test_merged_and_split_again_they_are_as_before(detected: Any) -> None:
    findings, table = detected.findings.inScene, detected.findings.table
    both = voxels(detected, "Finding_1") | voxels(detected, "Finding_2")
    parts = [voxels(detected, row.segment) for row in detected.findings.rows()]
    findings.judge(["Finding_2"], "lesion")
    findings.comment(["Finding_2"], "node")
    detected.ui.findingsTable.selectAll()
    detected.ui.mergeButton.click()
    (row,) = detected.findings.rows()
    assert (row.segment, row.finding.number, row.byHand) == ("Finding_1", 1, True)
    assert (row.verdict, row.comment) == ("unsure", "node")  # they did not agree
    assert np.array_equal(voxels(detected, "Finding_1"), both)
    assert table.selectedSegments() == ["Finding_1"]
    detected.ui.splitButton.click()
    rows = detected.findings.rows()
    assert [row.finding.number for row in rows] == [1, 3]
    for row, part in zip(rows, parts):
        assert np.array_equal(voxels(detected, row.segment), part)
    findings.undo()
    findings.undo()
    assert [row.verdict for row in detected.findings.rows()] == ["unsure", "lesion"]
    assert not detected.parameters.handEdited


def test_one_hot_spot_is_not_split(detected: Any) -> None:
    detected.findings.table.selectSegment("Finding_2")
    before = detected.findings.rows()
    detected.ui.splitButton.click()
    assert detected.findings.rows() == before


def test_added_findings_are_saved_and_loaded(missed: Any, tmp_path: Any) -> None:
    missed.findings.adding.addAt(np.array(rasOf(28, 16, 36)))
    missed.findings.triage.judge("lesion")
    rows = missed.findings.rows()
    assert slicer.util.saveScene(str(tmp_path / "added.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "added.mrb"))
    missed.update()
    missed.findings.inScene.refresh()
    assert missed.findings.rows() == rows
    assert missed.parameters.handEdited

from __future__ import annotations

from typing import Any

import ctk
import pytest
import slicer  # slicer.util looks for qt
from open_panel import openPanel, settled
from PETAnomalyLib.panel.scene.placing import addSegmentation
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def detected(tmp_path: Any) -> Any:
    """A panel with a study and a run's results."""
    with openPanel(tmp_path) as panel:
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.update()
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.parameters.table is not None)
        settled(panel)
        panel.update()
        yield panel


def test_edit_findings_opens_the_editor_on_them_with_the_pet_as_source(detected: Any) -> None:
    detected.findings.table.selectSegment("Finding_2")
    detected.ui.editButton.click()
    editor = detected.findings.editing.widget
    assert editor.segmentationNode() is detected.parameters.segmentation
    assert editor.sourceVolumeNode() is detected.parameters.pet
    assert editor.currentSegmentID() == "Finding_2"
    assert detected.ui.editorFrame.isVisibleTo(detected.widget)
    detected.ui.editButton.click()
    assert not detected.findings.editing.isOpen
    assert not detected.ui.editorFrame.isVisibleTo(detected.widget)


def test_closing_the_editor_lets_the_table_follow_at_once(detected: Any) -> None:
    detected.ui.editButton.click()
    pet = detected.parameters.pet
    segmentation = detected.parameters.segmentation
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Finding_1", pet)
    voxels[20] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, "Finding_1", pet)
    detected.ui.editButton.click()
    row = detected.findings.rows()[0]
    assert row.edited
    assert row.finding.mtv_ml == pytest.approx((voxels > 0).sum() * 0.08)
    assert detected.ui.editedState.isVisibleTo(detected.widget)


def test_a_segment_drawn_by_hand_becomes_a_finding_of_its_own(detected: Any) -> None:
    segmentation, pet = detected.parameters.segmentation, detected.parameters.pet
    segmentation.GetSegmentation().AddEmptySegment("Mine", "Axillary node")
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Finding_1", pet)
    voxels[:] = 0
    voxels[5:8, 17:20, 17:20] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, "Mine", pet)
    detected.findings.watch.settle()
    rows = detected.findings.rows()
    assert [(row.finding.number, row.segment) for row in rows] == [
        (1, "Finding_1"),
        (2, "Finding_2"),
        (3, "Mine"),
    ]
    assert rows[2].finding.mtv_ml == pytest.approx(27 * 0.08)
    assert segmentation.GetSegmentation().GetSegment("Mine").GetName() == "Axillary node"


def test_leaving_the_module_gives_mouse_and_keyboard_back(detected: Any) -> None:
    detected.ui.editButton.click()
    detected.exit()
    assert detected.findings.editing.isOpen
    detected.enter()
    assert detected.findings.editing.isOpen
    detected.ui.editButton.click()


def test_closing_the_scene_closes_the_editor(detected: Any) -> None:
    detected.ui.editButton.click()
    slicer.mrmlScene.Clear(0)
    assert not detected.findings.editing.isOpen
    assert not detected.ui.editButton.checked
    assert detected.findings.rows() == []


def test_a_closed_editor_stays_closed_when_another_segmentation_comes(detected: Any) -> None:
    detected.ui.editButton.click()
    detected.ui.editButton.click()
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "another")
    assert not detected.findings.editing.isOpen
    detected.exit()
    detected.enter()
    assert not detected.ui.editorFrame.isVisibleTo(detected.widget)


def test_the_editor_leaves_the_layers_as_the_switch_says(detected: Any) -> None:
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    detected.ui.editButton.click()
    assert composite.GetBackgroundVolumeID() == detected.parameters.ct.GetID()
    detected.ui.editButton.click()


def test_the_csv_goes_where_it_may_and_says_so_where_it_may_not(
    detected: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    said: list[str] = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *_a, **_k: said.append(text))
    assert detected.findings.exportCsv(tmp_path / "ünd hier.csv")
    assert not detected.findings.exportCsv(tmp_path / "no such folder" / "a.csv")
    assert "no such folder" in said[0]


def test_the_models_defaults_come_back_by_one_click(detected: Any) -> None:
    parameters = detected.parameters
    parameters.growth = 0.5
    parameters.minimumVolume = 5.0
    detected.ui.thresholdSlider.value = 5.0
    detected.update()
    assert waitUntil(lambda: len(detected.findings.rows()) == 1)
    detected.ui.resetButton.click()
    assert waitUntil(lambda: len(detected.findings.rows()) == 2)
    assert parameters.growth == 0.4
    assert parameters.minimumVolume == 0.5
    detected.update()
    assert detected.ui.thresholdSlider.value == pytest.approx(3.0)


@pytest.fixture
def answers(monkeypatch: Any) -> list[bool]:
    """What is answered to the next questions, in turn; a question too many fails the test."""
    given: list[bool] = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_a, **_k: given.pop(0))
    return given


def test_a_run_replaces_findings_changed_by_hand_only_after_asking(
    detected: Any, answers: list[bool]
) -> None:
    detected.ui.replaceCheck.checked = True
    detected.findings.deleteFindings(["Finding_2"])
    mine = detected.parameters.segmentation
    answers[:] = [False]
    detected.ui.detectButton.click()
    assert not detected.task.isRunning
    assert detected.parameters.segmentation is mine
    answers[:] = [True]
    detected.ui.detectButton.click()
    assert waitUntil(lambda: not detected.task.isRunning)
    assert mine.GetScene() is None
    assert not detected.parameters.handEdited


def test_what_a_hand_changes_during_a_run_stays_in_the_scene(
    detected: Any, answers: list[bool]
) -> None:
    detected.ui.replaceCheck.checked = True
    mine = detected.parameters.segmentation
    detected.ui.detectButton.click()
    assert detected.task.isRunning
    detected.findings.deleteFindings(["Finding_2"])
    assert waitUntil(lambda: not detected.task.isRunning)
    assert mine.GetScene() is slicer.mrmlScene
    assert detected.parameters.segmentation is not mine
    assert answers == []


def test_a_hand_that_is_quicker_than_a_redraw_is_asked(detected: Any, answers: list[bool]) -> None:
    answers[:] = [False]
    detected.ui.thresholdSlider.value = 2.0
    detected.update()
    assert detected.findings.redraw.isPending
    detected.findings.deleteFindings(["Finding_2"])
    assert settled(detected)
    detected.update()
    assert [row.segment for row in detected.findings.rows()] == ["Finding_1"]
    assert detected.ui.thresholdSlider.value == pytest.approx(3.0)
    assert not detected.findings.redraw.isPending
    assert answers == []


def test_a_redraw_that_a_new_run_overtakes_does_not_touch_its_findings(detected: Any) -> None:
    detected.ui.thresholdSlider.value = 9.0
    detected.update()
    assert detected.findings.redraw.isPending
    new = addSegmentation("of a new run", detected.parameters.pet)
    detected.parameters.segmentation = new
    detected.update()
    assert not detected.findings.redraw.isPending
    assert settled(detected)
    assert new.GetSegmentation().GetNumberOfSegments() == 0


def test_the_threshold_slider_takes_the_step_of_a_map_with_a_far_wider_range(
    detected: Any, caplog: Any
) -> None:
    slider = detected.ui.thresholdSlider
    slider.blockSignals(True)
    slider.decimals = 6
    slider.minimum, slider.maximum, slider.singleStep = 0.0, 1e-3, 1e-6
    slider.blockSignals(False)
    detected.findings._range = ()
    detected.update()
    assert slider.singleStep == pytest.approx(detected.findings._range[1].step)
    assert "outside of valid bounds" not in caplog.text


def test_the_threshold_sliders_decimals_are_its_own(detected: Any) -> None:
    smoothing = ctk.ctkSliderWidget(detected.ui.editorFrame)  # as in the editor's Smoothing effect
    smoothing.decimals = 2
    detected.ui.thresholdSlider.decimals = 0
    assert smoothing.decimals == 2

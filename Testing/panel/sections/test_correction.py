from __future__ import annotations

from typing import Any

import pytest
import slicer  # slicer.util looks for qt

pytestmark = pytest.mark.usefixtures("scene")


def test_edit_findings_opens_the_editor_on_them_with_the_pet_as_source(detected: Any) -> None:
    detected.findings.table.selectSegment("Finding_2")
    detected.ui.editButton.click()
    editor = detected.findings.correction.editor.widget
    assert editor.segmentationNode() is detected.parameters.segmentation
    assert editor.sourceVolumeNode() is detected.parameters.pet
    assert editor.currentSegmentID() == "Finding_2"
    assert detected.ui.editorFrame.isVisibleTo(detected.widget)
    detected.ui.editButton.click()
    assert not detected.findings.correction.editor.isOpen
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
    assert row.byHand
    assert row.finding.mtv_ml == pytest.approx((voxels > 0).sum() * 0.08)
    assert detected.ui.editedState.isVisibleTo(detected.widget)


def test_a_segment_drawn_by_hand_becomes_a_finding_of_its_own(detected: Any) -> None:
    segmentation, pet = detected.parameters.segmentation, detected.parameters.pet
    segmentation.GetSegmentation().AddEmptySegment("Mine", "Axillary node")
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Finding_1", pet)
    voxels[:] = 0
    voxels[5:8, 17:20, 17:20] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, "Mine", pet)
    detected.findings.inScene.settle()
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
    assert detected.findings.correction.editor.isOpen
    detected.enter()
    assert detected.findings.correction.editor.isOpen
    detected.ui.editButton.click()


def test_closing_the_scene_closes_the_editor(detected: Any) -> None:
    detected.ui.editButton.click()
    slicer.mrmlScene.Clear(0)
    assert not detected.findings.correction.editor.isOpen
    assert not detected.ui.editButton.checked
    assert detected.findings.rows() == []


def test_a_closed_editor_stays_closed_when_another_segmentation_comes(detected: Any) -> None:
    detected.ui.editButton.click()
    detected.ui.editButton.click()
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "another")
    assert not detected.findings.correction.editor.isOpen
    detected.exit()
    detected.enter()
    assert not detected.ui.editorFrame.isVisibleTo(detected.widget)


def test_the_editor_leaves_the_layers_as_the_switch_says(detected: Any) -> None:
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    detected.ui.editButton.click()
    assert composite.GetBackgroundVolumeID() == detected.parameters.ct.GetID()
    detected.ui.editButton.click()

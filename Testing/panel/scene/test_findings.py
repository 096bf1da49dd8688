"""A finding is its segment: what is said of it survives deleting, undo and another order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.segmentation import NUMBER_TAG, colour
from PETAnomalyLib.panel.scene import findings_segmentation
from studies import waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def looks(panel: Any) -> list[tuple]:
    """Of each row: number, segment, the segment's name and colour, verdict, comment, by hand."""
    segmentation = panel.parameters.segmentation.GetSegmentation()
    return [
        (
            row.finding,
            row.segment,
            segmentation.GetSegment(row.segment).GetName(),
            segmentation.GetSegment(row.segment).GetColor(),
            row.verdict,
            row.comment,
            row.byHand,
        )
        for row in panel.findings.rows()
    ]


def paint(panel: Any, name: str, voxels: np.ndarray) -> None:
    node, pet = panel.parameters.segmentation, panel.parameters.pet
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels.astype(np.uint8), node, name, pet)


def test_undo_brings_a_deleted_finding_back_as_it_was(detected: Any) -> None:
    findings = detected.findings.inScene
    findings.judge(["Finding_1"], "lesion")
    findings.comment(["Finding_1"], "left | hilum:  9 % of it\n= node")
    before = looks(detected)
    assert before[0][4:] == ("lesion", "left | hilum: 9 % of it = node", False)
    findings.remove(["Finding_1"])
    assert [row.finding.number for row in detected.findings.rows()] == [2]
    assert detected.parameters.handEdited
    assert findings.undo()
    assert looks(detected) == before
    assert not detected.parameters.handEdited
    assert findings.undo()
    assert findings.undo()
    assert [row[4:] for row in looks(detected)] == [("unsure", "", False)] * 2
    assert not findings.undo()


def test_undo_in_the_open_editor_does_the_same(detected: Any) -> None:
    detected.ui.editButton.click()
    before = looks(detected)
    findings = detected.findings.inScene
    findings.remove(["Finding_1"])
    findings.judge(["Finding_2"], "physiological")
    editor = detected.findings.correction.editor.widget
    editor.undo()
    editor.undo()
    findings.settle()
    assert looks(detected) == before
    assert not detected.parameters.handEdited
    paint(detected, "Finding_2", np.zeros((50, 36, 40)))
    detected.ui.editButton.click()  # what was done in the editor is one step afterwards
    assert len(detected.findings.rows()) == 1
    assert findings.undo()
    assert looks(detected) == before


def test_the_order_of_segments_says_nothing(detected: Any) -> None:
    before = looks(detected)
    segmentation = detected.parameters.segmentation.GetSegmentation()
    segmentation.ReorderSegments(["Finding_2", "Finding_1"])
    detected.findings.inScene.refresh()
    assert looks(detected) == before
    assert not detected.parameters.handEdited


def test_numbers_are_given_once(detected: Any) -> None:
    """Neither a deleted finding's nor one that a copied segment brings along is given again."""
    findings = detected.findings.inScene
    segmentation = detected.parameters.segmentation.GetSegmentation()
    findings.remove(["Finding_2"])
    for name in ("Copy", "Second copy"):
        segment = slicer.vtkSegment()
        segment.DeepCopy(segmentation.GetSegment("Finding_1"))
        segmentation.AddSegment(segment, name)
    findings.settle()
    rows = {row.segment: row for row in detected.findings.rows()}
    assert {name: row.finding.number for name, row in rows.items()} == {
        "Finding_1": 1,
        "Copy": 3,
        "Second copy": 4,
    }
    assert [row.byHand for row in rows.values()] == [False, True, True]


def test_painting_back_what_was_there_is_no_change_by_hand(detected: Any) -> None:
    node, pet = detected.parameters.segmentation, detected.parameters.pet
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(node, "Finding_2", pet).copy()
    smaller = voxels.copy()
    smaller[:36] = 0
    paint(detected, "Finding_2", smaller)
    detected.findings.inScene.settle()
    assert detected.findings.rows()[1].byHand
    paint(detected, "Finding_2", voxels)
    detected.findings.inScene.settle()
    assert not detected.findings.rows()[1].byHand
    assert not detected.parameters.handEdited


def test_a_redraw_carries_over_what_was_said(detected: Any) -> None:
    findings = detected.findings.inScene
    findings.judge(["Finding_2"], "physiological")
    findings.comment(["Finding_2"], "bladder")
    detected.parameters.growth = 0.0
    detected.ui.thresholdSlider.value = -1.5  # the whole body: both in one
    assert waitUntil(lambda: len(detected.findings.rows()) == 1, 10.0)
    row = detected.findings.rows()[0]
    assert (row.verdict, row.comment) == ("physiological", "bladder")
    assert not detected.parameters.handEdited


def test_a_scene_of_an_earlier_version_gets_its_tags(detected: Any) -> None:
    node = detected.parameters.segmentation
    for name in ("Finding_1", "Finding_2"):
        node.GetSegmentation().GetSegment(name).RemoveTag(NUMBER_TAG)
    node.RemoveAttribute(findings_segmentation.DRAWN_ATTRIBUTE)
    detected.findings.inScene.stop()
    detected.update()
    detected.findings.inScene.refresh()
    rows = detected.findings.rows()
    assert [(row.finding.number, row.byHand) for row in rows] == [(1, False), (2, False)]
    assert not detected.parameters.handEdited


def test_colours_are_those_of_the_numbers(detected: Any) -> None:
    segmentation = detected.parameters.segmentation.GetSegmentation()
    for row in detected.findings.rows():
        own = np.array(segmentation.GetSegment(row.segment).GetColor()) * 255
        assert own == pytest.approx(colour(row.finding.number), abs=0.5)

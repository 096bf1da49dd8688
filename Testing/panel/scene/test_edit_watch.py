from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.measures import measure
from PETAnomalyLib.panel.scene.edit_watch import EditWatch
from studies import addSegmentation, addStudy, image, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def watched() -> Any:
    pet, _ct = addStudy()
    labels = np.zeros(petArray().shape, np.uint16)
    labels[18:23, 16:21, 12:17] = 1
    labels[35:38, 15:18, 27:30] = 2
    findings = measure(image(labels), image(petArray()), image(petArray()))
    node = addSegmentation(pet, labels, findings)
    edits: list = []
    watch = EditWatch()
    watch.watch(node)
    watch.onEdited = lambda changed, removed: edits.append((changed, removed))
    yield pet, labels, node, watch, edits
    watch.watch(None)


def paint(node: Any, pet: Any, name: Any, voxels: Any) -> None:
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels.astype(np.uint8), node, name, pet)


def test_an_edit_names_the_segments_that_differ_once_it_has_settled(watched: Any) -> None:
    pet, labels, node, _watch, edits = watched
    smaller = labels == 2
    smaller[35] = False
    paint(node, pet, "Finding_2", smaller)
    smaller[36, 15] = False
    paint(node, pet, "Finding_2", smaller)
    assert edits == []
    assert waitUntil(lambda: bool(edits))
    assert edits == [(["Finding_2"], [])]


def test_a_new_and_a_removed_segment_are_edits(watched: Any) -> None:
    pet, labels, node, watch, edits = watched
    node.GetSegmentation().AddEmptySegment("Mine", "Mine")
    paint(node, pet, "Mine", np.roll(labels == 1, 8, axis=0))
    node.GetSegmentation().RemoveSegment("Finding_2")
    watch.settle()
    assert edits == [(["Mine"], ["Finding_2"])]


def test_renaming_recolouring_and_hiding_are_no_edits(watched: Any) -> None:
    _pet, _labels, node, watch, edits = watched
    segment = node.GetSegmentation().GetSegment("Finding_1")
    segment.SetName("Another name")
    segment.SetColor(0.1, 0.2, 0.3)
    node.GetDisplayNode().SetSegmentVisibility("Finding_1", False)
    watch.settle()
    assert edits == []


def test_what_the_panel_draws_itself_is_no_edit(watched: Any) -> None:
    pet, labels, node, watch, edits = watched
    with watch.ownChange():
        paint(node, pet, "Finding_1", np.roll(labels == 1, 3, axis=0))
    waitUntil(lambda: False, 0.7)
    watch.settle()
    assert edits == []


def test_surfaces_made_for_the_3d_view_are_no_edit(watched: Any) -> None:
    _pet, _labels, node, watch, edits = watched
    node.CreateClosedSurfaceRepresentation()
    watch.settle()
    assert edits == []


def test_a_segmentation_that_is_gone_is_left_alone(watched: Any) -> None:
    _pet, _labels, node, watch, edits = watched
    slicer.mrmlScene.RemoveNode(node)
    watch.settle()
    assert edits == []

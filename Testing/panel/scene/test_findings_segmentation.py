from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
import vtk
from PETAnomalyLib.engine.findings.measures import measure
from PETAnomalyLib.engine.findings.segmentation import segment_id
from PETAnomalyLib.panel.scene import findings_segmentation as drawing
from PETAnomalyLib.panel.scene.label_block import cutOut
from studies import addSegmentation, addStudy, addVolume, image, petArray

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def study() -> Any:
    """PET, map, labels of two findings, their measurements, and the drawn segmentation."""
    pet, _ct = addStudy()
    score = addVolume("map", petArray() * 2)
    labels = np.zeros(petArray().shape, np.uint16)
    labels[18:23, 16:21, 12:17] = 1
    labels[35:38, 15:18, 27:30] = 2
    findings = measure(image(labels), image(petArray()), image(petArray() * 2))
    return pet, score, labels, findings, addSegmentation(pet, labels, findings)


def test_segments_have_the_findings_names_colours_and_terminology(study: Any) -> None:
    _pet, _score, _labels, findings, node = study
    segment = node.GetSegmentation().GetSegment("Finding_1")
    assert segment.GetName() == f"Finding 1 (SUVmax {findings[0].suv_max:.1f})"
    text = vtk.reference("")
    assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), text)
    assert "49755003^Morphologically Altered Structure" in str(text)
    assert "4147007^Mass" in str(text)


def test_slicer_exports_the_voxels_that_were_drawn(study: Any) -> None:
    pet, _score, labels, _findings, node = study
    assert drawing.segmentIds(node) == ["Finding_1", "Finding_2"]
    for number in (1, 2):
        exported = slicer.util.arrayFromSegmentBinaryLabelmap(node, f"Finding_{number}", pet)
        assert np.array_equal(exported > 0, labels == number)


def test_a_segment_measures_as_the_whole_image_does(study: Any) -> None:
    pet, score, _labels, findings, node = study
    for finding in findings:
        measured = drawing.measureSegment(
            node, segment_id(finding.number), finding.number, pet, score
        )
        assert measured is not None
        assert astuple(measured) == pytest.approx(astuple(finding))


def test_only_a_changed_segments_fingerprint_changes(study: Any) -> None:
    pet, _score, labels, _findings, node = study
    before = drawing.fingerprints(node)
    assert drawing.fingerprints(node) == before
    voxels = (labels == 1).astype(np.uint8)
    voxels[18] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, node, "Finding_1", pet)
    after = drawing.fingerprints(node)
    assert after["Finding_1"] != before["Finding_1"]
    assert after["Finding_2"] == before["Finding_2"]


def test_a_segment_painted_beyond_the_pet_is_measured_inside_it(study: Any) -> None:
    pet, score, _labels, _findings, node = study
    wide = addVolume("wide", np.zeros((60, 36, 40), np.float32))  # ten slices more on top
    voxels = np.zeros((60, 36, 40), np.uint8)
    voxels[45:60, 10:12, 10:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, node, "Finding_2", wide)
    measured = drawing.measureSegment(node, "Finding_2", 2, pet, score)
    assert measured is not None
    assert measured.mtv_ml == pytest.approx(5 * 2 * 2 * 0.08)


def test_an_emptied_segment_measures_nothing(study: Any) -> None:
    pet, score, labels, _findings, node = study
    empty = np.zeros_like(labels, np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(empty, node, "Finding_1", pet)
    assert drawing.measureSegment(node, "Finding_1", 1, pet, score) is None


def test_a_redraw_replaces_all_segments_also_when_surfaces_were_shown(study: Any) -> None:
    pet, _score, labels, findings, node = study
    node.CreateClosedSurfaceRepresentation()
    drawing.draw(node, pet, cutOut(np.where(labels == 1, labels, 0)), findings[:1])
    assert drawing.segmentIds(node) == ["Finding_1"]
    drawing.draw(node, pet, cutOut(np.zeros_like(labels)), [])
    assert drawing.segmentIds(node) == []


def test_more_than_255_findings_keep_their_labels() -> None:
    pet, _ct = addStudy()
    labels = np.zeros(petArray().shape, np.uint16)
    labels[::5, ::5, ::5] = np.arange(1, 10 * 8 * 8 + 1).reshape(10, 8, 8)
    findings = measure(image(labels), image(petArray()), image(petArray()))
    node = addSegmentation(pet, labels, findings)
    assert len(drawing.segmentIds(node)) == 640
    for number in (1, 255, 256, 257, 640):
        exported = slicer.util.arrayFromSegmentBinaryLabelmap(node, f"Finding_{number}", pet)
        assert np.array_equal(exported > 0, labels == number)


def test_a_users_own_name_stays_and_the_engines_name_follows_the_suvmax(study: Any) -> None:
    _pet, _score, _labels, findings, node = study
    segmentation = node.GetSegmentation()
    segmentation.GetSegment("Finding_1").SetName("Liver metastasis")
    drawing.rename(node, "Finding_1", findings[0])
    drawing.rename(node, "Finding_2", findings[1])
    assert segmentation.GetSegment("Finding_1").GetName() == "Liver metastasis"
    assert segmentation.GetSegment("Finding_2").GetName().startswith("Finding 2 (SUVmax")

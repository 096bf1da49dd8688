"""Findings read back from a segmentation, as we write it and as the real Slicer core saves it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_studies import boxes, findings_of
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.segmentation_file import read_finding_labels
from PETAnomalyLib.engine.study.study import Study


@pytest.fixture
def study() -> Study:
    image = sitk.GetImageFromArray(np.random.default_rng(1).random((10, 20, 24), np.float32))
    image.SetSpacing((5.0, 6.0, 4.0))
    image.SetOrigin((-60.0, 12.5, 300.0))
    image.SetDirection((1, 0, 0, 0, 0, 1, 0, -1, 0))
    return Study(image, None, {}, ())


def written(folder: Path, study: Study, labels: sitk.Image) -> Path:
    path = folder / "segmentation.seg.nrrd"
    write_segmentation(path, labels, findings_of(study, labels))
    return path


@pytest.mark.parametrize("count", [0, 1, 30])
def test_what_we_wrote_is_read(tmp_path: Path, study: Study, count: int) -> None:
    labels = boxes(study.pet, count)
    read = read_finding_labels(written(tmp_path, study, labels), study.pet)
    assert np.array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(labels))


def corrected_in_slicer(path: Path, correct: Callable[[Any], None]) -> None:
    """Load it into the Slicer core, let it be corrected, and save it there."""
    slicer = pytest.importorskip("slicer")
    scene = slicer.vtkMRMLScene()
    node, storage = slicer.vtkMRMLSegmentationNode(), slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1
    correct(node.GetSegmentation())
    assert storage.WriteData(node) == 1


def test_saved_by_slicer_after_a_segment_was_deleted(tmp_path: Path, study: Study) -> None:
    labels = boxes(study.pet, 4)
    path = written(tmp_path, study, labels)
    corrected_in_slicer(path, lambda segmentation: segmentation.RemoveSegment("Finding_2"))
    read = sitk.GetArrayFromImage(read_finding_labels(path, study.pet))
    array = sitk.GetArrayFromImage(labels)
    assert np.array_equal(read, np.where(array == 2, 0, array))


def test_saved_by_slicer_with_segments_moved_renamed_and_on_layers_of_their_own(
    tmp_path: Path, study: Study
) -> None:
    labels = boxes(study.pet, 4)
    path = written(tmp_path, study, labels)

    def correct(segmentation: Any) -> None:
        segmentation.GetSegment("Finding_3").SetName("the node, surely")
        segmentation.SetSegmentIndex("Finding_1", 3)
        segmentation.SeparateSegmentLabelmap("Finding_4")

    corrected_in_slicer(path, correct)
    read = read_finding_labels(path, study.pet)
    assert np.array_equal(sitk.GetArrayFromImage(read), sitk.GetArrayFromImage(labels))


def test_a_segment_added_in_slicer_gets_the_next_number(tmp_path: Path, study: Study) -> None:
    slicer = pytest.importorskip("slicer")
    numpy_support = pytest.importorskip("vtkmodules.util.numpy_support")
    labels = boxes(study.pet, 3)
    path = written(tmp_path, study, labels)
    drawn = np.zeros((10, 20, 24), np.uint8)
    drawn[0, 18:20, 20:23] = 1

    def correct(segmentation: Any) -> None:
        picture = slicer.vtkOrientedImageData()
        picture.DeepCopy(segmentation.GetNthSegment(0).GetRepresentation("Binary labelmap"))
        array = numpy_support.vtk_to_numpy(picture.GetPointData().GetScalars())
        array[:] = drawn.ravel()
        segment = slicer.vtkSegment()
        segment.SetName("Segment_1")
        segment.AddRepresentation("Binary labelmap", picture)
        segmentation.AddSegment(segment, "Segment_1")

    corrected_in_slicer(path, correct)
    read = sitk.GetArrayFromImage(read_finding_labels(path, study.pet))
    assert np.array_equal(read, np.where(drawn, 4, sitk.GetArrayFromImage(labels)))


def with_header(path: Path, changes: dict[str, str | None]) -> None:
    image = sitk.ReadImage(str(path))
    for key, value in changes.items():
        if value is None:
            image.EraseMetaData(key)
        else:
            image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))


def test_the_panels_tag_counts_more_than_the_identifier(tmp_path: Path, study: Study) -> None:
    labels = boxes(study.pet, 2)
    path = written(tmp_path, study, labels)
    with_header(path, {"Segment1_Tags": "A:b|PETAnomaly.Number:7|TerminologyEntry:x|"})
    read = sitk.GetArrayFromImage(read_finding_labels(path, study.pet))
    array = sitk.GetArrayFromImage(labels)
    assert np.array_equal(read, np.where(array == 2, 7, array))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Segment1_ID": "Finding_1"}, "two segments for finding 1"),
        ({"Segment1_LabelValue": "1"}, "overlaps another"),
        ({"Segment1_ID": None}, "voxels that belong to no segment"),
        ({"Segment0_LabelValue": "none"}, "without a layer or label"),
        ({"Segment0_Layer": "3"}, "without a layer or label"),
        ({"Segment1_ID": "Finding_99999"}, "a finding 99999"),
    ],
)
def test_what_contradicts_itself_is_refused(
    tmp_path: Path, study: Study, changes: dict[str, str | None], complaint: str
) -> None:
    path = written(tmp_path, study, boxes(study.pet, 2))
    with_header(path, changes)
    with pytest.raises(InputError, match=complaint):
        read_finding_labels(path, study.pet)


def test_a_segmentation_of_another_pet_is_refused(tmp_path: Path, study: Study) -> None:
    path = written(tmp_path, study, boxes(study.pet, 2))
    other = sitk.Image(study.pet)
    other.SetOrigin((-60.0, 14.5, 300.0))
    with pytest.raises(InputError, match="does not lie on the voxels of the PET"):
        read_finding_labels(path, other)

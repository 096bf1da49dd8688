"""The segmentation file as the real Slicer core reads it, and as slicerio does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from PETAnomalyLib.engine.findings.measures import Finding, measure
from PETAnomalyLib.engine.findings.segmentation import (
    COLOURS,
    TERMINOLOGY,
    colour,
    write_segmentation,
)

DIRECTION = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def study(numbers: int) -> tuple[sitk.Image, list[Finding]]:
    """Labels 1..numbers in a row of small boxes of different size, on a turned grid."""
    labels = np.zeros((12, 14, max(16, 3 * numbers)), np.uint16)
    for number in range(1, numbers + 1):
        labels[2 : 3 + number % 5, 3:6, 3 * number - 3 : 3 * number - 1] = number
    images = []
    for array in (labels, (labels * 1.5).astype(np.float32)):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((2.0, 3.0, 4.5))
        image.SetOrigin((-120.5, 33.0, -700.25))
        image.SetDirection(DIRECTION)
        images.append(image)
    return images[0], measure(images[0], images[1], images[1])


def load_in_slicer(path: Path) -> Any:
    slicer = pytest.importorskip("slicer")
    scene = slicer.vtkMRMLScene()
    node = slicer.vtkMRMLSegmentationNode()
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.ReadData(node) == 1
    node.SetScene(None)  # the scene ends with this function, the segmentation does not
    return node.GetSegmentation()


def written(tmp_path: Path, numbers: int) -> tuple[Path, sitk.Image, list[Finding]]:
    labels, findings = study(numbers)
    path = tmp_path / "segmentation.seg.nrrd"
    write_segmentation(path, labels, findings)
    return path, labels, findings


def test_slicer_finds_a_named_coloured_segment_with_terminology_for_each_finding(
    tmp_path: Path,
) -> None:
    path, _, findings = written(tmp_path, 4)
    segmentation = load_in_slicer(path)
    assert segmentation.GetNumberOfSegments() == 4
    assert segmentation.GetNumberOfLayers() == 1
    for index, finding in enumerate(findings):
        segment = segmentation.GetNthSegment(index)
        assert segment.GetName() == f"Finding {index + 1} (SUVmax {1.5 * (index + 1):.1f})"
        assert segment.GetLabelValue() == finding.number
        assert segment.GetColor() == pytest.approx(np.array(colour(index + 1)) / 255, abs=1e-5)
        assert _tag(segment, "TerminologyEntry") == TERMINOLOGY
        assert "SCT^49755003^" in TERMINOLOGY
        assert "SCT^4147007^Mass" in TERMINOLOGY


def test_slicer_sees_every_voxel_where_the_labels_have_it(tmp_path: Path) -> None:
    path, labels, findings = written(tmp_path, 3)
    segmentation = load_in_slicer(path)
    numpy_support = pytest.importorskip("vtkmodules.util.numpy_support")
    vtk = pytest.importorskip("vtk")
    array = sitk.GetArrayFromImage(labels)
    for index, finding in enumerate(findings):
        picture = segmentation.GetNthSegment(index).GetRepresentation("Binary labelmap")
        nx, ny, nz = picture.GetDimensions()
        assert (nx, ny, nz) == labels.GetSize()
        voxels = numpy_support.vtk_to_numpy(picture.GetPointData().GetScalars())
        inside = voxels.reshape(nz, ny, nx) == finding.number
        assert np.array_equal(inside, array == finding.number)
        matrix = vtk.vtkMatrix4x4()
        picture.GetImageToWorldMatrix(matrix)
        for ijk in ((0, 0, 0), (5, 2, 7)):
            ras = matrix.MultiplyPoint((*map(float, ijk), 1.0))[:3]
            left, posterior, superior = labels.TransformIndexToPhysicalPoint(ijk)
            assert ras == pytest.approx((-left, -posterior, superior), abs=1e-6)


@pytest.mark.parametrize("numbers", [0, 2])
def test_slicer_learns_the_pets_geometry_as_reference_also_without_findings(
    tmp_path: Path, numbers: int
) -> None:
    path, labels, _ = written(tmp_path, numbers)
    segmentation = load_in_slicer(path)
    assert segmentation.GetNumberOfSegments() == numbers
    slicer = pytest.importorskip("slicer")
    vtk = pytest.importorskip("vtk")
    picture = slicer.vtkOrientedImageData()
    geometry = segmentation.GetConversionParameter("Reference image geometry")
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, picture, False)
    assert picture.GetDimensions() == labels.GetSize()
    matrix = vtk.vtkMatrix4x4()
    picture.GetImageToWorldMatrix(matrix)
    ras = matrix.MultiplyPoint((3.0, 2.0, 1.0, 1.0))[:3]
    left, posterior, superior = labels.TransformIndexToPhysicalPoint((3, 2, 1))
    assert ras == pytest.approx((-left, -posterior, superior), abs=1e-6)


def test_more_than_255_findings_keep_their_labels(tmp_path: Path) -> None:
    path, _, _ = written(tmp_path, 300)
    segmentation = load_in_slicer(path)
    assert segmentation.GetNumberOfSegments() == 300
    last = segmentation.GetNthSegment(299)
    assert last.GetLabelValue() == 300
    assert last.GetName() == "Finding 300 (SUVmax 450.0)"


def test_slicerio_reads_the_same_names_labels_and_terminology(tmp_path: Path) -> None:
    path, labels, findings = written(tmp_path, 3)
    read = slicerio.read_segmentation(str(path))
    assert [segment["labelValue"] for segment in read["segments"]] == [1, 2, 3]
    assert [segment["name"] for segment in read["segments"]] == [
        f"Finding {finding.number} (SUVmax {finding.suv_max:.1f})" for finding in findings
    ]
    assert read["segments"][0]["terminology"]["type"] == ["SCT", "4147007", "Mass"]
    assert np.array_equal(np.transpose(read["voxels"]), sitk.GetArrayFromImage(labels))


def test_the_same_findings_give_the_same_bytes(tmp_path: Path) -> None:
    labels, findings = study(3)
    paths = [tmp_path / "first.seg.nrrd", tmp_path / "second.seg.nrrd"]
    for path in paths:
        write_segmentation(path, labels, findings)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_deleted_finding_leaves_the_numbers_and_colours_of_the_others(tmp_path: Path) -> None:
    labels, findings = study(3)
    path = tmp_path / "segmentation.seg.nrrd"
    write_segmentation(path, labels * sitk.Cast(labels != 2, sitk.sitkUInt16), findings[::2])
    segmentation = load_in_slicer(path)
    second = segmentation.GetNthSegment(1)
    assert (second.GetLabelValue(), second.GetName()) == (3, "Finding 3 (SUVmax 4.5)")
    assert second.GetColor() == pytest.approx(np.array(colour(3)) / 255, abs=1e-5)


def test_colours_of_neighbouring_numbers_are_told_apart() -> None:
    for first, second in zip(COLOURS, (*COLOURS[1:], COLOURS[0])):
        assert np.abs(np.subtract(first, second)).sum() > 120
    assert len(set(COLOURS)) == len(COLOURS)


def test_a_name_states_suvmax_with_one_decimal(tmp_path: Path) -> None:
    labels, findings = study(1)
    path = tmp_path / "segmentation.seg.nrrd"
    write_segmentation(path, labels, [dataclasses.replace(findings[0], suv_max=12.345)])
    assert load_in_slicer(path).GetNthSegment(0).GetName() == "Finding 1 (SUVmax 12.3)"


def _tag(segment: Any, name: str) -> str:
    vtk = pytest.importorskip("vtk")
    value = vtk.reference("")
    assert segment.GetTag(name, value)
    return str(value)

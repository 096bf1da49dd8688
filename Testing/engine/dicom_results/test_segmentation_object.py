"""The DICOM Segmentation read back: every voxel where the finding has it, on the PET's slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_studies import ORIENTATIONS, by_instance, reading_of, write_pet
from PETAnomalyLib.engine.dicom_results.reading import Reading
from PETAnomalyLib.engine.dicom_results.writing import SEGMENTATION_FILE, write_objects
from PETAnomalyLib.engine.findings.segmentation import TERMINOLOGY

highdicom = pytest.importorskip("highdicom")


def written(folder: Path, reading: Reading) -> Any:
    folder.mkdir(exist_ok=True)
    write_objects(folder, reading)
    return highdicom.seg.segread(folder / SEGMENTATION_FILE)


def frames(dataset: Any) -> list[tuple[int, Any, Any, str]]:
    """Of each frame: segment, position (mm LPS), voxels, SOP Instance UID that it refers to."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    found = []
    for number, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        segment = (groups if "SegmentIdentificationSequence" in groups else shared)[
            "SegmentIdentificationSequence"
        ][0]
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        place = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        voxels = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)[number]
        uid = str(source.ReferencedSOPInstanceUID)
        found.append((int(segment.ReferencedSegmentNumber), place, voxels, uid))
    return found


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("count", [1, 5])
def test_every_voxel_lies_where_the_finding_has_it(
    tmp_path: Path, orientation: str, count: int
) -> None:
    """By the image plane equation, PS3.3 C.7.6.2.1.1, from what the object itself states."""
    reading = reading_of(write_pet(tmp_path / "pet", orientation), count)
    dataset = written(tmp_path / "out", reading)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    between_rows, between_columns = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    found = sitk.Image(reading.labels.GetSize(), sitk.sitkUInt16)
    found.CopyInformation(reading.labels)
    for segment, place, voxels, _ in frames(dataset):
        for row, column in np.argwhere(voxels):
            point = (
                place + cosines[:3] * between_columns * column + cosines[3:] * between_rows * row
            )
            index = reading.labels.TransformPhysicalPointToContinuousIndex(point)
            assert np.abs(np.subtract(index, np.rint(index))).max() < 1e-3
            found[[int(i) for i in np.rint(index)]] = segment
    assert np.array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(reading.labels))


@pytest.mark.parametrize("orientation", ["feet last", "oblique"])
def test_each_frame_refers_to_the_slice_that_it_lies_on(tmp_path: Path, orientation: str) -> None:
    pet = write_pet(tmp_path / "pet", orientation)
    dataset = written(tmp_path / "out", reading_of(pet, 4))
    slices = by_instance(pet)
    seen = frames(dataset)
    assert len(seen) > 4
    for _, place, _, uid in seen:
        assert place == pytest.approx(np.array(slices[uid].ImagePositionPatient, float), abs=1e-9)
        assert dataset.FrameOfReferenceUID == slices[uid].FrameOfReferenceUID
        assert dataset.StudyInstanceUID == slices[uid].StudyInstanceUID
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.PixelSpacing == next(iter(slices.values())).PixelSpacing
    assert float(measures.SpacingBetweenSlices) == pytest.approx(4.0)


def test_highdicom_makes_the_same_volume_of_thirty_findings(tmp_path: Path) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), 30)
    dataset = written(tmp_path / "out", reading)
    assert dataset.number_of_segments == 30
    slices = [str(one.SOPInstanceUID) for one in reading.source.slices]
    volume = dataset.get_pixels_by_source_instance(
        slices, combine_segments=True, assert_missing_frames_are_empty=True
    )
    assert np.array_equal(volume, sitk.GetArrayFromImage(reading.labels))


def test_a_segment_is_named_coded_and_coloured_as_in_the_slicer_segmentation(
    tmp_path: Path,
) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), 3)
    dataset = written(tmp_path / "out", reading)
    for number, one in enumerate(reading.judged, 1):
        described = dataset.get_segment_description(number)
        suv = one.finding.suv_max
        assert described.segment_label == f"Finding {number} (SUVmax {suv:.1f})"
        category, kind = described.segmented_property_category, described.segmented_property_type
        assert f"~{category.scheme_designator}^{category.value}^{category.meaning}~" in TERMINOLOGY
        assert f"~{kind.scheme_designator}^{kind.value}^{kind.meaning}~" in TERMINOLOGY
        assert (category.value, kind.value) == ("49755003", "4147007")
        algorithm = described.algorithm_identification
        assert (algorithm.name, algorithm.version) == ("PETAnomaly", "0.1.0")
        assert algorithm.parameters == {"model": "a-model", "sha256": "5e" * 32}
    lab = dataset.get_segment_description(1).RecommendedDisplayCIELabValue
    assert len(lab) == 3


def test_without_findings_there_is_no_segmentation_and_an_earlier_one_goes(tmp_path: Path) -> None:
    pet = write_pet(tmp_path / "pet")
    written(tmp_path / "out", reading_of(pet, 1))
    files = write_objects(tmp_path / "out", reading_of(pet, 0))
    assert [path.name for path in files] == ["findings.sr.dcm"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["findings.sr.dcm"]


def test_what_is_physiological_is_left_out_and_what_is_unsure_says_so(tmp_path: Path) -> None:
    verdicts = {1: "lesion", 2: "physiological", 3: "unsure", 4: "physiological"}
    reading = reading_of(write_pet(tmp_path / "pet"), 4, verdicts=verdicts)
    dataset = written(tmp_path / "out", reading)
    labels = [dataset.get_segment_description(n).segment_label for n in (1, 2)]
    assert [label.split(" (")[0] for label in labels] == ["Finding 1", "Finding 3"]
    assert dataset.number_of_segments == 2
    assert "SegmentDescription" not in dataset.SegmentSequence[0]
    assert dataset.SegmentSequence[1].SegmentDescription == "Verdict: unsure"
    volume = dataset.get_pixels_by_source_instance(
        [str(one.SOPInstanceUID) for one in reading.source.slices],
        combine_segments=True,
        assert_missing_frames_are_empty=True,
    )
    drawn = sitk.GetArrayFromImage(reading.labels)
    assert np.array_equal(volume, np.where(drawn == 1, 1, np.where(drawn == 3, 2, 0)))


def test_each_segment_has_the_code_of_its_site(tmp_path: Path) -> None:
    reading = reading_of(
        write_pet(tmp_path / "pet"), 3, sites=("left limb", "abdomen", "elsewhere")
    )
    coded = []
    for segment in written(tmp_path / "out", reading).SegmentSequence:
        for region in segment.get("AnatomicRegionSequence", []):
            sides = region.get("AnatomicRegionModifierSequence", [])
            coded.append((region.CodeValue, [side.CodeValue for side in sides]))
    # SNOMED CT: extremity, left; abdomen.
    assert coded == [("66019005", ["7771000"]), ("818981001", [])]

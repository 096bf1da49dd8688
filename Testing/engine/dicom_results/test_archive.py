"""The objects judged and stored by others: dciodvfy, Orthanc, the Slicer core, highdicom."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_studies import ORIENTATIONS, SITES, reading_of, with_column, write_pet, write_result
from orthanc import orthanc
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.dicom_results.writing import write_objects
from PETAnomalyLib.engine.study.study import read_study
from required_program import program

highdicom = pytest.importorskip("highdicom")
pytestmark = pytest.mark.slow


def errors(path: Path) -> list[str]:
    """What dciodvfy finds wrong with a file."""
    command = [program("dciodvfy", "dicom3tools"), "-new", str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (ran.stdout + ran.stderr).splitlines()
    assert any(line in ("Segmentation", "ComprehensiveSR") for line in lines), lines
    return [line for line in lines if line.startswith(("Error", "Abort"))]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_dciodvfy_finds_no_error(tmp_path: Path, orientation: str, count: int) -> None:
    reading = reading_of(write_pet(tmp_path / "pet", orientation), count)
    for path in write_objects(tmp_path, reading):
        assert errors(path) == []


def test_nor_in_thirty_findings_with_verdicts(tmp_path: Path) -> None:
    verdicts = {number: ("lesion", "unsure", "physiological")[number % 3] for number in range(31)}
    reading = reading_of(write_pet(tmp_path / "pet"), 30, verdicts=verdicts)
    for path in write_objects(tmp_path, reading):
        assert errors(path) == []


def test_nor_where_sites_are_known(tmp_path: Path) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), len(SITES), sites=SITES)
    for path in write_objects(tmp_path, reading):
        assert errors(path) == []


def test_nor_in_anonymous_objects(tmp_path: Path) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), 3, anonymous=True)
    for path in write_objects(tmp_path, reading):
        assert errors(path) == []


def test_nor_in_those_of_a_real_scan(tmp_path: Path, real_data: Path) -> None:
    """A GE scan of 267 slices, whose gaps and rescale slopes differ."""
    pet = real_data / "wholebody-pet-sts001" / "dicom"
    write_result(tmp_path / "result", pet, 3)
    words = ["dicom", str(tmp_path / "result"), "--pet", str(pet)]
    assert main(words) == 0
    for name in ("findings.seg.dcm", "findings.sr.dcm"):
        assert errors(tmp_path / "result" / name) == []
    study = read_study(pet)
    places = {tuple(map(float, one.ImagePositionPatient)) for one in study.pet_slices}
    segmentation = pydicom.dcmread(tmp_path / "result" / "findings.seg.dcm")
    assert len(segmentation.PerFrameFunctionalGroupsSequence) > 3
    for groups in segmentation.PerFrameFunctionalGroupsSequence:
        place = tuple(map(float, groups.PlanePositionSequence[0].ImagePositionPatient))
        assert place in places


def test_the_slicer_core_reads_the_voxels_and_their_volume_is_the_reports(tmp_path: Path) -> None:
    """Frame by frame, through the reader by which Slicer loads DICOM images."""
    slicer = pytest.importorskip("slicer")
    numpy_support = pytest.importorskip("vtkmodules.util.numpy_support")
    reading = reading_of(write_pet(tmp_path / "pet", "oblique"), 5)
    files = write_objects(tmp_path, reading)
    reader = slicer.vtkITKArchetypeImageSeriesScalarReader()
    reader.SetArchetype(str(files[0]))
    reader.SetOutputScalarTypeToNative()
    reader.SetDesiredCoordinateOrientationToNative()
    reader.SetSingleFile(1)
    reader.Update()
    columns, rows, count = reader.GetOutput().GetDimensions()
    scalars = numpy_support.vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars())
    frames = scalars.reshape(count, rows, columns) > 0
    dataset = pydicom.dcmread(files[0])
    slices = [str(one.SOPInstanceUID) for one in reading.source.slices]
    seen = np.zeros(reading.segments.shape, np.uint16)
    for frame, groups in zip(frames, dataset.PerFrameFunctionalGroupsSequence):
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        k = slices.index(str(source.ReferencedSOPInstanceUID))
        segment = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        seen[k][frame] = segment
    assert np.array_equal(seen, sitk.GetArrayFromImage(reading.labels))
    millilitres = float(np.prod(reading.labels.GetSpacing())) / 1000
    report = highdicom.sr.srread(files[1])
    for number, group in enumerate(report.content.get_volumetric_roi_measurement_groups(), 1):
        (volume,) = (
            one.value for one in group.get_measurements() if one.name.meaning == "Metabolic Volume"
        )
        assert volume == pytest.approx((seen == number).sum() * millilitres, abs=1e-4)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with orthanc(tmp_path_factory.mktemp("archive") / "orthanc") as url:
        yield url


def stored(archive: str, study: str) -> list[Any]:
    """All objects of a study, as the archive returns them."""
    client = pytest.importorskip("dicomweb_client").DICOMwebClient(archive)
    return list(client.retrieve_study(study))


def test_orthanc_stores_both_objects_and_returns_them_as_they_were(
    tmp_path: Path, archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody is there, nobody is asked
    study = "1.2.826.0.1.3680043.8.498.71"
    pet = write_pet(tmp_path / "pet", StudyInstanceUID=study, PatientName="Müller^Ä",
                    SpecificCharacterSet="ISO_IR 100")  # fmt: skip
    write_result(tmp_path / "result", pet)
    words = ["dicom", str(tmp_path / "result"), "--pet", str(pet), "--send", archive]
    assert main(words) == 0
    assert main(words) == 0  # again: the same objects
    monkeypatch.delenv("http_proxy")
    returned = {str(one.SOPInstanceUID): one for one in stored(archive, study)}
    sent = [pydicom.dcmread(path) for path in sorted((tmp_path / "result").glob("*.dcm"))]
    assert len(returned) == len(sent) == 2
    for dataset in sent:
        back = returned[str(dataset.SOPInstanceUID)]
        assert back.to_json_dict() == dataset.to_json_dict()
        assert str(back.PatientName) == "Müller^Ä"


def test_a_corrected_result_is_stored_beside_the_first(tmp_path: Path, archive: str) -> None:
    study = "1.2.826.0.1.3680043.8.498.72"
    pet = write_pet(tmp_path / "pet", StudyInstanceUID=study)
    write_result(tmp_path / "result", pet)
    words = ["dicom", str(tmp_path / "result"), "--pet", str(pet), "--send", f"{archive}/"]
    assert main(words) == 0
    with_column(tmp_path / "result" / "findings.csv", "verdict", {1: "physiological"})
    assert main(words) == 0
    segments = [len(one.SegmentSequence) for one in stored(archive, study) if one.Modality == "SEG"]
    assert sorted(segments) == [4, 5]


def test_a_report_without_findings_is_stored_alone(tmp_path: Path, archive: str) -> None:
    study = "1.2.826.0.1.3680043.8.498.73"
    pet = write_pet(tmp_path / "pet", StudyInstanceUID=study)
    write_result(tmp_path / "result", pet, 0)
    words = ["dicom", str(tmp_path / "result"), "--pet", str(pet), "--send", archive]
    assert main(words) == 0
    assert [one.Modality for one in stored(archive, study)] == ["SR"]


def test_what_is_no_dicomweb_service_of_the_archive_is_said(
    tmp_path: Path, archive: str, capfd: pytest.CaptureFixture[str]
) -> None:
    pet = write_pet(tmp_path / "pet")
    write_result(tmp_path / "result", pet, 1)
    wrong = archive.replace("/dicom-web", "/nothing")
    words = ["dicom", str(tmp_path / "result"), "--pet", str(pet), "--send", wrong]
    assert main(words) == 2
    assert "HTTP 404" in capfd.readouterr().err

"""What is taken over from the PET series: what it has, nothing else, and nothing anonymously."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from dicom_studies import STUDY_UID, by_instance, reading_of, write_pet
from PETAnomalyLib.engine.dicom_results.source import UIDS
from PETAnomalyLib.engine.dicom_results.writing import write_objects
from PETAnomalyLib.engine.runtime.errors import InputError
from pydicom.dataset import FileDataset
from pydicom.uid import UID
from synthetic_dicom import DROP, a_body, pet_header, write_series

pytest.importorskip("highdicom")


def objects(pet: Path, out: Path, **how: Any) -> list[Any]:
    out.mkdir()
    return [pydicom.dcmread(path) for path in write_objects(out, reading_of(pet, 2, **how))]


def test_patient_study_and_dates_are_the_sources(tmp_path: Path) -> None:
    pet = write_pet(tmp_path / "pet")
    source = next(iter(by_instance(pet).values()))
    for dataset in objects(pet, tmp_path / "out"):
        for keyword in (
            "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientWeight",
            "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
            "ReferringPhysicianName", "StudyDescription",
        ):  # fmt: skip
            assert dataset[keyword].value == source[keyword].value, keyword
        assert dataset.SeriesInstanceUID != source.SeriesInstanceUID
        assert dataset.ContentDate == dataset.SeriesDate == source.SeriesDate
        assert dataset.ContentTime == dataset.InstanceCreationTime == source.SeriesTime


def test_what_the_source_does_not_say_is_not_made_up(tmp_path: Path) -> None:
    absent = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientSize",
              "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "StudyDescription",
              "ReferringPhysicianName")  # fmt: skip

    def change(dataset: FileDataset, _: int) -> None:
        for keyword in absent:
            if keyword in dataset:
                del dataset[keyword]

    read_written(tmp_path / "pet", change)
    for dataset in objects(tmp_path / "pet", tmp_path / "out"):
        assert not any(dataset.get(keyword) for keyword in absent)


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (None, "Plain^Name"),
        ("ISO_IR 144", "Люкceмбypг"),
    ],
)
def test_a_name_in_any_characters_stays_that_name(
    tmp_path: Path, characters: Any, name: str
) -> None:
    said = {} if characters is None else {"SpecificCharacterSet": characters}
    pet = write_pet(tmp_path / "pet", PatientName=name, **said)
    for dataset in objects(pet, tmp_path / "out"):
        assert str(dataset.PatientName) == name


@pytest.mark.filterwarnings("ignore")  # pydicom warns of such values
@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("PatientSex", "X", ""),
        ("PatientBirthDate", "19501332", ""),
        ("StudyTime", "2530", ""),
        ("AccessionNumber", "12345678901234567", "12345678901234567"),
        ("PatientName", "OneComponent", "OneComponent"),
        ("StudyID", "a study with a long name", "a study with a long name"),
        ("SeriesNumber", DROP, None),
        ("SliceThickness", DROP, None),
    ],
)
def test_odd_values_of_the_source_do_no_harm(
    tmp_path: Path, keyword: str, value: Any, kept: str | None
) -> None:
    def change(dataset: FileDataset, _: int) -> None:
        dataset.SeriesNumber = "4"
        if value is DROP:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)

    read_written(tmp_path / "pet", change)
    for dataset in objects(tmp_path / "pet", tmp_path / "out"):
        if kept is not None:
            assert str(dataset[keyword].value) == kept


@pytest.mark.parametrize("keyword", UIDS)
@pytest.mark.parametrize("value", [DROP, "not a UID"])
@pytest.mark.filterwarnings("ignore")
def test_a_uid_that_objects_need_is_asked_for_by_name(
    tmp_path: Path, keyword: str, value: Any
) -> None:
    def change(dataset: FileDataset, _: int) -> None:
        if value is DROP:
            if keyword in dataset:
                del dataset[keyword]
        else:
            setattr(dataset, keyword, value)

    study = read_written(tmp_path / "pet", change)
    with pytest.raises(InputError, match=keyword):
        source(study)


def read_written(folder: Path, change: Any) -> Any:
    from PETAnomalyLib.engine.study.study import read_study

    with pydicom.config.disable_value_validation():
        write_series(
            folder, pet_header(StudyInstanceUID=STUDY_UID), a_body((10, 20, 24)), change=change
        )
        return read_study(folder)


def source(study: Any) -> Any:
    from PETAnomalyLib.engine.dicom_results.source import source_of

    return source_of(study, has_ct=False)


@pytest.mark.parametrize("keyword", ["PatientID", "StudyInstanceUID"])
def test_slices_of_two_patients_or_studies_are_refused(tmp_path: Path, keyword: str) -> None:
    def change(dataset: FileDataset, k: int) -> None:
        if k > 4:
            setattr(dataset, keyword, "1.2.3.99")

    with pytest.raises(InputError, match=keyword):
        source(read_written(tmp_path / "pet", change))


def test_slices_that_share_a_uid_are_refused(tmp_path: Path) -> None:
    def change(dataset: FileDataset, k: int) -> None:
        if k < 2:
            dataset.SOPInstanceUID = UID("1.2.3.4.5")
            dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")

    with pytest.raises(InputError, match="share a SOPInstanceUID"):
        source(read_written(tmp_path / "pet", change))


def test_anonymous_objects_hold_nothing_that_leads_back(tmp_path: Path) -> None:
    pet = write_pet(
        tmp_path / "pet", PatientName="Mustermann^Erika", PatientID="PAT4711",
        IssuerOfPatientID="Clinic9", SeriesDescription="Mustermann's PET",
    )  # fmt: skip
    (tmp_path / "out").mkdir()
    files = write_objects(tmp_path / "out", reading_of(pet, 3, anonymous=True))
    content = b"".join(path.read_bytes() for path in files)
    slices = by_instance(pet)
    first = next(iter(slices.values()))
    secrets = [
        *slices, STUDY_UID, first.SeriesInstanceUID, first.FrameOfReferenceUID, "Mustermann",
        "PAT4711", "Clinic9", "19500203", "20250101", "103000", "110000", "Doe",
    ]  # fmt: skip
    assert [secret for secret in secrets if secret.encode() in content] == []
    for dataset in map(pydicom.dcmread, files):
        assert (dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate) == ("", "", "")
        assert dataset.PatientIdentityRemoved == "YES"


def test_anonymous_objects_of_one_study_belong_together(tmp_path: Path) -> None:
    segmentation, report = objects(write_pet(tmp_path / "pet"), tmp_path / "out", anonymous=True)
    assert segmentation.StudyInstanceUID == report.StudyInstanceUID != STUDY_UID
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    assert len(study.ReferencedSeriesSequence) == 2

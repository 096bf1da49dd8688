"""Which studies a cohort has, in every form that it can have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PETAnomalyLib.engine.cohorts.listing import list_studies, part_of
from PETAnomalyLib.engine.runtime.errors import InputError
from synthetic_dicom import a_body, ct_header, pet_header, write_series


def an_examination(root: Path, patient: str, date: str, uid: str, with_ct: bool = True) -> None:
    own = {"PatientID": patient, "StudyDate": date, "StudyInstanceUID": uid,
           "FrameOfReferenceUID": f"{uid}.9"}  # fmt: skip
    folder = root / uid
    write_series(folder / "a", pet_header(**own, SeriesInstanceUID=f"{uid}.1"), a_body())
    if with_ct:
        write_series(folder / "b", ct_header(**own, SeriesInstanceUID=f"{uid}.2"), a_body())


def test_a_folder_in_the_autopet_layout(tmp_path: Path) -> None:
    for patient, study in (("ann", "0"), ("ann", "1"), ("bob", "0")):
        place = tmp_path / patient / study
        place.mkdir(parents=True)
        (place / "SUV.nii.gz").touch()
    (tmp_path / "bob" / "0" / "CTres.nii.gz").touch()
    studies, notes = list_studies(tmp_path)
    assert [(one.patient, one.name) for one in studies] == [
        ("ann", "ann__0"), ("ann", "ann__1"), ("bob", "bob__0")
    ]  # fmt: skip
    assert [one.ct is not None for one in studies] == [False, False, True]
    assert notes == []


def test_a_dicom_root_is_sorted_into_studies_however_it_is_laid_out(tmp_path: Path) -> None:
    an_examination(tmp_path, "P2", "20250203", "1.2.3.5")
    an_examination(tmp_path / "deep" / "er", "P1", "20250102", "1.2.3.4")
    (tmp_path / "readme.txt").write_text("no DICOM")
    studies, notes = list_studies(tmp_path)
    assert [(one.patient, one.name) for one in studies] == [
        ("P1", "P1__20250102"), ("P2", "P2__20250203")
    ]  # fmt: skip
    for one in studies:
        assert one.problem == one.ct_problem == ""
        assert one.pet is not None
        assert one.ct is not None
        assert (one.pet.parent.name, one.ct.parent.name) == ("a", "b")
    assert any("1 files" in note for note in notes)


def test_series_of_one_folder_are_told_apart(tmp_path: Path) -> None:
    own = {"StudyInstanceUID": "1.2.3", "StudyDate": "20250102"}
    pet = write_series(tmp_path, pet_header(**own), a_body(), prefix="pet")
    ct = write_series(tmp_path, ct_header(**own), a_body(), prefix="ct")
    (one,), _ = list_studies(tmp_path)
    assert one.pet in pet
    assert one.ct in ct
    assert set(one.files) == {*pet, *ct}


def test_what_is_ambiguous_is_said_and_not_guessed(tmp_path: Path) -> None:
    own = {"StudyInstanceUID": "1.2.3", "PatientID": "P", "StudyDate": "20250102"}
    for n in (1, 2):
        header = pet_header(**own, SeriesInstanceUID=f"1.2.3.{n}")
        write_series(tmp_path / f"pet{n}", header, a_body())
    (one,), _ = list_studies(tmp_path)
    assert one.pet is None
    assert "2 PT series" in one.problem


def test_a_ct_in_another_frame_of_reference_is_not_the_pets(tmp_path: Path) -> None:
    own = {"StudyInstanceUID": "1.2.3", "PatientID": "P", "StudyDate": "20250102"}
    write_series(tmp_path / "pet", pet_header(**own, FrameOfReferenceUID="1.2.8"), a_body())
    write_series(tmp_path / "ct", ct_header(**own, FrameOfReferenceUID="1.2.9"), a_body())
    (one,), _ = list_studies(tmp_path)
    assert one.pet is not None
    assert one.ct is None
    assert "frame of reference" in one.ct_problem


def test_two_studies_of_one_day_have_names_of_their_own(tmp_path: Path) -> None:
    for uid in ("1.2.3.4", "1.2.3.5"):
        an_examination(tmp_path, "P/1", "20250102", uid, with_ct=False)
    studies, _ = list_studies(tmp_path)
    assert [one.name for one in studies] == ["P-1__20250102", "P-1__20250102-2"]


def test_a_broken_file_is_a_note_and_ends_no_cohort(tmp_path: Path) -> None:
    an_examination(tmp_path, "P1", "20250102", "1.2.3.4")
    (tmp_path / "1.2.3.4" / "broken.dcm").write_bytes(b"no DICOM at all")
    studies, notes = list_studies(tmp_path)
    assert len(studies) == 1
    assert any("broken.dcm" in note for note in notes)


def test_studies_without_pet_are_counted(tmp_path: Path) -> None:
    an_examination(tmp_path, "P1", "20250102", "1.2.3.4")
    write_series(tmp_path / "other", ct_header(StudyInstanceUID="1.2.7"), a_body())
    studies, notes = list_studies(tmp_path)
    assert len(studies) == 1
    assert any("no PET" in note for note in notes)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no study") as refusal:
        list_studies(tmp_path)
    assert refusal.value.hint


def test_anonymous_studies_are_numbered_by_patient(tmp_path: Path) -> None:
    an_examination(tmp_path, "Miller", "20250102", "1.2.3.4")
    an_examination(tmp_path, "Miller", "20250302", "1.2.3.5")
    an_examination(tmp_path, "Smith", "20250102", "1.2.3.6")
    studies, _ = list_studies(tmp_path, anonymous=True)
    assert [(one.patient, one.name) for one in studies] == [("1", "1__1"), ("1", "1__2"),
                                                            ("2", "2__1")]  # fmt: skip


def test_shards_are_the_cohort(tmp_path: Path) -> None:
    for n in range(7):
        (tmp_path / f"p{n}" / "0").mkdir(parents=True)
        (tmp_path / f"p{n}" / "0" / "SUV.nii.gz").touch()
    studies, _ = list_studies(tmp_path)
    shards = [part_of(studies, n, 3) for n in (1, 2, 3)]
    assert sorted(one.name for shard in shards for one in shard) == [s.name for s in studies]
    assert [len(shard) for shard in shards] == [3, 2, 2]


def test_a_fingerprint_changes_with_a_file_and_with_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "ann" / "0"
    place.mkdir(parents=True)
    pet = place / "SUV.nii.gz"
    pet.write_bytes(b"1")
    os.utime(pet, ns=(10**18, 10**18))
    (one,), _ = list_studies(tmp_path)
    before = one.fingerprint()
    assert one.fingerprint() == before
    tmp_path.rename(tmp_path.with_name("moved"))
    (moved,), _ = list_studies(tmp_path.with_name("moved"))
    assert moved.fingerprint() == before
    os.utime(moved.given[0], ns=(10**18, 10**18 + 1000))
    assert moved.fingerprint() != before

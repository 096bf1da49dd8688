"""Which PET/CT studies lie below a folder of DICOM files, however they are laid out in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.series import Series, all_series, choose_series
from PETAnomalyLib.engine.study.input_path import shown


@dataclass(frozen=True)
class DicomStudy:
    """One examination with a PET.

    Attributes:
        patient: PatientID, may be empty.
        date: StudyDate, YYYYMMDD; may be empty.
        uid: StudyInstanceUID, may be empty.
        pet: one file of the series, or a folder with it; None where `problem` says why.
        ct: likewise; None where there is none in the PET's frame of reference, or `ct_problem`.
        files: of PET and CT.
        problem: why no PET could be taken; empty where one was.
        ct_problem: why no CT could be taken; empty where one was.
    """

    patient: str
    date: str
    uid: str
    pet: Path | None
    ct: Path | None
    files: tuple[Path, ...]
    problem: str
    ct_problem: str


def find_dicom_studies(root: Path) -> tuple[list[DicomStudy], list[str]]:
    """The studies below a folder that have a PET, in the order of patient, date and UID, and notes.

    A study's PET is chosen as `find_series` chooses. Its CT is one of the same study and, where
    both say theirs, of the PET's frame of reference. What is ambiguous is not guessed: the study
    says so.

    Raises:
        InputError: the folder cannot be read.
    """
    broken: list[InputError] = []
    found, notes = all_series(root, True, broken)
    if broken:
        notes.append(
            f"{len(broken)} files cannot be read as DICOM and were passed over: "
            f"{broken[0].message}{' ...' if len(broken) > 1 else ''}"
        )
    by_study: dict[str, list[Series]] = {}
    for series in found:
        # Without a UID a study is what lies in one folder.
        by_study.setdefault(series.study_uid or str(series.files[0].parent), []).append(series)
    with_pet = [of_one for of_one in by_study.values() if any(s.modality == "PT" for s in of_one)]
    if len(by_study) > len(with_pet):
        notes.append(f"{len(by_study) - len(with_pet)} studies have no PET and were passed over.")
    of_place = _studies_of_folders(by_study.values())
    studies = [_study(of_one, root, of_place) for of_one in with_pet]
    return sorted(studies, key=lambda one: (one.patient, one.date, one.uid)), notes


def _study(found: list[Series], root: Path, of_place: dict[Path, set[int]]) -> DicomStudy:
    first = found[0]
    problem = ct_problem = ""
    pet = ct = None
    files: tuple[Path, ...] = ()
    try:
        chosen, _ = choose_series(found, "PT", "", root)
        pet = _place(chosen, of_place)
        files = chosen.files
    except InputError as error:
        problem = error.message
    else:
        try:
            beside = _in_frame(found, chosen.frame_of_reference)
            if beside:
                own, _ = choose_series(beside, "CT", chosen.frame_of_reference, root)
                ct = _place(own, of_place)
                files += own.files
            elif any(series.modality == "CT" for series in found):
                ct_problem = "No CT of the study lies in the PET's frame of reference."
        except InputError as error:
            ct_problem = error.message
    return DicomStudy(
        first.patient_id, first.study_date, first.study_uid, pet, ct, files, problem, ct_problem
    )


def _in_frame(found: list[Series], frame: str) -> list[Series]:
    return [
        series
        for series in found
        if series.modality == "CT"
        and (not frame or not series.frame_of_reference or series.frame_of_reference == frame)
    ]


def _studies_of_folders(studies: Iterable[list[Series]]) -> dict[Path, set[int]]:
    """Folder -> numbers of the studies that have files in it or below."""
    found: dict[Path, set[int]] = {}
    for number, of_one in enumerate(studies):
        for folder in {file.parent for series in of_one for file in series.files}:
            for place in (folder, *folder.parents):
                found.setdefault(place, set()).add(number)
    return found


def _place(series: Series, of_place: dict[Path, set[int]]) -> Path:
    """What `read_study` can be given for this series.

    Raises:
        InputError: its files lie in several folders, and those of other studies among them.
    """
    folders = sorted({file.parent for file in series.files})
    if len(folders) == 1:
        return series.files[0]
    common = Path(os.path.commonpath(folders))
    if len(of_place[common]) == 1:
        return common
    raise InputError(
        f"The files of {series} lie in several folders below {shown(common)}, among other studies.",
        "Put each series into a folder of its own.",
    )

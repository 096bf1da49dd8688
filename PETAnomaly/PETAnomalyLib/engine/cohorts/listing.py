"""Which studies a cohort has: a folder in a known layout, a CSV list, or a folder of DICOM."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies
from PETAnomalyLib.engine.study.dicom.studies import DicomStudy, find_dicom_studies
from PETAnomalyLib.engine.study.input_path import shown

_UNFIT_FOR_A_FOLDER = re.compile(r"[^\w.+=@-]+")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class ListedStudy:
    """One study of a cohort.

    Attributes:
        patient: as the cohort names it.
        name: of its result folder, different for every study.
        pet: image file or DICOM, see `read_study`; None where `problem` says why.
        ct: likewise, or None.
        problem: why it cannot be read, found while the cohort was listed; empty where it can be.
        ct_problem: why it has no CT, where there is more to say than that.
        files: what the images are read from, where that is known before they are opened.
    """

    patient: str
    name: str
    pet: Path | None
    ct: Path | None
    problem: str = ""
    ct_problem: str = ""
    files: tuple[Path, ...] = ()

    @property
    def given(self) -> list[Path]:
        """What it is read from, as it is named."""
        return [path for path in (self.pet, self.ct) if path is not None]

    def fingerprint(self) -> str:
        """Changes where a file of the study does: by its name, size and time.

        Where a file cannot be looked at it has none of these, which is said by who opens it.
        """
        files = self.files or tuple(_files_of(self.given))
        return hashlib.sha256(json.dumps([_state(file) for file in files]).encode()).hexdigest()


def list_studies(cohort: Path, anonymous: bool = False) -> tuple[list[ListedStudy], list[str]]:
    """The studies of a cohort, by name, and notes for the user. No image is opened.

    Args:
        cohort: see `cohort_layout`; a folder that has none of these layouts is searched for DICOM.
        anonymous: name neither patients nor studies: they are numbered.

    Raises:
        InputError: no study, or a list that cannot be understood.
    """
    notes: list[str] = []
    try:
        studies = [_of_layout(study) for study in find_studies(cohort)]
    except InputError:
        if not cohort.is_dir() or (cohort / "imagesTr").is_dir():
            raise
        found, notes = find_dicom_studies(cohort)
        if not found:
            raise
        studies = _of_dicom(found)
    return (_numbered(studies) if anonymous else studies), notes


def part_of(studies: Sequence[ListedStudy], number: int, parts: int) -> list[ListedStudy]:
    """Every `parts`-th study, beginning with the `number`-th; both counted from 1."""
    return list(studies[number - 1 :: parts])


def _of_layout(study: CohortStudy) -> ListedStudy:
    return ListedStudy(study.patient, study.name, study.pet, study.ct)


def _of_dicom(found: Sequence[DicomStudy]) -> list[ListedStudy]:
    taken: Counter[str] = Counter()
    studies = []
    for one in found:
        patient = one.patient or "unknown"
        name = _folder_name(f"{patient}__{one.date or one.uid or 'unknown'}")
        taken[name] += 1
        if taken[name] > 1:
            name += f"-{taken[name]}"
        studies.append(
            ListedStudy(patient, name, one.pet, one.ct, one.problem, one.ct_problem, one.files)
        )
    return studies


def _folder_name(text: str) -> str:
    name = _UNFIT_FOR_A_FOLDER.sub("-", text).lstrip(".")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _numbered(studies: Sequence[ListedStudy]) -> list[ListedStudy]:
    patients: dict[str, int] = {}
    of_patient: Counter[int] = Counter()
    digits = len(str(len(studies)))
    numbered = []
    for study in studies:
        patient = patients.setdefault(study.patient, len(patients) + 1)
        of_patient[patient] += 1
        name = f"{patient:0{digits}d}"
        numbered.append(
            ListedStudy(
                name, f"{name}__{of_patient[patient]}", study.pet, study.ct, study.problem,
                study.ct_problem, study.files,
            )
        )  # fmt: skip
    return numbered


def _files_of(given: Sequence[Path]) -> Iterator[Path]:
    for path in given:
        if not path.is_dir():
            yield path
            continue
        for folder, names, files in os.walk(path):
            names.sort()
            yield from (Path(folder) / name for name in sorted(files))


def _state(file: Path) -> list[str | int]:
    try:
        found = file.stat()
    except (OSError, ValueError):
        return [shown(Path(file.name))]
    return [shown(Path(file.name)), found.st_size, found.st_mtime_ns]

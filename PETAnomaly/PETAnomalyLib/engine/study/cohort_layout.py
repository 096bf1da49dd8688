"""Where a cohort keeps its studies. Three layouts are understood:

- autoPET: a folder with `<patient>/<study>/{SUV,CTres,SEG}.nii.gz`; CTres and SEG may be missing.
- nnU-Net: a folder with `imagesTr/CASE_0000.nii.gz` (CT), `imagesTr/CASE_0001.nii.gz` (PET in
  SUVbw) and `labelsTr/CASE.nii.gz`; a case is a patient, labels may be missing.
- a list: a CSV file with the columns `patient`, `pet` and, where there are any, `study`, `ct` and
  `lesions`; image files or DICOM folders, relative to the CSV file.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import open_input, shown

NNUNET_CT, NNUNET_PET = "_0000.nii.gz", "_0001.nii.gz"
COLUMNS = ("patient", "study", "pet", "ct", "lesions")
LAYOUTS = (
    "a cohort is a folder with <patient>/<study>/SUV.nii.gz (CTres.nii.gz and SEG.nii.gz beside it "
    "where there are any), a folder with imagesTr and labelsTr as nnU-Net has them, or a CSV file "
    "with the columns patient, pet, ct, lesions"
)


@dataclass(frozen=True)
class CohortStudy:
    """One study of a cohort.

    Attributes:
        patient: studies of one patient are never split between training and validation.
        name: `<patient>__<study>`, different for every study of the cohort.
        pet: image file in SUVbw or DICOM folder.
        ct: image file or DICOM folder, HU; None where there is none.
        lesions: image file, non-zero in lesions; None where they are not known.
    """

    patient: str
    name: str
    pet: Path
    ct: Path | None
    lesions: Path | None


def find_studies(cohort: Path) -> list[CohortStudy]:
    """The studies of a cohort, by name. Their images are not opened.

    Raises:
        InputError: no study in any layout, or a list that cannot be understood.
    """
    try:
        if cohort.suffix.lower() == ".csv":
            studies = _listed(cohort)
        elif (cohort / "imagesTr").is_dir():
            studies = _nnunet(cohort)
        else:
            studies = _autopet(cohort)
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise InputError(
            f"the cohort {shown(cohort)} cannot be read: {error.strerror or error}", LAYOUTS
        ) from error
    if not studies:
        raise InputError(f"no study in the cohort {cohort}", LAYOUTS)
    twice = [name for name, count in Counter(s.name for s in studies).items() if count > 1]
    if twice:
        raise InputError(
            f"the cohort {cohort} has two studies named '{twice[0]}'",
            "give each study of a patient a name of its own (CSV: the column 'study')",
        )
    return sorted(studies, key=lambda study: study.name)


def require_ct(studies: Sequence[CohortStudy], or_else: str) -> None:
    """Refuse a cohort with studies that have no CT, before hours are spent on the others.

    Args:
        or_else: what can be done but leaving them out.

    Raises:
        InputError: a study has none.
    """
    without = [study.name for study in studies if study.ct is None]
    if without:
        raise InputError(
            f"{len(without)} of the cohort's {len(studies)} studies have no CT: "
            f"{', '.join(without[:3])}",
            f"leave them out of the cohort, or {or_else}",
        )


def _autopet(cohort: Path) -> list[CohortStudy]:
    return [
        CohortStudy(
            patient=pet.parent.parent.name,
            name=f"{pet.parent.parent.name}__{pet.parent.name}",
            pet=pet,
            ct=_existing(pet.with_name("CTres.nii.gz")),
            lesions=_existing(pet.with_name("SEG.nii.gz")),
        )
        for pet in cohort.glob("[!.]*/[!.]*/SUV.nii.gz")  # hidden: still being written
    ]


def _nnunet(cohort: Path) -> list[CohortStudy]:
    studies = []
    for pet in (cohort / "imagesTr").glob(f"[!.]*{NNUNET_PET}"):
        case = pet.name[: -len(NNUNET_PET)]
        studies.append(
            CohortStudy(
                patient=case,
                name=f"{case}__0",
                pet=pet,
                ct=_existing(pet.with_name(case + NNUNET_CT)),
                lesions=_existing(cohort / "labelsTr" / f"{case}.nii.gz"),
            )
        )
    return studies


def _listed(table: Path) -> list[CohortStudy]:
    try:
        with io.TextIOWrapper(open_input(table), newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns, lines = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the cohort list {table} cannot be read: {error}", LAYOUTS) from error
    missing = [column for column in ("patient", "pet") if column not in columns]
    if missing:
        raise InputError(f"the cohort list {table} has no column '{missing[0]}'", LAYOUTS)
    return [_line(table, number, line) for number, line in enumerate(lines, start=2)]


def _line(table: Path, number: int, line: dict[str, str | None]) -> CohortStudy:
    value = {column: (line.get(column) or "").strip() for column in COLUMNS}
    for column in ("patient", "pet"):
        if not value[column]:
            raise InputError(
                f"line {number} of the cohort list {table} has no {column}",
                "fill it in, or remove the line",
            )

    def place(column: str) -> Path | None:
        return table.parent / value[column] if value[column] else None

    return CohortStudy(
        patient=value["patient"],
        name=f"{value['patient']}__{value['study'] or '0'}".replace("/", "-"),
        pet=table.parent / value["pet"],
        ct=place("ct"),
        lesions=place("lesions"),
    )


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None

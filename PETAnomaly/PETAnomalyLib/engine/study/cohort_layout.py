"""Where a cohort keeps its studies. Three layouts are understood:

- autoPET: a folder with `<patient>/<study>/{SUV,CTres,SEG}.nii.gz`; CTres and SEG may be missing.
- nnU-Net: a folder with `imagesTr/CASE_0000.nii.gz` (CT), `imagesTr/CASE_0001.nii.gz` (PET in
  SUVbw) and `labelsTr/CASE.nii.gz`; labels may be missing. Whose study a case is stands in
  `patients.csv` beside `imagesTr` (columns `case` and `patient`), or is read from its name where
  that says it (`CASE_NAMES`); otherwise a case is a patient.
- a list: a CSV file with the columns `patient`, `pet` and, where there are any, `study`, `ct` and
  `lesions`; image files or DICOM folders, relative to the CSV file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.study.table_file import Line, read_table

NNUNET_CT, NNUNET_PET = "_0000.nii.gz", "_0001.nii.gz"
COLUMNS = ("patient", "study", "pet", "ct", "lesions")
LAYOUTS = (
    "a cohort is a folder with <patient>/<study>/SUV.nii.gz (CTres.nii.gz and SEG.nii.gz beside it "
    "where there are any), a folder with imagesTr and labelsTr as nnU-Net has them, or a CSV file "
    "with the columns patient, pet, ct, lesions"
)

CASE_NAMES = (
    # autoPET III and IV, https://doi.org/10.57754/FDAT.6gjsg-zcg93: tracer_patient_study
    re.compile(r"(?P<patient>(?:fdg|psma)_[^_]+)_(?P<study>.+)", re.IGNORECASE),
    re.compile(r"(?P<patient>sub-[^_]+)_(?P<study>ses-.+)"),  # BIDS
    re.compile(r"(?P<patient>.+?)_(?P<study>(?:\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4})(?!\d).*)"),
)
"""Names of cases that say whose study they are; in the last form, the study begins with a date."""

PATIENTS = "patients.csv"


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
            f"the cohort {shown(cohort)} cannot be read: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}",
            LAYOUTS,
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
            patient=patient.name,
            name=f"{patient.name}__{study.name}",
            pet=study / "SUV.nii.gz",
            ct=_existing(study / "CTres.nii.gz"),
            lesions=_existing(study / "SEG.nii.gz"),
        )
        for patient in _folders_in(cohort)
        for study in _folders_in(patient)
        if (study / "SUV.nii.gz").exists()
    ]


def _folders_in(folder: Path) -> Iterator[Path]:
    """Visible folders: hidden ones are still being written.

    Raises:
        OSError: one may not be looked into, where `glob` would leave it out without a word.
    """
    for entry in sorted(folder.iterdir()):
        if not entry.name.startswith(".") and entry.is_dir():
            yield entry


def _nnunet(cohort: Path) -> list[CohortStudy]:
    names = [path.name for path in (cohort / "imagesTr").iterdir()]
    cases = sorted(
        name[: -len(NNUNET_PET)]
        for name in names
        if name.endswith(NNUNET_PET) and not name.startswith(".")
    )
    patients = _patients_of(cohort / PATIENTS, cases)
    studies = []
    for case in cases:
        patient, study = patients[case] if patients else _patient_and_study(case)
        studies.append(
            CohortStudy(
                patient=patient,
                name=f"{patient}__{study}".replace("/", "-"),
                pet=cohort / "imagesTr" / (case + NNUNET_PET),
                ct=_existing(cohort / "imagesTr" / (case + NNUNET_CT)),
                lesions=_existing(cohort / "labelsTr" / f"{case}.nii.gz"),
            )
        )
    return studies


def _patient_and_study(case: str) -> tuple[str, str]:
    for names in CASE_NAMES:
        found = names.fullmatch(case)
        if found:
            return found["patient"], found["study"]
    return case, "0"


def _patients_of(table: Path, cases: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Case -> patient and study, where a table says so; else empty."""
    if not table.exists():
        return {}
    hint = "it has the columns case and patient, a line for every PET in imagesTr"
    said = {
        line.values["case"]: line.values.get("patient", "")
        for line in read_table(table, ("case", "patient"), hint)
    }
    missing = [case for case in cases if not said.get(case)]
    if missing:
        raise InputError(f"{shown(table)} names no patient of the case '{missing[0]}'", hint)
    return {case: (said[case], case) for case in cases}


def _listed(table: Path) -> list[CohortStudy]:
    return [_line(table, line) for line in read_table(table, ("patient", "pet"), LAYOUTS)]


def _line(table: Path, line: Line) -> CohortStudy:
    value = {column: line.values.get(column, "") for column in COLUMNS}
    for column in ("patient", "pet"):
        if not value[column]:
            raise InputError(
                f"line {line.number} of the cohort list {shown(table)} has no {column}",
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

"""What the objects take over from the PET series that they are about."""

from __future__ import annotations

import copy
import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.valuerep import DS

from PETAnomalyLib.engine.dicom_results.identifiers import derived_uid
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import number, tag_name, text
from PETAnomalyLib.engine.study.study import Study
from PETAnomalyLib.engine.study.tracer import is_fdg

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
# Of one patient and study throughout a series.
COMMON = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID")
PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
STUDY = ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName")
# Those above must be there, if empty (PS3.3, type 2); these need not.
OPTIONAL = (
    "IssuerOfPatientID", "StudyDescription", "PatientAge", "PatientSize", "PatientWeight",
    "PositionReferenceIndicator",
)  # fmt: skip
PLACE = ("SOPClassUID", "Modality", "Rows", "Columns", "ImagePositionPatient", "PixelSpacing")
CHARACTER_SET = "SpecificCharacterSet"

UNKNOWN_DATE, UNKNOWN_TIME = "19000101", "000000"  # a content date must be there (type 1)

_UID = re.compile(r"\d+(\.\d+)+")
_LONGEST_UID = 64
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")


@dataclass(frozen=True)
class Source:
    """A PET series, as far as its results say anything of it.

    Attributes:
        slices: in the order of the PET's third axis: place, identity, patient and study. All have
            the first one's orientation, as the PET's grid has, and its gap.
        date, time: of the series, as DICOM writes them; `UNKNOWN_DATE`, `UNKNOWN_TIME` where it has
            none, or where nothing may lead back to the patient.
        series_number: of the PET.
        is_fdg: whether the series states that fluorodeoxyglucose was injected.
        has_ct: whether a CT was read with it.
        anonymous: nothing leads back to the patient: UIDs are new ones.
    """

    slices: tuple[Dataset, ...]
    date: str
    time: str
    series_number: int
    is_fdg: bool
    has_ct: bool
    anonymous: bool


def source_of(study: Study, *, has_ct: bool, anonymous: bool = False) -> Source:
    """What is taken over from a study's PET.

    Args:
        study: with the PET from DICOM.
        has_ct: see `Source`.
        anonymous: leave out who the patient is, and every date; make new UIDs.

    Raises:
        InputError: the PET is no DICOM; a UID that objects must refer to is missing, malformed,
            there twice, or the slices are of several studies or patients.
    """
    headers = study.pet_slices
    if not headers:
        raise InputError(
            "DICOM results need the PET as DICOM: they lie on its slices and refer to them.",
            "Give the folder of the DICOM series in place of the image file.",
        )
    for keyword in COMMON:
        _require_one(headers, keyword)
    for keyword in UIDS:
        for header in headers:
            _require_uid(header, keyword)
    instances = [text(header, "SOPInstanceUID") for header in headers]
    if len(set(instances)) < len(instances):
        raise InputError(
            f"Slices of the PET share a {tag_name('SOPInstanceUID')}: a DICOM result could not say "
            "which it is about.",
            "Export the series again from the scanner or the archive.",
        )
    first, gap = headers[0], study.pet.GetSpacing()[2]
    date = "" if anonymous else _date(first, "SeriesDate") or _date(first, "StudyDate")
    time = "" if anonymous else _time(first, "SeriesTime") or _time(first, "StudyTime")
    series_number = text(first, "SeriesNumber")
    return Source(
        slices=tuple(_slice(header, first, gap, anonymous) for header in headers),
        date=date or UNKNOWN_DATE,
        time=(time if date else "") or UNKNOWN_TIME,
        series_number=int(series_number) if re.fullmatch(r"\d{1,6}", series_number) else 0,
        is_fdg=is_fdg(study.description["pet"]["tracer"]),
        has_ct=has_ct,
        anonymous=anonymous,
    )


def _slice(header: Dataset, first: Dataset, gap: float, anonymous: bool) -> Dataset:
    taken = Dataset()
    for keyword in (CHARACTER_SET, *PLACE):
        if text(header, keyword):
            setattr(taken, keyword, copy.deepcopy(header[keyword].value))
    taken.ImageOrientationPatient = copy.deepcopy(first.ImageOrientationPatient)
    thickness = number(first, "SliceThickness")
    taken.SliceThickness = DS(thickness if thickness and thickness > 0 else gap, auto_format=True)
    taken.SpacingBetweenSlices = DS(gap, auto_format=True)
    for keyword in UIDS:
        original = text(header, keyword)
        setattr(taken, keyword, derived_uid("anonymous", original) if anonymous else original)
    for keyword in (*PATIENT, *STUDY, *OPTIONAL):
        value = "" if anonymous else _value(header, keyword)
        if value or keyword not in OPTIONAL:
            setattr(taken, keyword, value)
    return taken


def _value(header: Dataset, keyword: str) -> Any:
    """As the source has it; empty where DICOM has no such date, time or sex."""
    value = text(header, keyword)
    if keyword.endswith("Date"):
        return _date(header, keyword)
    if keyword.endswith("Time"):
        return _time(header, keyword)
    if keyword == "PatientSex":
        return value if value in ("M", "F", "O") else ""
    if keyword in ("PatientSize", "PatientWeight"):
        return header[keyword].value if _is_number(value) else ""
    return value


def _date(header: Dataset, keyword: str) -> str:
    value = text(header, keyword)
    try:
        return datetime.datetime.strptime(value, "%Y%m%d").strftime("%Y%m%d")
    except ValueError:
        return ""


def _time(header: Dataset, keyword: str) -> str:
    value = text(header, keyword)
    return value if _TIME.fullmatch(value) else ""


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _require_one(headers: Sequence[Dataset], keyword: str) -> None:
    if len({text(header, keyword) for header in headers}) > 1:
        raise InputError(
            f"The slices of the PET have several values of {tag_name(keyword)}: no DICOM result "
            "can be about them.",
            "Give a folder with the slices of one study of one patient.",
        )


def _require_uid(header: Dataset, keyword: str) -> None:
    value = text(header, keyword)
    if not value:
        raise InputError(
            f"{tag_name(keyword)} is missing in the PET: a DICOM result must refer to it.",
            "Export the series again from the scanner or the archive.",
        )
    if not _UID.fullmatch(value) or len(value) > _LONGEST_UID:
        raise InputError(
            f"{tag_name(keyword)} of the PET is no UID: a DICOM result must refer to it.",
            "Export the series again from the scanner or the archive.",
        )

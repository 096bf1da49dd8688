"""What a PET series must be before SUV can be computed from it: one series, corrected, classic."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.series import ENHANCED_PET
from PETAnomalyLib.engine.study.dicom.tags import items, tag_name, text

# The attributes that must be the same in all slices for one factor to hold for all of them.
UNIFORM = (
    "SeriesInstanceUID",
    "PatientID",
    "Units",
    "SUVType",
    "DecayCorrection",
    "PatientWeight",
    "PatientSize",
    "PatientSex",
)
# Units that tell activity, from which decay can be undone slice by slice.
ACTIVITY = ("BQML", "CNTS", "CPS")
UNIFORM_TRACER = (
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
)


def require_convertible(headers: Sequence[Dataset]) -> list[str]:
    """Refuse a series that can have no SUV, whatever its units; warnings for one that may.

    Args:
        headers: the datasets of all its slices, at least one; pixel data are not needed.

    Raises:
        InputError: no classic PET series, slices of several, or values that are not corrected.
    """
    _check_kind(headers[0])
    _check_uniform(headers)
    return _check_corrections(headers[0])


def _check_kind(header: Dataset) -> None:
    modality = text(header, "Modality")
    if modality and modality != "PT":
        raise InputError(
            f"{tag_name('Modality')} is {modality}, not PT: this is no PET series.",
            "Give the folder of the PET series.",
        )
    if text(header, "SOPClassUID") in ENHANCED_PET:
        raise InputError(
            f"{tag_name('SOPClassUID')} is Enhanced PET Image Storage (one file, many frames), "
            "which is not supported.",
            "Export the series as classic PET images, one file a slice.",
        )


def _check_uniform(headers: Sequence[Dataset]) -> None:
    for keyword in UNIFORM:
        _refuse_mixed(keyword, {text(header, keyword) for header in headers})
    for keyword in UNIFORM_TRACER:
        _refuse_mixed(
            keyword,
            {
                text(item, keyword)
                for header in headers
                for item in items(header, "RadiopharmaceuticalInformationSequence")
            },
        )


def _refuse_mixed(keyword: str, found: set[str]) -> None:
    if len(found) < 2:
        return
    # The patient's own identifiers stay out of messages, logs and reports.
    values = "" if keyword == "PatientID" else ": " + ", ".join(sorted(map(repr, found))[:4])
    raise InputError(
        f"The slices are mixed: {tag_name(keyword)} has {len(found)} different values{values}.",
        "Give a folder with the slices of one series only.",
    )


def _check_corrections(header: Dataset) -> list[str]:
    """Refuses values that are not quantitative; PS3.3 C.8.9.1, Corrected Image (0028,0051)."""
    corrections = text(header, "CorrectedImage").upper().split("\\")
    uncorrected = text(header, "DecayCorrection").upper() == "NONE"
    units = text(header, "Units").upper()
    if uncorrected and units not in ACTIVITY:
        raise InputError(
            f"{tag_name('DecayCorrection')} is NONE and {tag_name('Units')} "
            f"{units or 'is missing'}: values in this unit that are not corrected for decay are no "
            "SUV.",
            "Reconstruct the series with decay correction (START or ADMIN), or export it in Bq/ml.",
        )
    if corrections == [""]:
        return [
            f"{tag_name('CorrectedImage')} is missing: attenuation correction is taken for granted."
        ]
    if "ATTN" not in corrections:
        raise InputError(
            f"{tag_name('CorrectedImage')} does not list ATTN: the values are not corrected for "
            "attenuation, so SUV has no meaning.",
            "Give the attenuation-corrected series.",
        )
    if uncorrected and "DECY" in corrections:
        return [
            f"{tag_name('CorrectedImage')} lists DECY, but {tag_name('DecayCorrection')} is NONE: "
            "the latter was believed."
        ]
    if not uncorrected and "DECY" not in corrections:
        return [f"{tag_name('CorrectedImage')} does not list DECY: check the decay correction."]
    return []

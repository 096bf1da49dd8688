"""SUVbw from Philips' counts (Units CNTS) by the factors in its private attributes."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.activity import from_bqml
from PETAnomalyLib.engine.study.dicom.conversion import SuvConversion
from PETAnomalyLib.engine.study.dicom.tags import private_text, tag_name, text

PHILIPS = (0x7053, "Philips PET Private Group")


def from_counts(headers: Sequence[Dataset]) -> SuvConversion:
    """The factor of a series in counts: Philips' own, else that from counts to Bq/ml and on.

    Args:
        headers: the datasets of all its slices.

    Raises:
        InputError: neither factor is there, or the latter's Bq/ml cannot be converted.
    """
    factor, notes = _philips_factor(headers, 0x00)
    uncorrected = text(headers[0], "DecayCorrection").upper() == "NONE"
    if factor is not None and not uncorrected:
        return SuvConversion(factor, "counts, Philips' SUV factor (7053,1000)", {}, tuple(notes))
    activity, notes = _philips_factor(headers, 0x09)
    if activity is None and factor is not None:
        raise InputError(
            f"{tag_name('DecayCorrection')} is NONE and Philips' private activity factor "
            "(7053,1009) is missing or zero: its SUV factor (7053,1000), one for all slices, does "
            "not undo their decay.",
            "Export the series with its private attributes, or with decay correction.",
        )
    if activity is None:
        raise InputError(
            f"{tag_name('Units')} is CNTS and Philips' private SUV factor (7053,1000) and activity "
            "factor (7053,1009) are both missing or zero: counts cannot be converted.",
            "Export the series with its private attributes, or in Bq/ml.",
        )
    bqml = from_bqml(headers)
    return SuvConversion(
        activity * bqml.factor,
        f"counts, Philips' activity factor (7053,1009) to {bqml.rule}",
        {"activity_factor_bqml": activity, **bqml.description},
        (*notes, *bqml.warnings),
        bqml.decay,
    )


def _philips_factor(headers: Sequence[Dataset], element: int) -> tuple[float | None, list[str]]:
    tag = f"(7053,10{element:02X})"
    found = {private_text(header, *PHILIPS, element) for header in headers}
    if len(found) > 1:
        raise InputError(
            f"The slices are mixed: Philips' private factor {tag} differs between them.",
            "Give a folder with the slices of one series only.",
        )
    private = found.pop()
    if private is None:
        return None, []
    manufacturer = text(headers[0], "Manufacturer")
    if not private.creator_present and "PHILIPS" not in manufacturer.upper():
        raise InputError(
            f"{tag} is there, but neither its private creator {PHILIPS[1]!r} nor "
            f"{tag_name('Manufacturer')} ({manufacturer!r}) says that it is Philips' factor.",
            "Export the series with its private creator elements, or in Bq/ml.",
        )
    try:
        factor = float(private.value)
    except ValueError:
        factor = -1.0
    if not 0 <= factor < float("inf"):
        raise InputError(
            f"Philips' private factor {tag} is {private.value!r}, not a positive number.",
            "Export the series again, or in Bq/ml.",
        )
    notes = (
        []
        if private.creator_present
        else [
            f"Philips' private factor {tag} is read although its creator {PHILIPS[1]!r} is "
            "missing, because the manufacturer fits."
        ]
    )
    return (factor or None), notes

"""From the values of a DICOM PET series to SUV normalised to body weight (SUVbw, g/ml).

Vendor-neutral rules of QIBA (RSNA QIBA FDG-PET/CT profile, appendix G), with what the IBSI manual
on SUV computation (oncoray.github.io/suv_computation) adds for other SUV types and doses in MBq:

    BQML    weight [kg] * 1000 / (dose [Bq] * 2^(-seconds / half-life [s]))
    CNTS    Philips' private SUV factor (7053,1000), else its activity factor (7053,1009) and BQML
    GML     1 for SUV Type BW or none; otherwise body weight / (lean or ideal body mass)
    CM2ML   body weight / body surface area

Nothing is guessed: what these rules cannot convert raises an `InputError` naming the attribute.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.decay_time import decay_time
from PETAnomalyLib.engine.study.dicom.patient_mass import (
    MASSES,
    body_surface_area,
    mass_by_sex,
    patient_height,
    patient_weight,
)
from PETAnomalyLib.engine.study.dicom.radiopharmaceutical import (
    half_life,
    injected_dose,
    radiopharmaceutical,
)
from PETAnomalyLib.engine.study.dicom.series import ENHANCED_PET, find_series
from PETAnomalyLib.engine.study.dicom.tags import private_text, tag_name, text
from PETAnomalyLib.engine.study.dicom.volume import read_volume
from PETAnomalyLib.engine.study.image_file import read_image_file

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
UNIFORM_TRACER = (
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
)

PHILIPS = (0x7053, "Philips PET Private Group")


@dataclass(frozen=True)
class SuvConversion:
    """What turns the rescaled values of a series into SUVbw.

    Attributes:
        factor: SUVbw (g/ml) = factor * (stored value * rescale slope + intercept).
        rule: how `factor` was found, in words.
        description: JSON-able; every number that went into it, with its unit in the key.
    """

    factor: float
    rule: str
    description: dict[str, Any]
    warnings: tuple[str, ...]


def suvbw_conversion(headers: Sequence[Dataset]) -> SuvConversion:
    """The SUVbw factor of one PET series.

    Args:
        headers: the datasets of all its slices; pixel data are not needed.

    Raises:
        InputError: the series is mixed, or an attribute is missing, implausible or of a kind that
            cannot be converted; the message names it.
    """
    if not headers:
        raise InputError("There are no DICOM slices to compute SUV from.")
    _check_kind(headers[0])
    _check_uniform(headers)
    warnings = _check_corrections(headers[0])
    units = text(headers[0], "Units").upper()
    convert = _CONVERSIONS.get(units)
    if convert is None:
        stated = f"is {units}" if units else "is missing or empty"
        raise InputError(
            f"{tag_name('Units')} {stated}: only BQML, GML, CM2ML and Philips' CNTS can be "
            "converted to SUV.",
            "Reconstruct or export the series in Bq/ml (BQML) or as SUV (GML).",
        )
    result = convert(headers)
    return SuvConversion(
        result.factor,
        result.rule,
        {"units": units, "rule": result.rule, "factor": result.factor, **result.description},
        (*warnings, *result.warnings),
    )


def read_suv(path: Path) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """A DICOM PET series as SUVbw: float32, g/ml, on the grid of its slices (LPS, mm).

    Args:
        path: a folder that holds one PET series (among others), or one file of the series.

    Raises:
        InputError: see `find_series`, `read_volume` and `suvbw_conversion`.
    """
    series, notes = find_series(path, "PT")
    volume = read_volume(series)
    conversion = suvbw_conversion(volume.headers)
    image = sitk.Cast(volume.image * conversion.factor, sitk.sitkFloat32)
    description = {**volume.description, "suv": conversion.description}
    return image, description, (*notes, *volume.warnings, *conversion.warnings)


def write_suv(dicom_dir: Path, out_file: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Converts a DICOM PET series into an SUVbw image file, in one move: whole or not at all.

    Args:
        dicom_dir: as `path` of `read_suv`.
        out_file: .nii.gz, .nii, .nrrd or .mha; its folder is made when missing. An existing file
            is replaced.

    Returns:
        The series' description and the warnings.

    Raises:
        InputError: the series cannot be converted, or the file cannot be written.
    """
    out_file = Path(out_file)
    suffix = next(
        (s for s in (".nii.gz", ".nii", ".nrrd", ".mha") if out_file.name.endswith(s)), ""
    )
    if not suffix:
        raise InputError(
            f"{out_file.name} does not name an image file.",
            "Give a name that ends in .nii.gz, .nii, .nrrd or .mha.",
        )
    image, description, warnings = read_suv(Path(dicom_dir))
    image.SetMetaData("ITK_FileNotes", "SUVbw g/ml, PETAnomaly")  # becomes NIfTI's descrip
    partial = out_file.with_name(f".{out_file.name[: -len(suffix)]}.{os.getpid()}{suffix}")
    try:
        out_file.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(partial), True)
        read_image_file(partial)  # a full disk leaves ITK's NIfTI short without an error
        partial.replace(out_file)
    except (OSError, RuntimeError, InputError) as error:
        raise InputError(
            f"{out_file} cannot be written: {_last_line(error)}",
            "Choose a folder you may write to, on a disk with space left.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return description, warnings


# --- what the series is -------------------------------------------------------------------------


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
                for item in header.get("RadiopharmaceuticalInformationSequence") or ()
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
    if text(header, "DecayCorrection").upper() == "NONE":
        raise InputError(
            f"{tag_name('DecayCorrection')} is NONE: the values are not corrected for decay, so "
            "no SUV can be computed.",
            "Reconstruct the series with decay correction (START or ADMIN).",
        )
    corrections = text(header, "CorrectedImage").upper().split("\\")
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
    if "DECY" not in corrections:
        return [f"{tag_name('CorrectedImage')} does not list DECY: check the decay correction."]
    return []


# --- one function a kind of units ---------------------------------------------------------------


def _from_bqml(headers: Sequence[Dataset]) -> SuvConversion:
    header = headers[0]
    weight = patient_weight(header)
    tracer = radiopharmaceutical(header)
    dose, warnings = injected_dose(tracer)
    decay_half_life, half_life_warnings = half_life(tracer)
    warnings += half_life_warnings
    description: dict[str, Any] = {
        "weight_kg": weight,
        "dose_bq": dose,
        "half_life_s": decay_half_life,
        "radiopharmaceutical": text(tracer, "Radiopharmaceutical"),
    }
    correction = text(header, "DecayCorrection").upper()
    if correction == "ADMIN":
        seconds, rule = 0.0, "decay-corrected to the injection (ADMIN)"
    elif correction == "START":
        decay = decay_time(headers, tracer, decay_half_life)
        seconds, rule = decay.seconds, f"decay-corrected to the scan start (START): {decay.rule}"
        warnings += decay.warnings
        description["decay_reference"] = str(decay.reference)
        description["injection"] = str(decay.injection)
    else:
        stated = f"is {correction}" if correction else "is missing or empty"
        raise InputError(
            f"{tag_name('DecayCorrection')} {stated}: it must be START or ADMIN to know the time "
            "that the values belong to.",
            "Export the series again with all its attributes.",
        )
    description["decay_correction"] = correction
    description["decay_seconds"] = seconds
    factor = weight * 1000.0 / (dose * 2.0 ** (-seconds / decay_half_life))
    return SuvConversion(factor, f"Bq/ml, {rule}", description, tuple(warnings))


def _from_counts(headers: Sequence[Dataset]) -> SuvConversion:
    factor, notes = _philips_factor(headers, 0x00)
    if factor is not None:
        return SuvConversion(factor, "counts, Philips' SUV factor (7053,1000)", {}, tuple(notes))
    activity, notes = _philips_factor(headers, 0x09)
    if activity is None:
        raise InputError(
            f"{tag_name('Units')} is CNTS and Philips' private SUV factor (7053,1000) and activity "
            "factor (7053,1009) are both missing or zero: counts cannot be converted.",
            "Export the series with its private attributes, or in Bq/ml.",
        )
    bqml = _from_bqml(headers)
    return SuvConversion(
        activity * bqml.factor,
        f"counts, Philips' activity factor (7053,1009) to {bqml.rule}",
        {"activity_factor_bqml": activity, **bqml.description},
        (*notes, *bqml.warnings),
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


def _from_gml(headers: Sequence[Dataset]) -> SuvConversion:
    header = headers[0]
    suv_type = text(header, "SUVType").upper()
    if suv_type in ("", "BW"):
        return SuvConversion(1.0, "already SUV of body weight (GML)", {"suv_type": "BW"}, ())
    if suv_type not in MASSES:
        raise InputError(
            f"{tag_name('SUVType')} is {suv_type}, which cannot be converted to SUV of body weight "
            f"when {tag_name('Units')} is GML.",
            "Export the series in Bq/ml (BQML) or as SUV of body weight.",
        )
    weight, height = patient_weight(header), patient_height(header)
    mass, warnings = mass_by_sex(header, suv_type, weight, height)
    if mass <= 0:
        raise InputError(
            f"{tag_name('SUVType')} {suv_type} gives a mass of {mass:.1f} kg for "
            f"{tag_name('PatientWeight')} {weight:g} kg and {tag_name('PatientSize')} "
            f"{height:g} m.",
            "Correct weight and height in the DICOM files.",
        )
    return SuvConversion(
        weight / mass,
        f"SUV type {suv_type} (GML) times body weight / {mass:.2f} kg",
        {"suv_type": suv_type, "weight_kg": weight, "height_m": height, "mass_kg": mass},
        tuple(warnings),
    )


def _from_cm2ml(headers: Sequence[Dataset]) -> SuvConversion:
    header = headers[0]
    suv_type = text(header, "SUVType").upper()
    if suv_type not in ("", "BSA"):
        raise InputError(
            f"{tag_name('SUVType')} is {suv_type}, which contradicts {tag_name('Units')} CM2ML "
            "(SUV of body surface area).",
            "Export the series in Bq/ml (BQML).",
        )
    weight, height = patient_weight(header), patient_height(header)
    area = body_surface_area(weight, height)
    return SuvConversion(
        weight * 1000.0 / (area * 1e4),
        f"SUV of body surface area (CM2ML) times body weight / {area:.3f} m2",
        {"suv_type": "BSA", "weight_kg": weight, "height_m": height, "surface_m2": area},
        (),
    )


_CONVERSIONS: dict[str, Callable[[Sequence[Dataset]], SuvConversion]] = {
    "BQML": _from_bqml,
    "CNTS": _from_counts,
    "GML": _from_gml,
    "CM2ML": _from_cm2ml,
}


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

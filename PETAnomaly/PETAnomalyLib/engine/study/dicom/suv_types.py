"""SUVbw from SUVs of another kind: of lean or ideal body mass, of body surface area."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.conversion import SuvConversion
from PETAnomalyLib.engine.study.dicom.patient_mass import (
    MASSES,
    body_surface_area,
    mass_by_sex,
    patient_height,
    patient_weight,
)
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text


def from_gml(headers: Sequence[Dataset]) -> SuvConversion:
    """The factor of a series in g/ml, from its SUV Type; 1 for body weight.

    Raises:
        InputError: another type, or weight, height or sex is missing or implausible.
    """
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


def from_cm2ml(headers: Sequence[Dataset]) -> SuvConversion:
    """The factor of a series in cm2/ml: SUV of body surface area.

    Raises:
        InputError: another SUV Type, or weight or height is missing or implausible.
    """
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

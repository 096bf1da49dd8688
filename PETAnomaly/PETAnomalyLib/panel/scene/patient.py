"""Height, weight and sex of the patient, as far as the PET's DICOM files say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pydicom

from PETAnomalyLib.engine.findings.lean_body_mass import FEMALE, MALE
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import number, text
from PETAnomalyLib.panel.scene.inputs import dicomFiles


@dataclass(frozen=True)
class Patient:
    """0 and empty where it is not known."""

    heightCm: float = 0.0
    weightKg: float = 0.0
    sex: str = ""


def patientOf(pet: Any) -> Patient:
    """What the PET's first file says; damaged headers say nothing."""
    files = dicomFiles(pet)
    if not files:
        return Patient()
    try:
        header = pydicom.dcmread(files[0], stop_before_pixels=True)
        sex = text(header, "PatientSex")
        return Patient(
            100.0 * (number(header, "PatientSize") or 0.0),  # m, PS3.3 C.7.2.2
            number(header, "PatientWeight") or 0.0,
            sex if sex in (FEMALE, MALE) else "",
        )
    except (InputError, OSError, pydicom.errors.InvalidDicomError):
        return Patient()

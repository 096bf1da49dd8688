"""Weight, height and the masses and surface that other kinds of SUV are normalised to."""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.findings.lean_body_mass import janmahasatian_kg
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import number, tag_name, text

PLAUSIBLE_WEIGHT_KG = (1.0, 400.0)
PLAUSIBLE_HEIGHT_M = (0.3, 2.5)


def body_surface_area(weight: float, height: float) -> float:
    """m2 from kg and m (Du Bois and Du Bois 1916)."""
    return 0.007184 * weight**0.425 * (height * 100.0) ** 0.725


def _james(squared: float) -> Callable[[float, float, str], float]:
    """Lean body mass, kg (James 1976); DICOM's LBM has 120, LBMJAMES128 128 for men."""

    def mass(weight: float, height: float, sex: str) -> float:
        per_height = (weight / (height * 100.0)) ** 2
        if sex == "M":
            return 1.10 * weight - squared * per_height
        return 1.07 * weight - 148.0 * per_height

    return mass


def _ideal(_weight: float, height: float, sex: str) -> float:
    """Ideal body weight, kg (Sugawara et al. 1999)."""
    above = height * 100.0 - 152.0
    return 48.0 + 1.06 * above if sex == "M" else 45.5 + 0.91 * above


MASSES: dict[str, Callable[[float, float, str], float]] = {
    "LBM": _james(120.0),
    "LBMJAMES128": _james(128.0),
    "LBMJANMA": janmahasatian_kg,
    "IBW": _ideal,
}


def mass_by_sex(
    header: Dataset, suv_type: str, weight: float, height: float
) -> tuple[float, list[str]]:
    """Lean or ideal body mass in kg for an SUV Type of `MASSES`, and warnings.

    For sex O the mean of men and women, as the IBSI manual asks.

    Raises:
        InputError: the sex is missing or unknown.
    """
    mass = MASSES[suv_type]
    sex = text(header, "PatientSex").upper()
    if sex in ("M", "F"):
        return mass(weight, height, sex), []
    if sex == "O":
        mean = (mass(weight, height, "M") + mass(weight, height, "F")) / 2
        return mean, [
            f"{tag_name('PatientSex')} is O: the mean of the formulas for men and women is used."
        ]
    stated = f"is {sex}" if sex else "is missing or empty"
    raise InputError(
        f"{tag_name('PatientSex')} {stated}; it is needed to convert SUV of lean or ideal body "
        "mass to SUV of body weight.",
        "Add the patient's sex (M, F or O) to the DICOM files, or export in Bq/ml.",
    )


def patient_weight(header: Dataset) -> float:
    """PatientWeight (0010,1030), kg; refused when missing or implausible, never guessed."""
    return _plausible(header, "PatientWeight", PLAUSIBLE_WEIGHT_KG, "kg")


def patient_height(header: Dataset) -> float:
    """PatientSize (0010,1020), m; refused when missing or implausible, never guessed."""
    return _plausible(header, "PatientSize", PLAUSIBLE_HEIGHT_M, "m")


def _plausible(header: Dataset, keyword: str, limits: tuple[float, float], unit: str) -> float:
    value = number(header, keyword)
    if value is None:
        raise InputError(
            f"{tag_name(keyword)} is missing or empty; SUV cannot be computed without it.",
            "Add the attribute to the DICOM files, or ask the site for it.",
        )
    if not limits[0] <= value <= limits[1]:
        raise InputError(
            f"{tag_name(keyword)} is {value:g}, not between {limits[0]:g} and {limits[1]:g} "
            f"{unit}.",
            "Correct the attribute in the DICOM files; it is never guessed.",
        )
    return value

"""SUL: SUV by lean body mass, after Janmahasatian et al., Clin Pharmacokinet 2005;44:1051.

The formula that PERCIST's later guidance recommends for whole-body FDG (O et al., Radiology 2016;
280:576). It was fitted to adults.
"""

from __future__ import annotations

from PETAnomalyLib.engine.runtime.errors import InputError

FEMALE, MALE = "F", "M"
"""As DICOM's Patient's Sex says them (PS3.3, C.7.1.1)."""

HEIGHT_LIMITS_CM = (100.0, 250.0)
WEIGHT_LIMITS_KG = (25.0, 400.0)


def lean_body_mass_kg(height_cm: float, weight_kg: float, sex: str) -> float:
    """Lean body mass of an adult.

    Args:
        height_cm: within `HEIGHT_LIMITS_CM`.
        weight_kg: within `WEIGHT_LIMITS_KG`.
        sex: `F` or `M`.

    Raises:
        InputError: something else.
    """
    for name, value, (low, high), unit in (
        ("height", height_cm, HEIGHT_LIMITS_CM, "cm"),
        ("weight", weight_kg, WEIGHT_LIMITS_KG, "kg"),
    ):
        if not low <= value <= high:
            raise InputError(
                f"A {name} of {value:g} {unit} is not that of an adult.",
                f"Give it in {unit}, from {low:g} to {high:g}.",
            )
    if sex not in (FEMALE, MALE):
        raise InputError(f"The sex is '{sex}'.", "The formula knows F and M.")
    return janmahasatian_kg(weight_kg, height_cm / 100.0, sex)


def janmahasatian_kg(weight_kg: float, height_m: float, sex: str) -> float:
    """The formula, for `M` and for others as for `F`; nothing is checked."""
    bmi = weight_kg / height_m**2
    if sex == MALE:
        return 9270.0 * weight_kg / (6680.0 + 216.0 * bmi)
    return 9270.0 * weight_kg / (8780.0 + 244.0 * bmi)


def sul_of_suv(height_cm: float, weight_kg: float, sex: str) -> float:
    """What SUVbw is multiplied with to give SUL; arguments and errors as of `lean_body_mass_kg`."""
    return lean_body_mass_kg(height_cm, weight_kg, sex) / weight_kg

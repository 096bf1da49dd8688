"""SUV of other kinds, against the published formulas."""

from __future__ import annotations

from typing import Any

import pytest
from suv_factor import factor, refusal
from synthetic_dicom import DROP, HEIGHT_M, WEIGHT_KG, pet_header

BMI = WEIGHT_KG / HEIGHT_M**2
# Morgan (LBM), James, Janmahasatian, Sugawara: the published formulas, in kg.
MASSES = {
    "LBM": (
        1.10 * WEIGHT_KG - 0.0120 * WEIGHT_KG**2 / HEIGHT_M**2,
        1.07 * WEIGHT_KG - 0.0148 * WEIGHT_KG**2 / HEIGHT_M**2,
    ),
    "LBMJAMES128": (
        1.10 * WEIGHT_KG - 0.0128 * WEIGHT_KG * BMI,
        1.07 * WEIGHT_KG - 0.0148 * WEIGHT_KG * BMI,
    ),
    "LBMJANMA": (
        9270 * WEIGHT_KG / (6680 + 216 * BMI),
        9270 * WEIGHT_KG / (8780 + 244 * BMI),
    ),
    "IBW": (48.0 + 1.06 * 23, 45.5 + 0.91 * 23),
}


@pytest.mark.parametrize("suv_type", MASSES)
def test_suv_of_lean_or_ideal_mass_becomes_suv_of_body_weight(suv_type: str) -> None:
    male, female = MASSES[suv_type]
    for sex, mass in (("M", male), ("F", female), ("O", (male + female) / 2)):
        header = pet_header(Units="GML", SUVType=suv_type, PatientSex=sex)
        assert factor(header) == pytest.approx(WEIGHT_KG / mass)


def test_suv_of_body_surface_becomes_suv_of_body_weight() -> None:
    surface_cm2 = 71.84 * WEIGHT_KG**0.425 * 175**0.725
    for suv_type in ("BSA", ""):
        header = pet_header(Units="CM2ML", SUVType=suv_type)
        assert factor(header) == pytest.approx(WEIGHT_KG * 1000 / surface_cm2)


def test_suv_of_body_weight_is_taken_as_it_is_and_needs_no_dose() -> None:
    for changes in ({}, {"SUVType": "BW"}, {"SUVType": ""}):
        header = pet_header(
            Units="GML", PatientWeight=DROP, RadionuclideTotalDose=DROP, PatientSex=DROP, **changes
        )
        assert factor(header) == 1.0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"PatientSize": DROP}, "PatientSize (0010,1020)"),
        ({"PatientSize": "175"}, "PatientSize (0010,1020) is 175"),
        ({"PatientSize": "0"}, "PatientSize (0010,1020) is 0"),
        ({"PatientSex": DROP}, "PatientSex (0010,0040) is missing"),
        ({"PatientSex": "X"}, "PatientSex (0010,0040) is X"),
        ({"PatientWeight": DROP}, "PatientWeight (0010,1030)"),
        ({"PatientWeight": "390"}, "SUVType (0054,1006)"),
    ],
)
def test_suv_of_lean_mass_needs_a_plausible_height_sex_and_weight(
    changes: dict[str, Any], named: str
) -> None:
    assert named in refusal(pet_header(Units="GML", SUVType="LBMJAMES128", **changes))

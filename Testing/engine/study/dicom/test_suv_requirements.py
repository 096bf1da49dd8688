"""What is no series, or not corrected, has no SUV whatever its units."""

from __future__ import annotations

import pytest
from suv_factor import refusal
from synthetic_dicom import pet_header


def test_values_without_decay_correction_are_refused_in_every_unit() -> None:
    for units in ("BQML", "GML", "CM2ML"):
        assert "DecayCorrection (0054,1102) is NONE" in refusal(
            pet_header(Units=units, DecayCorrection="NONE")
        )


@pytest.mark.parametrize(
    ("keyword", "other"),
    [
        ("SeriesInstanceUID", "1.2.3"),
        ("Units", "GML"),
        ("PatientWeight", "71"),
        ("RadionuclideTotalDose", "300000000"),
        ("DecayCorrection", "ADMIN"),
    ],
)
def test_slices_of_different_series_are_refused_together(keyword: str, other: str) -> None:
    message = refusal(pet_header(), pet_header(**{keyword: other}))
    assert "mixed" in message
    assert keyword in message


def test_slices_of_two_patients_are_refused_without_naming_them() -> None:
    message = refusal(pet_header(), pet_header(PatientID="John Doe"))
    assert "PatientID (0010,0020)" in message
    assert "Doe" not in message

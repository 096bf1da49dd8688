"""When the tracer was injected, where the attributes that say so are missing or disagree."""

from __future__ import annotations

from typing import Any

import pytest
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from suv_factor import factor, refusal, with_private
from synthetic_dicom import DROP, pet_header, plain_factor

WITHOUT = {"RadiopharmaceuticalStartDateTime": DROP, "RadiopharmaceuticalStartTime": DROP}


def test_the_private_administration_time_of_ge_stands_in_for_a_missing_one() -> None:
    header = pet_header(Manufacturer="GE MEDICAL SYSTEMS", **WITHOUT)
    with_private(header, 0x0009, "GEMS_PETD_01", {0x3B: "20250101100000.00"})
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "(0009,103B)" in conversion.warnings[0]
    assert "(0018,1078)" in refusal(pet_header(**WITHOUT))


def test_the_private_administration_time_of_ge_gives_a_missing_date() -> None:
    """Without it a nuclide of three days could not be converted."""
    changes = {"RadiopharmaceuticalStartDateTime": DROP, "RadionuclideHalfLife": "282276"}
    header = with_private(
        pet_header(**changes), 0x0009, "GEMS_PETD_01", {0x3B: "20241231100000.00"}
    )
    assert factor(header) == pytest.approx(70e3 / (350e6 * 2 ** (-90000 / 282276)))
    assert "(0018,1078)" in refusal(pet_header(**changes))


@pytest.mark.parametrize(
    "stamp", ["20250101000000", "19000101000000", "20250101235959", "20250101110500"]
)
def test_a_date_time_that_cannot_be_gives_way_to_a_time_that_can(stamp: str) -> None:
    """Such as a zeroed one: SUV would be 44 times what it is."""
    conversion = suvbw_conversion([pet_header(RadiopharmaceuticalStartDateTime=stamp)])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "disagree" in conversion.warnings[0]
    assert "RadiopharmaceuticalStartDateTime (0018,1078)" in conversion.warnings[0]


def test_a_time_that_cannot_be_gives_way_to_a_date_time_that_can() -> None:
    conversion = suvbw_conversion([pet_header(RadiopharmaceuticalStartTime="000000")])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "disagree" in conversion.warnings[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"RadiopharmaceuticalStartTime": "083000"},  # 2.5 h: a late scan
        {"RadiopharmaceuticalStartDateTime": "20250101080000"},  # as in another time zone
        {"RadiopharmaceuticalStartDateTime": "20250102120000",
         "RadiopharmaceuticalStartTime": "150000"},
    ],
)  # fmt: skip
def test_times_that_disagree_by_hours_are_refused_where_both_or_neither_can_be(
    changes: dict[str, Any],
) -> None:
    message = refusal(pet_header(**changes))
    assert "RadiopharmaceuticalStartDateTime (0018,1078)" in message
    assert "RadiopharmaceuticalStartTime (0018,1072)" in message


def test_a_time_in_local_time_is_taken_before_a_date_time_of_another_zone() -> None:
    header = pet_header(RadiopharmaceuticalStartDateTime="20250101080000+0000")
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "time zone" in conversion.warnings[0]

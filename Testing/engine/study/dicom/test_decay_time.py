"""The instant that the values of a series belong to, and how long the dose had decayed by then."""

from __future__ import annotations

from typing import Any

import pytest
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from suv_factor import factor, refusal, with_private
from synthetic_dicom import DROP, pet_header, plain_factor


def test_the_series_time_counts_when_slices_were_acquired_later() -> None:
    beds = [pet_header(AcquisitionTime=time) for time in ("110000", "110400", "110800")]
    assert factor(*beds) == pytest.approx(plain_factor())


def test_a_series_written_later_is_taken_from_its_earliest_acquisition() -> None:
    beds = [
        pet_header(SeriesTime="153000", AcquisitionTime=time)
        for time in ("110800", "110000", "110400")
    ]
    conversion = suvbw_conversion(beds)
    assert conversion.factor == pytest.approx(plain_factor())
    assert "SeriesTime (0008,0031)" in conversion.warnings[0]


def test_a_series_written_later_uses_the_private_scan_time_of_ge() -> None:
    header = pet_header(SeriesTime="153000", AcquisitionTime="111500", Manufacturer="GE MEDICAL")
    with_private(header, 0x0009, "GEMS_PETD_01", {0x0D: "20250101110000.00"})
    assert factor(header) == pytest.approx(plain_factor())
    # The block is found through its creator, wherever that sits.
    moved = pet_header(SeriesTime="153000", AcquisitionTime="111500", Manufacturer="GE MEDICAL")
    with_private(moved, 0x0009, "GEMS_IDEN_01", {0x0D: "20240101000000.00"})
    with_private(moved, 0x0009, "GEMS_PETD_01", {0x0D: "20250101110000.00"})
    assert factor(moved) == pytest.approx(plain_factor())


def test_another_vendors_private_attribute_is_not_a_scan_time() -> None:
    header = pet_header(SeriesTime="153000", Manufacturer="GE MEDICAL")
    with_private(header, 0x0009, "SOMEONE ELSE", {0x0D: "20250101103000.00"})
    assert suvbw_conversion([header]).rule.endswith("earliest acquisition date and time")
    assert factor(header) == pytest.approx(plain_factor())


def test_ges_time_without_its_creator_counts_only_on_a_ge_scanner() -> None:
    rewritten = {"SeriesTime": "153000", "AcquisitionTime": "111500"}
    for manufacturer, expected in (("GE MEDICAL SYSTEMS", 3600), ("SIEMENS", 4500)):
        header = pet_header(Manufacturer=manufacturer, **rewritten)
        header.add_new((0x0009, 0x100D), "DT", "20250101110000.00")
        assert factor(header) == pytest.approx(plain_factor(expected))


def test_an_unmodified_ge_series_keeps_its_series_time_and_tells_a_difference() -> None:
    header = pet_header(Manufacturer="GE MEDICAL SYSTEMS")
    with_private(header, 0x0009, "GEMS_PETD_01", {0x0D: "20250101112000.00"})
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "(0009,100D)" in conversion.warnings[0]


@pytest.mark.parametrize(
    "injection",
    [
        {"RadiopharmaceuticalStartDateTime": "20241231233000.00"},
        {"RadiopharmaceuticalStartDateTime": DROP},
        {"RadiopharmaceuticalStartDateTime": "20241231"},
    ],
)
def test_an_injection_before_midnight_and_a_scan_after_it(injection: dict[str, Any]) -> None:
    header = pet_header(
        RadiopharmaceuticalStartTime="233000.00",
        SeriesTime="003000.00",
        AcquisitionTime="003000.00",
        **injection,
    )
    assert factor(header) == pytest.approx(plain_factor())


def test_only_a_date_time_or_only_a_time_of_injection_is_enough() -> None:
    assert factor(pet_header(RadiopharmaceuticalStartTime=DROP)) == pytest.approx(plain_factor())
    assert factor(pet_header(RadiopharmaceuticalStartDateTime=DROP)) == pytest.approx(
        plain_factor()
    )
    assert factor(pet_header(RadiopharmaceuticalStartDateTime="")) == pytest.approx(plain_factor())


def test_dates_removed_by_anonymisation_leave_the_times_of_day() -> None:
    header = pet_header(SeriesDate=DROP, AcquisitionDate="", RadiopharmaceuticalStartDateTime=DROP)
    assert factor(header) == pytest.approx(plain_factor())


def test_a_missing_series_time_falls_back_to_the_acquisition() -> None:
    assert factor(pet_header(SeriesTime=DROP)) == pytest.approx(plain_factor())
    stamp = pet_header(SeriesTime=DROP, AcquisitionTime=DROP)
    stamp.AcquisitionDateTime = "20250101110000.000000"
    assert factor(stamp) == pytest.approx(plain_factor())


def test_a_missing_acquisition_time_leaves_the_series_time() -> None:
    assert factor(pet_header(AcquisitionTime=DROP)) == pytest.approx(plain_factor())


def test_an_injection_stated_in_utc_is_moved_to_the_time_zone_of_the_series() -> None:
    header = pet_header(
        TimezoneOffsetFromUTC="+0200",
        RadiopharmaceuticalStartDateTime="20250101080000.00+0000",
    )
    assert factor(header) == pytest.approx(plain_factor())
    across_midnight = pet_header(
        TimezoneOffsetFromUTC="-0500",
        RadiopharmaceuticalStartDateTime="20250102003000+0000",
        RadiopharmaceuticalStartTime=DROP,
        SeriesTime="203000",
        AcquisitionTime="203000",
    )
    assert factor(across_midnight) == pytest.approx(plain_factor())


def test_times_written_with_colons_or_without_seconds_are_understood() -> None:
    header = pet_header(SeriesTime="11:00:00", AcquisitionTime="1100")
    assert factor(header) == pytest.approx(plain_factor())


def test_injection_times_that_disagree_are_told() -> None:
    conversion = suvbw_conversion([pet_header(RadiopharmaceuticalStartTime="093000")])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "disagree" in conversion.warnings[0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {
                "RadiopharmaceuticalStartDateTime": "20250101113000",
                "RadiopharmaceuticalStartTime": DROP,
            },
            "(0018,1078)",
        ),
        ({"RadiopharmaceuticalStartDateTime": "20250105100000"}, "(0018,1078)"),
        ({"RadiopharmaceuticalStartDateTime": "20241201100000"}, "(0018,1078)"),
        (
            {
                "RadiopharmaceuticalStartDateTime": DROP,
                "RadiopharmaceuticalStartTime": "110500",
            },
            "(0018,1072)",
        ),
        (
            {"RadiopharmaceuticalStartDateTime": DROP, "RadiopharmaceuticalStartTime": ""},
            "RadiopharmaceuticalStartTime (0018,1072)",
        ),
        ({"RadiopharmaceuticalStartDateTime": "yesterday"}, "(0018,1078)"),
        ({"SeriesTime": "2500"}, "SeriesTime (0008,0031)"),
        ({"SeriesDate": "20250231"}, "SeriesTime (0008,0031)"),
        ({"SeriesTime": DROP, "AcquisitionTime": DROP}, "SeriesTime (0008,0031)"),
        (
            {"RadionuclideHalfLife": "282276", "RadiopharmaceuticalStartDateTime": DROP},
            "(0018,1078)",
        ),
    ],
)
def test_impossible_times_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    assert named in refusal(pet_header(**changes))

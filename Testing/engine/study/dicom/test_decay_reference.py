"""The instant of decay correction where the series was written after the scan.

Expected values are plain formulas of decay: none is computed by the code that is tested.
"""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from suv_factor import factor, refusal, with_private
from synthetic_dicom import DOSE_BQ, DROP, HALF_LIFE_S, WEIGHT_KG, pet_header, plain_factor

DECAY = log(2) / HALF_LIFE_S


def clock(seconds: float) -> str:
    """Seconds since midnight as a DICOM time."""
    whole = int(seconds)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{seconds % 1 * 1e6:06.0f}"


def mean_time(duration: float) -> float:
    """When a decaying activity is its mean over a frame, s from the frame's start."""
    mean = (1 - exp(-DECAY * duration)) / (DECAY * duration)
    return -log(mean) / DECAY


def bed(acquired: str, reference_s: float, duration_s: float, **changes: Any) -> Dataset:
    """A slice of a series that was written at 15:30."""
    return pet_header(
        **{
            "SeriesTime": "153000",
            "AcquisitionTime": acquired,
            "FrameReferenceTime": f"{reference_s * 1000:.3f}",
            "ActualFrameDuration": str(round(duration_s * 1000)),
            **changes,
        }
    )


def test_frame_times_that_agree_give_the_instant() -> None:
    """The reference object of the IBSI: 11:00:00, 1.6 % below what the first acquisition gives."""
    beds = [
        bed("110230", 450, 603, SeriesTime="113000"),
        bed("110500", 600, 603, SeriesTime="113000"),
    ]
    conversion = suvbw_conversion(beds)
    assert conversion.factor == pytest.approx(plain_factor(3600), rel=2e-5)
    assert "FrameReferenceTime (0054,1300)" in conversion.warnings[0]


def test_a_late_static_frame_is_corrected_to_the_start_of_its_scan() -> None:
    """50 to 70 minutes after an injection at the start of the scan."""
    frame = bed("105000", 3000 + mean_time(1200), 1200)
    assert factor(frame) == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ, rel=1e-6)
    early = bed("105000", 3030 + mean_time(1200), 1200)  # begun half a minute before the injection
    conversion = suvbw_conversion([early])
    assert conversion.factor == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ * exp(-DECAY * 30))
    assert any("dynamic" in warning for warning in conversion.warnings)


@given(
    start=st.integers(10 * 3600 + 60, 13 * 3600),
    offsets=st.lists(st.integers(0, 3600), min_size=1, max_size=5),
    durations=st.lists(st.integers(30, 1800), min_size=5, max_size=5),
)
def test_any_beds_of_one_scan_agree_on_its_start(
    start: int, offsets: list[int], durations: list[int]
) -> None:
    beds = [
        bed(clock(start + offset), offset + mean_time(duration), duration)
        for offset, duration in zip(offsets, durations)
    ]
    assert factor(*beds) == pytest.approx(plain_factor(start - 36000), rel=1e-5)


def test_beds_of_one_acquisition_time_and_running_frame_times_do_not_agree() -> None:
    """As some GE exports have it: then it is the earliest acquisition."""
    beds = [bed("110000", seconds, 240) for seconds in (0, 243, 486)]
    conversion = suvbw_conversion(beds)
    assert conversion.factor == pytest.approx(plain_factor(3600))
    assert "SeriesTime (0008,0031)" in conversion.warnings[0]


@pytest.mark.parametrize("changes", [{"Manufacturer": "GE MEDICAL SYSTEMS"}, {"DecayFactor": True}])
def test_frame_times_to_the_beginning_of_the_frame_are_told_from_those_to_its_mean(
    changes: dict[str, Any],
) -> None:
    """By DecayFactor (mean decay in the frame times that before it), else by GE as manufacturer."""
    duration, beds = 240, []
    for offset in (0, 243, 486):
        stated = dict(changes)
        if "DecayFactor" in stated:
            stated["DecayFactor"] = f"{exp(DECAY * (offset + mean_time(duration))):.5f}"
        beds.append(bed(clock(11 * 3600 + offset), offset, duration, **stated))
    assert factor(*beds) == pytest.approx(plain_factor(3600), rel=1e-4)


def test_a_decay_factor_that_contradicts_the_frame_times_is_told() -> None:
    fits = bed("110230", 450, 603, DecayFactor=f"{exp(DECAY * 450):.5f}")
    assert len(suvbw_conversion([fits]).warnings) == 1
    contradicts = bed("110230", 450, 603, DecayFactor="1.5")
    conversion = suvbw_conversion([contradicts])
    assert conversion.factor == pytest.approx(plain_factor(3600), rel=2e-5)
    assert any("DecayFactor (0054,1321)" in warning for warning in conversion.warnings)


def test_nothing_is_corrected_to_an_instant_after_its_acquisition_began() -> None:
    """A Frame Reference Time of 0 is none: a real CPS header has it."""
    assert factor(bed("110000", 0, 180)) == pytest.approx(plain_factor(3600))


@pytest.mark.parametrize("missing", ["FrameReferenceTime", "ActualFrameDuration"])
def test_frame_times_count_only_where_all_slices_have_them(missing: str) -> None:
    beds = [bed("110230", 450, 603), bed("110500", 600, 603)]
    delattr(beds[1], missing)
    assert factor(*beds) == pytest.approx(plain_factor(3600 + 150))


def test_the_private_decay_time_of_siemens_comes_before_the_frame_times() -> None:
    header = bed("110230", 600, 603, Manufacturer="SIEMENS")
    with_private(header, 0x0071, "SIEMENS MED PT", {0x22: "20250101110000.000000"})
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor(3600))
    assert "(0071,1022)" in conversion.rule


def test_a_private_time_of_another_date_is_not_believed() -> None:
    """As pseudonymised series have it, where the standard dates were shifted and it was not."""
    header = bed("110230", 600, 603, Manufacturer="SIEMENS")
    with_private(header, 0x0071, "SIEMENS MED PT", {0x22: "20030322110000.000000"})
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor(3600))
    assert any("another date" in warning for warning in conversion.warnings)
    never = bed("110230", 450, 603, Manufacturer="SIEMENS")
    with_private(never, 0x0071, "SIEMENS MED PT", {0x22: "20250101200000.000000"})
    assert factor(never) == pytest.approx(plain_factor(3600), rel=2e-5)


def test_frame_times_that_contradict_a_series_time_in_order_are_told() -> None:
    header = bed("110000", 1500, 300, SeriesTime="110000")
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor(3600))
    assert "FrameReferenceTime (0054,1300)" in conversion.warnings[0]


@pytest.mark.parametrize("keyword", ["FrameReferenceTime", "ActualFrameDuration", "DecayFactor"])
def test_frame_times_that_are_no_numbers_are_no_evidence(keyword: str) -> None:
    header = bed("110000", 450, 603, SeriesTime="110000")
    header.add(DataElement(keyword, "LO", "soon"))
    assert factor(header) == pytest.approx(plain_factor(3600))


# --- times without dates ------------------------------------------------------------------------

UNDATED = {
    "SeriesDate": DROP,
    "AcquisitionDate": "",
    "RadiopharmaceuticalStartDateTime": DROP,
    "RadiopharmaceuticalStartTime": "225000",
}


@pytest.mark.parametrize("series", ["235000", "030000", DROP])
def test_times_without_dates_are_put_in_order_across_midnight(series: Any) -> None:
    """Injection 22:50, beds 23:50 to 00:05: an hour, whenever the series was written."""
    beds = [
        pet_header(**UNDATED, SeriesTime=series, AcquisitionTime=time)
        for time in ("000000", "235500", "000500", "235000")
    ]
    conversion = suvbw_conversion(beds)
    assert conversion.factor == pytest.approx(plain_factor(3600))
    assert any("after midnight" in warning for warning in conversion.warnings)


def test_a_series_begun_before_midnight_and_acquired_after_it() -> None:
    header = pet_header(**UNDATED, SeriesTime="235000", AcquisitionTime="000200")
    assert factor(header) == pytest.approx(plain_factor(3600))


def test_a_series_written_after_midnight_is_later_than_an_acquisition_before_it() -> None:
    header = pet_header(**UNDATED, SeriesTime="003000", AcquisitionTime="235000")
    assert factor(header) == pytest.approx(plain_factor(3600))


def test_frame_times_without_dates_agree_across_midnight() -> None:
    beds = [
        bed("235500", 300 + mean_time(240), 240, **{**UNDATED, "SeriesTime": "040000"}),
        bed("000500", 900 + mean_time(240), 240, **{**UNDATED, "SeriesTime": "040000"}),
    ]
    assert factor(*beds) == pytest.approx(plain_factor(3600), rel=1e-5)


def test_an_hour_of_the_day_is_not_taken_for_one_past_midnight() -> None:
    header = pet_header(
        SeriesDate=DROP, AcquisitionDate="", SeriesTime="233000", AcquisitionTime="110000",
        RadiopharmaceuticalStartDateTime=DROP,
    )  # fmt: skip
    assert factor(header) == pytest.approx(plain_factor(3600))


def test_the_ends_of_the_calendar_are_refused() -> None:
    header = pet_header(
        RadiopharmaceuticalStartDateTime="00010101000000+1400", TimezoneOffsetFromUTC="-1200"
    )
    assert "no date of a scan" in refusal(header)

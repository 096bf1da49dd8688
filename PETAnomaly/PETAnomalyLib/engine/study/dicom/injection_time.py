"""When the tracer was injected: Radiopharmaceutical Start Date Time, Start Time, GE's own."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom import ge
from PETAnomalyLib.engine.study.dicom.moment import (
    SECONDS_PER_DAY,
    Moment,
    date_time_parts,
    moment_of,
)
from PETAnomalyLib.engine.study.dicom.private_time import private_time
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text

_STAMP = tag_name("RadiopharmaceuticalStartDateTime")
_CLOCK = tag_name("RadiopharmaceuticalStartTime")

TELL_BEYOND_S = 60.0
# Rounding and slips of minutes are told; an hour more or less is another SUV (F-18: by 46 %).
REFUSE_BEYOND_S = 3600.0
PLAUSIBLE_HALF_LIVES = 4.0
QUARTER_OF_AN_HOUR = 900.0  # of which the offsets of time zones are multiples


def injection_time(
    header: Dataset, item: Dataset, scan: Moment, half_life: float
) -> tuple[Moment, list[str]]:
    """The moment, in the time zone of the other attributes, and warnings.

    Args:
        header: of a slice.
        item: of the Radiopharmaceutical Information Sequence.
        scan: when the scan was made, which tells a plausible time from another.
        half_life: s.

    Raises:
        InputError: no attribute gives it, one is malformed, or two disagree by an hour or more and
            both or neither of them may be true.
    """
    clock = text(item, "RadiopharmaceuticalStartTime")
    stamp = text(item, "RadiopharmaceuticalStartDateTime")
    if not stamp:
        return _without_stamp(header, clock)
    parts = date_time_parts(stamp)
    if parts is None:
        raise InputError(
            f"{_STAMP} is {stamp!r}, not a date and time (YYYYMMDDHHMMSS).",
            "Correct the attribute in the DICOM files.",
        )
    day, time_of_day, offset = parts
    if not time_of_day:
        if not clock:
            raise InputError(
                f"{_STAMP} is {stamp!r}, a date without a time, and {_CLOCK} is missing.",
                "Add the time of injection to the DICOM files.",
            )
        return moment_of(day, clock, _CLOCK), []
    moment, notes = _in_local_time(moment_of(day, time_of_day, _STAMP), offset, header)
    if not clock:
        return moment, notes
    other = moment_of(None, clock, _CLOCK)
    local = moment.plus(other.since(moment))
    if notes and _is_another_zone(moment, local) and _fits(local, scan, half_life):
        return local, [
            f"{_STAMP} states the time zone {offset}, the series none: {_CLOCK} ({other}) was "
            "used, which is in local time."
        ]
    if abs(moment.since(other)) <= TELL_BEYOND_S:
        return moment, notes
    chosen, note = _one_of(moment, other, scan, half_life)
    return chosen, [*notes, note]


def _without_stamp(header: Dataset, clock: str) -> tuple[Moment, list[str]]:
    """From Start Time, and from GE's private attribute where that is missing or has the date."""
    private, notes = private_time(header, ge.ADMINISTRATION)
    if not clock:
        if private is not None:
            return private, [
                *notes,
                f"{_STAMP} and {_CLOCK} are missing: {ge.ADMINISTRATION.name}, {private}, was "
                "used.",
            ]
        raise InputError(
            f"The time of injection is unknown: {_STAMP} and {_CLOCK} are missing or empty.",
            "Add the time of injection to the DICOM files; without it there is no SUV.",
        )
    moment = moment_of(None, clock, _CLOCK)
    if private is not None and abs(private.since(moment)) <= TELL_BEYOND_S:
        return Moment(private.day, moment.seconds), notes
    return moment, []


def _one_of(stamp: Moment, clock: Moment, scan: Moment, half_life: float) -> tuple[Moment, str]:
    """Which of a date-time and a time of day that disagree is true, and what to tell."""
    said = f"{_STAMP} ({stamp}) and {_CLOCK} ({clock}) disagree"
    if abs(stamp.since(clock)) < REFUSE_BEYOND_S:
        return stamp, f"{said}; the former was used."
    stamp_fits, clock_fits = _fits(stamp, scan, half_life), _fits(clock, scan, half_life)
    if stamp_fits == clock_fits:
        whether = "both may be true" if stamp_fits else "neither can be true"
        raise InputError(
            f"{said} by {abs(stamp.since(clock)) / 3600:.1f} h, and with the scan at {scan} "
            f"{whether}.",
            "Correct the wrong one in the DICOM files, or remove it.",
        )
    if stamp_fits:
        return stamp, f"{said}: the former was used, which fits the scan at {scan}."
    return clock, f"{said}: the latter was used, which fits the scan at {scan}."


def _fits(injection: Moment, scan: Moment, half_life: float) -> bool:
    """Whether a scan is made so long after an injection."""
    seconds = scan.since(injection)
    if injection.day is None or scan.day is None:
        seconds %= SECONDS_PER_DAY
    return 0 <= seconds <= PLAUSIBLE_HALF_LIVES * half_life


def _is_another_zone(moment: Moment, local: Moment) -> bool:
    quarters = local.since(moment) / QUARTER_OF_AN_HOUR
    return abs(quarters - round(quarters)) * QUARTER_OF_AN_HOUR <= TELL_BEYOND_S


def _in_local_time(moment: Moment, offset: str | None, header: Dataset) -> tuple[Moment, list[str]]:
    """Into the time zone of the other attributes, TimezoneOffsetFromUTC (PS3.3 C.12.1.1.8)."""
    local = text(header, "TimezoneOffsetFromUTC")
    if not offset or offset == local:
        return moment, []
    if not re.match(r"^[+-]\d{4}$", local):
        return moment, [
            f"{_STAMP} states the time zone {offset}, the series none "
            f"({tag_name('TimezoneOffsetFromUTC')}): both are read as local time."
        ]
    return moment.plus(_offset_seconds(local) - _offset_seconds(offset)), []


def _offset_seconds(offset: str) -> float:
    sign = -1.0 if offset[0] == "-" else 1.0
    return sign * (int(offset[1:3]) * 3600 + int(offset[3:5]) * 60)

"""Seconds from the injection to the instant that a PET series is decay-corrected to.

Vendor-neutral QIBA rules (RSNA QIBA FDG-PET/CT profile, appendix G) for Decay Correction START:
the series time unless it is later than an acquisition (then the series was written afterwards),
else GE's private scan time, else the earliest acquisition. Attributes: PS3.3 C.8.9.1, C.8.9.2.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import private_text, tag_name, text

SECONDS_PER_DAY = 86400.0
# Beyond ten half-lives less than a thousandth of the dose is left: no such scan is made, a date or
# a time is wrong. Where the date had to be assumed the bound is tighter.
MAX_HALF_LIVES = 10.0
MAX_HALF_LIVES_DATE_ASSUMED = 6.0
SUSPICIOUS_HALF_LIVES = 4.0
# Above this half-life (s) an injection date that is wrong by a day still gives a plausible SUV, so
# a missing date cannot be filled in.
MAX_HALF_LIFE_WITHOUT_DATE = 41400.0

_TIME = re.compile(r"^(\d{2})(?::?(\d{2}))?(?::?(\d{2}))?(?:\.(\d{1,6}))?$")
_DATE = re.compile(r"^(\d{4})[.]?(\d{2})[.]?(\d{2})$")
_DATETIME = re.compile(r"^(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?$")


@dataclass(frozen=True)
class Moment:
    """A point in time whose date may be unknown: `seconds` since midnight, local time."""

    day: date | None
    seconds: float

    def __str__(self) -> str:
        clock = (datetime.min + timedelta(seconds=self.seconds)).time().isoformat("milliseconds")
        return f"{self.day.isoformat()} {clock}" if self.day else clock

    def since(self, earlier: Moment) -> float:
        """Seconds from `earlier` to here; of two moments, one without a date, on the same day."""
        days = 0
        if self.day is not None and earlier.day is not None:
            days = (self.day - earlier.day).days
        return days * SECONDS_PER_DAY + self.seconds - earlier.seconds


@dataclass(frozen=True)
class DecayTime:
    """How long the dose decayed before the reference instant of the pixel values.

    Attributes:
        seconds: from `injection` to `reference`, >= 0.
        rule: which attribute gave `reference`, in words.
    """

    seconds: float
    reference: Moment
    injection: Moment
    rule: str
    warnings: tuple[str, ...]


def decay_time(
    headers: Sequence[Dataset], radiopharmaceutical: Dataset, half_life: float
) -> DecayTime:
    """From injection to the decay reference of a series with Decay Correction START.

    Args:
        headers: one dataset a slice, all of one series.
        radiopharmaceutical: the item of the Radiopharmaceutical Information Sequence.
        half_life: s.

    Raises:
        InputError: a time is missing or malformed, or the injection is not before the scan.
    """
    reference, rule, warnings = _reference(headers)
    injection, injection_warnings = _injection(headers[0], radiopharmaceutical)
    seconds = reference.since(injection)
    notes = [*warnings, *injection_warnings]
    date_assumed = reference.day is None or injection.day is None
    if date_assumed:
        seconds = _without_date(seconds, half_life, notes)
    if seconds < 0:
        raise InputError(
            f"The injection ({injection}, {tag_name('RadiopharmaceuticalStartDateTime')} or "
            f"{tag_name('RadiopharmaceuticalStartTime')}) is after the start of the scan "
            f"({reference}, from the {rule}).",
            "Correct the date or the time in the DICOM files; SUV cannot be computed from them.",
        )
    limit = MAX_HALF_LIVES_DATE_ASSUMED if date_assumed else MAX_HALF_LIVES
    if seconds > limit * half_life:
        raise InputError(
            f"The scan starts {seconds / 3600:.1f} h after the injection, "
            f"{seconds / half_life:.1f} half-lives ({reference} and {injection}, from "
            f"the {rule} and {tag_name('RadiopharmaceuticalStartDateTime')} or "
            f"{tag_name('RadiopharmaceuticalStartTime')}).",
            "A date or a time must be wrong, or the injection is after the scan: correct it.",
        )
    if seconds > SUSPICIOUS_HALF_LIVES * half_life:
        notes.append(
            f"The scan starts {seconds / 3600:.1f} h after the injection, "
            f"{seconds / half_life:.1f} half-lives: check the times."
        )
    return DecayTime(seconds, reference, injection, rule, tuple(notes))


def _reference(headers: Sequence[Dataset]) -> tuple[Moment, str, list[str]]:
    series = _earliest(headers, "SeriesDate", "SeriesTime")
    acquisition = _earliest(headers, "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime")
    if series is not None and acquisition is not None and acquisition.since(series) >= 0:
        return series, "series date and time", _ge_disagreement(headers[0], series)
    if series is not None and acquisition is None:
        note = (
            f"{tag_name('AcquisitionTime')} is missing: the series time {series} is taken as the "
            "start of the scan without a check that it is not later."
        )
        return series, "series date and time", [note]
    scan, creator_present = _ge_scan_time(headers[0])
    if scan is not None:
        notes = [] if creator_present else [_no_creator("(0009,100D)", "GEMS_PETD_01")]
        return scan, "GE private scan date and time (0009,100D)", notes
    if acquisition is not None:
        why = "missing" if series is None else f"{series}, later than the acquisition"
        note = (
            f"{tag_name('SeriesTime')} is {why}: values are taken as decay-corrected to the "
            f"earliest acquisition, {acquisition}."
        )
        return acquisition, "earliest acquisition date and time", [note]
    raise InputError(
        "The start of the scan is unknown: "
        f"{tag_name('SeriesDate')}, {tag_name('SeriesTime')}, {tag_name('AcquisitionDate')} and "
        f"{tag_name('AcquisitionTime')} are missing or empty.",
        "Export the series again without removing the times.",
    )


def _ge_disagreement(header: Dataset, series: Moment) -> list[str]:
    """GE's own scan time is only consulted for rewritten series; a difference is still told."""
    scan, _ = _ge_scan_time(header)
    if scan is None or abs(scan.since(series)) <= 60:
        return []
    return [
        f"GE's private scan time (0009,100D) {scan} differs from the series time {series}, which "
        "is not later than the acquisition and was used."
    ]


def _ge_scan_time(header: Dataset) -> tuple[Moment | None, bool]:
    found = private_text(header, 0x0009, "GEMS_PETD_01", 0x0D)
    if found is None:
        return None, False
    if not found.creator_present and not text(header, "Manufacturer").upper().startswith("GE"):
        return None, False
    match = _DATETIME.match(found.value)
    if match is None or not match.group(2):
        raise InputError(
            f"GE's private scan date and time (0009,100D) is {found.value!r}, not a date and time.",
            "Correct the attribute in the DICOM files.",
        )
    return _moment(match.group(1), match.group(2), "(0009,100D)"), found.creator_present


def _no_creator(tag: str, creator: str) -> str:
    return (
        f"The private attribute {tag} is read although its creator {creator!r} is missing, because "
        "the manufacturer fits."
    )


def _injection(header: Dataset, item: Dataset) -> tuple[Moment, list[str]]:
    clock = text(item, "RadiopharmaceuticalStartTime")
    time_name = tag_name("RadiopharmaceuticalStartTime")
    stamp = text(item, "RadiopharmaceuticalStartDateTime")
    if not stamp:
        if not clock:
            raise InputError(
                "The time of injection is unknown: "
                f"{tag_name('RadiopharmaceuticalStartDateTime')} and {time_name} are missing or "
                "empty.",
                "Add the time of injection to the DICOM files; without it there is no SUV.",
            )
        return _moment(None, clock, time_name), []

    name = tag_name("RadiopharmaceuticalStartDateTime")
    match = _DATETIME.match(stamp)
    if match is None:
        raise InputError(
            f"{name} is {stamp!r}, not a date and time (YYYYMMDDHHMMSS).",
            "Correct the attribute in the DICOM files.",
        )
    if not match.group(2):
        if not clock:
            raise InputError(
                f"{name} is {stamp!r}, a date without a time, and {time_name} is missing.",
                "Add the time of injection to the DICOM files.",
            )
        return _moment(match.group(1), clock, time_name), []

    moment = _moment(match.group(1), match.group(2), name)
    moment, notes = _in_local_time(moment, match.group(3), header)
    if clock:
        seconds = abs(_moment(None, clock, time_name).seconds - moment.seconds)
        if min(seconds, SECONDS_PER_DAY - seconds) > 60:
            notes.append(
                f"{name} ({moment}) and {time_name} ({clock}) disagree; the former was used."
            )
    return moment, notes


def _in_local_time(moment: Moment, offset: str | None, header: Dataset) -> tuple[Moment, list[str]]:
    """Into the time zone of the other attributes, TimezoneOffsetFromUTC (PS3.3 C.12.1.1.8)."""
    local = text(header, "TimezoneOffsetFromUTC")
    if not offset or offset == local:
        return moment, []
    name = tag_name("RadiopharmaceuticalStartDateTime")
    if not re.match(r"^[+-]\d{4}$", local):
        return moment, [
            f"{name} states the time zone {offset}, the series none "
            f"({tag_name('TimezoneOffsetFromUTC')}): both are read as local time."
        ]
    shifted = datetime.combine(moment.day or date.min, datetime.min.time()) + timedelta(
        seconds=moment.seconds + _offset_seconds(local) - _offset_seconds(offset)
    )
    midnight = datetime.combine(shifted.date(), datetime.min.time())
    return Moment(shifted.date(), (shifted - midnight).total_seconds()), []


def _offset_seconds(offset: str) -> float:
    sign = -1.0 if offset[0] == "-" else 1.0
    return sign * (int(offset[1:3]) * 3600 + int(offset[3:5]) * 60)


def _without_date(seconds: float, half_life: float, notes: list[str]) -> float:
    """Elapsed seconds when a date is missing: the same day, or the day before past midnight."""
    if half_life > MAX_HALF_LIFE_WITHOUT_DATE:
        raise InputError(
            f"The date of injection is unknown ({tag_name('RadiopharmaceuticalStartDateTime')}) "
            f"and with a half-life of {half_life / 3600:.0f} h it may be any day.",
            "Add the date of injection to the DICOM files.",
        )
    within_a_day = seconds % SECONDS_PER_DAY
    if within_a_day != seconds:
        notes.append(
            f"The injection's time of day is later than the scan's and its date is not given "
            f"({tag_name('RadiopharmaceuticalStartDateTime')}): taken as the evening before."
        )
    return within_a_day


def _earliest(
    headers: Sequence[Dataset], day: str, clock: str, stamp: str | None = None
) -> Moment | None:
    moments = []
    for header in headers:
        if text(header, clock):
            moments.append(_moment(text(header, day), text(header, clock), tag_name(clock)))
        elif stamp and text(header, stamp):
            match = _DATETIME.match(text(header, stamp))
            if match is not None and match.group(2):
                moments.append(_moment(match.group(1), match.group(2), tag_name(stamp)))
    dated = [moment for moment in moments if moment.day is not None]
    if dated:
        return min(dated, key=lambda moment: (moment.day, moment.seconds))
    return min(moments, key=lambda moment: moment.seconds, default=None)


def _moment(day: str | None, clock: str, name: str) -> Moment:
    match = _TIME.match(clock)
    parts = [int(part or 0) for part in match.group(1, 2, 3)] if match else [99, 99, 99]
    if match is None or parts[0] > 23 or parts[1] > 59 or parts[2] > 60:
        raise InputError(
            f"{name} is {clock!r}, not a time of day (HHMMSS).",
            "Correct the attribute in the DICOM files.",
        )
    seconds = parts[0] * 3600 + parts[1] * 60 + parts[2] + float(f"0.{match.group(4) or 0}")
    return Moment(_day(day, name) if day else None, seconds)


def _day(value: str, name: str) -> date:
    match = _DATE.match(value)
    if match is not None:
        with contextlib.suppress(ValueError):  # the 31st of February
            return date(*(int(part) for part in match.groups()))
    raise InputError(
        f"The date that belongs to {name} is {value!r}, not a date (YYYYMMDD).",
        "Correct the attribute in the DICOM files.",
    )

"""When the tracer was injected, from Radiopharmaceutical Start Date Time or Start Time."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.moment import (
    SECONDS_PER_DAY,
    Moment,
    date_time_parts,
    moment_of,
)
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text


def injection_time(header: Dataset, item: Dataset) -> tuple[Moment, list[str]]:
    """The moment, in the time zone of the other attributes, and warnings.

    Args:
        header: of a slice.
        item: of the Radiopharmaceutical Information Sequence.

    Raises:
        InputError: no attribute gives it, or one is malformed.
    """
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
        return moment_of(None, clock, time_name), []

    name = tag_name("RadiopharmaceuticalStartDateTime")
    parts = date_time_parts(stamp)
    if parts is None:
        raise InputError(
            f"{name} is {stamp!r}, not a date and time (YYYYMMDDHHMMSS).",
            "Correct the attribute in the DICOM files.",
        )
    day, time_of_day, offset = parts
    if not time_of_day:
        if not clock:
            raise InputError(
                f"{name} is {stamp!r}, a date without a time, and {time_name} is missing.",
                "Add the time of injection to the DICOM files.",
            )
        return moment_of(day, clock, time_name), []

    moment = moment_of(day, time_of_day, name)
    moment, notes = _in_local_time(moment, offset, header)
    if clock:
        seconds = abs(moment_of(None, clock, time_name).seconds - moment.seconds)
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

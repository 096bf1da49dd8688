"""Dates, times and date-times of DICOM attributes (PS3.5, table 6.2-1: DA, TM, DT)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError

SECONDS_PER_DAY = 86400.0
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
        """Seconds from `earlier` to here; where a date is unknown, by whatever is nearest in time:
        at most half a day either way."""
        seconds = self.seconds - earlier.seconds
        if self.day is not None and earlier.day is not None:
            return (self.day - earlier.day).days * SECONDS_PER_DAY + seconds
        return (seconds + SECONDS_PER_DAY / 2) % SECONDS_PER_DAY - SECONDS_PER_DAY / 2

    def plus(self, seconds: float) -> Moment:
        """So much later, past midnight on the next day.

        Raises:
            InputError: the calendar ends before.
        """
        days, of_day = divmod(self.seconds + seconds, SECONDS_PER_DAY)
        if self.day is None:
            return Moment(None, of_day)
        try:
            return Moment(self.day + timedelta(days=days), of_day)
        except OverflowError as error:
            raise InputError(
                f"A date of {self.day.isoformat()} is no date of a scan.",
                "Correct the dates in the DICOM files.",
            ) from error


def earliest(moments: Sequence[Moment]) -> Moment | None:
    """The first of the moments of one scan, None where there are none.

    Times of day without a date lie on a circle: the scan begins after the longest pause, so that
    23:50 is before 00:05. Of moments with and without a date, those with one count.
    """
    dated = [moment for moment in moments if moment.day is not None]
    if dated:
        return min(dated, key=lambda moment: (moment.day, moment.seconds))
    if not moments:
        return None
    times = sorted(moment.seconds for moment in moments)
    pauses = [times[0] + SECONDS_PER_DAY - times[-1]]  # before each; the first is over midnight
    pauses += np.diff(times).tolist()
    return Moment(None, times[pauses.index(max(pauses))])


def date_time_parts(stamp: str) -> tuple[str, str | None, str | None] | None:
    """Day, time of day and offset from UTC as they stand in a DT; None for what is no DT."""
    match = _DATETIME.match(stamp)
    return None if match is None else (match.group(1), match.group(2), match.group(3))


def moment_of(day: str | None, clock: str, name: str) -> Moment:
    """A moment from a DA (None: the date is unknown) and a TM.

    Raises:
        InputError: not a date or not a time of day; `name` says of which attribute.
    """
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

"""When each slice of a series was acquired, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.study.dicom.moment import Moment, date_time_parts, moment_of
from PETAnomalyLib.engine.study.dicom.tags import number, tag_name, text


def acquisition_start(header: Dataset) -> Moment | None:
    """Acquisition Date and Time of a slice, else its Acquisition DateTime; None for neither.

    Raises:
        InputError: it is there but is no date or no time of day.
    """
    stamp = text(header, "AcquisitionDateTime")
    parts = date_time_parts(stamp) if stamp else None
    clock, day = text(header, "AcquisitionTime"), text(header, "AcquisitionDate")
    if clock and (day or parts is None or not parts[1]):
        return moment_of(day, clock, tag_name("AcquisitionTime"))
    if parts is not None and parts[1]:
        return moment_of(parts[0], parts[1], tag_name("AcquisitionDateTime"))
    return None


def acquisition_starts(headers: Sequence[Dataset]) -> list[Moment]:
    """Those of the slices that state one."""
    starts = [acquisition_start(header) for header in headers]
    return [start for start in starts if start is not None]


def frame_seconds(header: Dataset) -> float | None:
    """Actual Frame Duration (0018,1242), s; None when missing or not positive."""
    milliseconds = number(header, "ActualFrameDuration")
    return milliseconds / 1000.0 if milliseconds is not None and milliseconds > 0 else None


def mean_decay(duration: float, half_life: float) -> float:
    """Activity at the start of a frame over its mean during the frame: x / (1 - exp(-x)), x the
    duration in mean lives."""
    x = math.log(2.0) * duration / half_life
    return x / -math.expm1(-x) if x > 0 else 1.0


def time_of_mean_activity(duration: float, half_life: float) -> float:
    """T_ave, s after the start of a frame: when the activity is its mean (IBSI manual on SUV)."""
    return math.log(mean_decay(duration, half_life)) * half_life / math.log(2.0)

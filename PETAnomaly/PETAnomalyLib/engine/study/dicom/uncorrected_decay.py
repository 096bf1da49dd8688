"""What undoes the decay of slices that nothing was done about: Decay Correction NONE.

IBSI manual on SUV computation: each slice's values are those of its own frame, so
SUV = value x W / D x (lambda T / (1 - exp(-lambda T))) x exp(lambda (t_acq - t_inj)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.acquisition_time import (
    acquisition_start,
    frame_seconds,
    mean_decay,
)
from PETAnomalyLib.engine.study.dicom.decay_time import elapsed
from PETAnomalyLib.engine.study.dicom.injection_time import injection_time
from PETAnomalyLib.engine.study.dicom.moment import Moment, earliest
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text

_T = TypeVar("_T")


@dataclass(frozen=True)
class UncorrectedDecay:
    """What undoes it.

    Attributes:
        by_slice: activity at the injection over the mean activity of each slice's frame, in the
            order of the headers.
        seconds: from `injection` to `first`, the first slice's start.
    """

    by_slice: tuple[float, ...]
    seconds: float
    first: Moment
    injection: Moment
    warnings: tuple[str, ...]


def uncorrected_decay(
    headers: Sequence[Dataset], radiopharmaceutical: Dataset, half_life: float
) -> UncorrectedDecay:
    """The factors of a series with Decay Correction NONE.

    Args:
        headers: one dataset a slice, all of one series.
        radiopharmaceutical: the item of the Radiopharmaceutical Information Sequence.
        half_life: s.

    Raises:
        InputError: a slice's time or duration is missing or malformed, or the injection is not
            before the first of them.
    """
    starts = [_stated(acquisition_start(header), "AcquisitionTime") for header in headers]
    durations = [_stated(frame_seconds(header), "ActualFrameDuration") for header in headers]
    first = earliest(starts)
    assert first is not None  # a series has slices
    injection, warnings = injection_time(headers[0], radiopharmaceutical, first, half_life)
    rule = "earliest acquisition date and time"
    seconds, more = elapsed(injection, first, rule, half_life)
    decay = tuple(
        2.0 ** ((seconds + start.since(first)) / half_life) * mean_decay(duration, half_life)
        for start, duration in zip(starts, durations)
    )
    notes = [*warnings, *more, *_suspicions(headers, starts)]
    return UncorrectedDecay(decay, seconds, first, injection, tuple(notes))


def _stated(value: _T | None, keyword: str) -> _T:
    if value is None:
        raise InputError(
            f"{tag_name('DecayCorrection')} is NONE and {tag_name(keyword)} of a slice is missing "
            "or not positive: its decay cannot be undone.",
            "Export the series again with all its attributes, or with decay correction.",
        )
    return value


def _suspicions(headers: Sequence[Dataset], starts: Sequence[Moment]) -> list[str]:
    notes = []
    frames = {text(header, "FrameReferenceTime") for header in headers}
    if len(frames) > 1 and len(set(starts)) == 1:
        notes.append(
            f"{tag_name('AcquisitionTime')} is the same for all slices, but "
            f"{tag_name('FrameReferenceTime')} has {len(frames)} values: the decay between the "
            "beds is not known and not undone."
        )
    factors = {text(header, "DecayFactor") for header in headers} - {"", "1", "1.0"}
    if factors:
        notes.append(
            f"{tag_name('DecayCorrection')} is NONE, but {tag_name('DecayFactor')} is "
            f"{', '.join(sorted(factors)[:3])}: check that the values are not corrected."
        )
    return notes

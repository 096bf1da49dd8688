"""The instant that a PET series with Decay Correction START is corrected to.

Vendor-neutral QIBA rules (RSNA QIBA FDG-PET/CT profile, appendix G) and the IBSI manual on SUV
computation: the series time unless it is later than an acquisition (then the series was written
afterwards), else the private time of GE or Siemens, else what the frame times of all slices agree
on, else the earliest acquisition. Attributes: PS3.3 C.8.9.1, C.8.9.2, C.8.9.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom import ge, siemens
from PETAnomalyLib.engine.study.dicom.acquisition_time import acquisition_starts
from PETAnomalyLib.engine.study.dicom.frame_reference import FrameReference, frame_reference
from PETAnomalyLib.engine.study.dicom.moment import Moment, earliest, moment_of
from PETAnomalyLib.engine.study.dicom.private_time import PrivateTime, private_time
from PETAnomalyLib.engine.study.dicom.tags import items, tag_name, text

PRIVATE_TIMES = (ge.SCAN_START, siemens.DECAY_CORRECTION)
# A time of day before the acquisition's, both without a date, is of the evening before when it is
# no longer ago than this; otherwise the series was written later on the day of the acquisition.
LONGEST_PAST_MIDNIGHT_S = 6 * 3600.0
# How long before an acquisition a scan (dynamic, with a delay) may have been started.
LONGEST_BEFORE_ACQUISITION_S = 12 * 3600.0
TELL_BEYOND_S = 60.0


@dataclass(frozen=True)
class DecayReference:
    """The instant, and how it was found.

    Attributes:
        rule: which attribute gave it, in words.
        acquired: the earliest acquisition, None when unknown.
        stated: whether the attribute is about decay or frames, not about when something was done:
            then it may lie before the injection, as in a dynamic scan.
    """

    reference: Moment
    rule: str
    acquired: Moment | None
    stated: bool
    notes: tuple[str, ...]


def decay_reference(headers: Sequence[Dataset], half_life: float) -> DecayReference:
    """The instant that the values of a series are decay-corrected to.

    Args:
        headers: one dataset a slice, all of one series.
        half_life: s.

    Raises:
        InputError: no attribute says when the scan began, or one is malformed.
    """
    series = earliest(
        [
            moment_of(
                text(header, "SeriesDate"), text(header, "SeriesTime"), tag_name("SeriesTime")
            )
            for header in headers
            if text(header, "SeriesTime")
        ]
    )
    acquisitions = acquisition_starts(headers)
    acquired = earliest(acquisitions)
    if series is not None and acquired is None:
        note = (
            f"{tag_name('AcquisitionTime')} is missing: the series time {series} is taken as the "
            "start of the scan without a check that it is not later."
        )
        return DecayReference(series, "series date and time", None, False, (note,))
    past_midnight = _past_midnight(acquired, acquisitions)
    frames = frame_reference(headers, half_life)
    if series is not None and acquired is not None and not _is_later(series, acquired):
        notes = past_midnight or _past_midnight(series, [acquired])
        notes = [*notes, *_disagreements(headers[0], frames, series)]
        return DecayReference(series, "series date and time", acquired, False, tuple(notes))

    why = "missing" if series is None else f"{series}, later than the acquisition"
    for kept in PRIVATE_TIMES:
        scan, notes = _private_reference(headers[0], kept, acquired)
        if scan is not None:
            return DecayReference(scan, kept.name, acquired, True, (*past_midnight, *notes))
        past_midnight = [*past_midnight, *notes]
    if frames is not None:
        note = (
            f"{tag_name('SeriesTime')} is {why}: values are taken as decay-corrected to "
            f"{frames.reference}, on which {tag_name('FrameReferenceTime')} of all slices agrees."
        )
        rule = "frame reference times of all slices"
        notes = [*past_midnight, note, *frames.notes]
        return DecayReference(frames.reference, rule, acquired, True, tuple(notes))
    if acquired is not None:
        note = (
            f"{tag_name('SeriesTime')} is {why}: values are taken as decay-corrected to the "
            f"earliest acquisition, {acquired}."
        )
        rule = "earliest acquisition date and time"
        return DecayReference(acquired, rule, acquired, False, (*past_midnight, note))
    raise InputError(
        "The start of the scan is unknown: "
        f"{tag_name('SeriesDate')}, {tag_name('SeriesTime')}, {tag_name('AcquisitionDate')} and "
        f"{tag_name('AcquisitionTime')} are missing or empty.",
        "Export the series again without removing the times.",
    )


def _is_later(series: Moment, acquired: Moment) -> bool:
    """Whether the series time is after the acquisition, so that the series was written later."""
    before = acquired.since(series)
    across = (series.day is None or acquired.day is None) and acquired.seconds < series.seconds
    return before < 0 or (across and before > LONGEST_PAST_MIDNIGHT_S)


def _past_midnight(first: Moment | None, others: Sequence[Moment]) -> list[str]:
    """A note where times of day without a date were put in order across midnight."""
    if first is None or first.day is not None:
        return []
    after = [m for m in others if m.day is None and m.seconds < first.seconds]
    if not after:
        return []
    return [
        f"The times of the scan have no dates ({tag_name('AcquisitionDate')}): those from "
        f"{Moment(None, 0.0)} to {max(after, key=lambda m: m.seconds)} are taken as after "
        f"midnight, the scan as begun at {first}."
    ]


def _private_reference(
    header: Dataset, kept: PrivateTime, acquired: Moment | None
) -> tuple[Moment | None, list[str]]:
    """A vendor's own instant where it can be that of this scan, and notes.

    Pseudonymised files often keep it with another date than the standard attributes have: then the
    time of day counts, on the day of the acquisition.
    """
    stated, notes = private_time(header, kept)
    if stated is None or acquired is None:
        return stated, notes
    if -3600.0 <= acquired.since(stated) <= LONGEST_BEFORE_ACQUISITION_S:
        return stated, notes
    before = acquired.since(Moment(None, stated.seconds))
    dates = {text(item, "RadiopharmaceuticalStartDateTime")[:8] for item in _injections(header)}
    day = stated.day if stated.day != acquired.day else None
    with_injection = day is not None and day.strftime("%Y%m%d") in dates
    if -TELL_BEYOND_S <= before <= LONGEST_PAST_MIDNIGHT_S and not with_injection:
        moved = acquired.plus(-before)
        note = (
            f"{kept.name} is {stated}, another date than the acquisition's ({acquired}): its time "
            "of day was used."
        )
        return moved, [*notes, note]
    if with_injection:
        return stated, [*notes, f"{kept.name} is {stated}, the acquisition {acquired}: check both."]
    hours = acquired.since(stated) / 3600
    return None, [
        f"{kept.name} is {stated}, {abs(hours):.1f} h {'before' if hours > 0 else 'after'} the "
        f"acquisition ({acquired}), and was not used."
    ]


def _injections(header: Dataset) -> list[Dataset]:
    return items(header, "RadiopharmaceuticalInformationSequence")


def _disagreements(header: Dataset, frames: FrameReference | None, series: Moment) -> list[str]:
    """Other evidence is only consulted for rewritten series; a difference is still told."""
    others = {kept.name: private_time(header, kept)[0] for kept in PRIVATE_TIMES}
    if frames is not None:
        others[f"{tag_name('FrameReferenceTime')} of all slices"] = frames.reference
    notes = []
    for name, other in others.items():
        if other is None or abs(other.since(series)) <= TELL_BEYOND_S:
            continue
        by_the_clock = abs(Moment(None, other.seconds).since(series))
        if name == siemens.DECAY_CORRECTION.name and by_the_clock <= TELL_BEYOND_S:
            continue  # pseudonymisation shifted its date otherwise than the standard ones
        notes.append(
            f"{name} ({other}) differs from the series time {series}, which is not later than the "
            "acquisition and was used."
        )
    return notes

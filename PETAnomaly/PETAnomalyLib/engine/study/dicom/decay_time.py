"""Seconds from the injection to the instant that a PET series is decay-corrected to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.decay_reference import decay_reference
from PETAnomalyLib.engine.study.dicom.injection_time import injection_time
from PETAnomalyLib.engine.study.dicom.moment import SECONDS_PER_DAY, Moment
from PETAnomalyLib.engine.study.dicom.tags import tag_name

# Beyond ten half-lives less than a thousandth of the dose is left: no such scan is made, a date or
# a time is wrong. Where the date had to be assumed the bound is tighter.
MAX_HALF_LIVES = 10.0
MAX_HALF_LIVES_DATE_ASSUMED = 6.0
SUSPICIOUS_HALF_LIVES = 4.0
# Above this half-life (s) an injection date that is wrong by a day still gives a plausible SUV, so
# a missing date cannot be filled in.
MAX_HALF_LIFE_WITHOUT_DATE = 41400.0
# A dynamic scan may start before the injection, and its values be corrected to its start.
LONGEST_START_BEFORE_INJECTION_S = 3600.0


@dataclass(frozen=True)
class DecayTime:
    """How long the dose decayed before the reference instant of the pixel values.

    Attributes:
        seconds: from `injection` to `reference`; below 0 where a dynamic scan began before.
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
    found = decay_reference(headers, half_life)
    injection, injection_warnings = injection_time(
        headers[0],
        radiopharmaceutical,
        (found.acquired if found.stated else None) or found.reference,
        half_life,
    )
    notes = [*found.notes, *injection_warnings]
    before = injection.since(found.reference)
    if (
        found.stated
        and found.acquired is not None
        and 0 < before <= LONGEST_START_BEFORE_INJECTION_S
        and found.acquired.since(injection) >= 0
    ):
        notes.append(
            f"The values are corrected to {found.reference} ({found.rule}), {before:.0f} s before "
            f"the injection: taken as a dynamic scan, of which {found.acquired} is a frame."
        )
        return DecayTime(-before, found.reference, injection, found.rule, tuple(notes))
    seconds, more = elapsed(injection, found.reference, found.rule, half_life)
    return DecayTime(seconds, found.reference, injection, found.rule, (*notes, *more))


def elapsed(
    injection: Moment, scan: Moment, rule: str, half_life: float
) -> tuple[float, list[str]]:
    """Seconds from the injection to a later moment of the scan, and warnings.

    Args:
        rule: what gave `scan`, in words.
        half_life: s.

    Raises:
        InputError: the injection is not before the scan, or too long ago for one.
    """
    notes: list[str] = []
    date_assumed = scan.day is None or injection.day is None
    seconds = _without_date(injection, scan, half_life, notes) if date_assumed else (
        scan.since(injection)
    )  # fmt: skip
    if seconds < 0:
        raise InputError(
            f"The injection ({injection}, {tag_name('RadiopharmaceuticalStartDateTime')} or "
            f"{tag_name('RadiopharmaceuticalStartTime')}) is after the start of the scan "
            f"({scan}, from the {rule}).",
            "Correct the date or the time in the DICOM files; SUV cannot be computed from them.",
        )
    limit = MAX_HALF_LIVES_DATE_ASSUMED if date_assumed else MAX_HALF_LIVES
    if seconds > limit * half_life:
        raise InputError(
            f"The scan starts {seconds / 3600:.1f} h after the injection, "
            f"{seconds / half_life:.1f} half-lives ({scan} and {injection}, from "
            f"the {rule} and {tag_name('RadiopharmaceuticalStartDateTime')} or "
            f"{tag_name('RadiopharmaceuticalStartTime')}).",
            "A date or a time must be wrong, or the injection is after the scan: correct it.",
        )
    if seconds > SUSPICIOUS_HALF_LIVES * half_life:
        notes.append(
            f"The scan starts {seconds / 3600:.1f} h after the injection, "
            f"{seconds / half_life:.1f} half-lives: check the times."
        )
    return seconds, notes


def _without_date(injection: Moment, scan: Moment, half_life: float, notes: list[str]) -> float:
    """Elapsed seconds when a date is missing: the same day, or the day before past midnight."""
    if half_life > MAX_HALF_LIFE_WITHOUT_DATE:
        raise InputError(
            f"The date of injection is unknown ({tag_name('RadiopharmaceuticalStartDateTime')}) "
            f"and with a half-life of {half_life / 3600:.0f} h it may be any day.",
            "Add the date of injection to the DICOM files.",
        )
    if scan.seconds < injection.seconds:
        notes.append(
            f"The injection's time of day is later than the scan's and its date is not given "
            f"({tag_name('RadiopharmaceuticalStartDateTime')}): taken as the evening before."
        )
    return (scan.seconds - injection.seconds) % SECONDS_PER_DAY

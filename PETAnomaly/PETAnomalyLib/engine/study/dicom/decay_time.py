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
    reference, rule, warnings = decay_reference(headers)
    injection, injection_warnings = injection_time(headers[0], radiopharmaceutical)
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

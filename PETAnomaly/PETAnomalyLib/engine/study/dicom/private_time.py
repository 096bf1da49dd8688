"""Dates and times that vendors keep in private attributes."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.moment import Moment, date_time_parts, moment_of
from PETAnomalyLib.engine.study.dicom.tags import private_text, text


@dataclass(frozen=True)
class PrivateTime:
    """Where a vendor keeps a date and time.

    Attributes:
        name: as messages call it, with its number.
        manufacturer: how Manufacturer begins where the creator's element may be missing.
    """

    name: str
    group: int
    creator: str
    element: int
    manufacturer: str


def private_time(header: Dataset, kept: PrivateTime) -> tuple[Moment | None, list[str]]:
    """The moment, None when absent, and a note where no creator vouches for it.

    Raises:
        InputError: it is there but is no date and time.
    """
    found = private_text(header, kept.group, kept.creator, kept.element)
    if found is None:
        return None, []
    notes = []
    if not found.creator_present:
        if not text(header, "Manufacturer").upper().startswith(kept.manufacturer):
            return None, []
        notes.append(
            f"{kept.name} is read although its creator {kept.creator!r} is missing, because the "
            "manufacturer fits."
        )
    parts = date_time_parts(found.value)
    if parts is None or not parts[1]:
        raise InputError(
            f"{kept.name} is {found.value!r}, not a date and time.",
            "Correct the attribute in the DICOM files.",
        )
    return moment_of(parts[0], parts[1], kept.name), notes

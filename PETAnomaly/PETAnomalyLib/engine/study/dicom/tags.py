"""Typed reading of single DICOM attributes; every complaint names the attribute and its number."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import PersonName

from PETAnomalyLib.engine.runtime.errors import InputError


def tag_name(keyword: str) -> str:
    """`PatientWeight` -> `PatientWeight (0010,1030)`, as messages name an attribute."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is not a DICOM keyword")
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def text(dataset: Dataset, keyword: str) -> str:
    """The attribute as stripped text, multiple values joined by a backslash; empty when absent."""
    return _as_text(_value(dataset, keyword))


def number(dataset: Dataset, keyword: str) -> float | None:
    """The attribute as a number, None when absent or empty.

    Raises:
        InputError: it is there but is not a finite number.
    """
    value = text(dataset, keyword)
    if not value:
        return None
    try:
        result = float(value)
    except ValueError:
        result = math.nan
    if not math.isfinite(result):
        raise InputError(
            f"{tag_name(keyword)} is {value!r}, not a number.",
            "Correct the attribute in the DICOM files or export the series again.",
        )
    return result


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    """The attribute as exactly `count` finite numbers.

    Raises:
        InputError: it is absent, has another count, or is not numeric.
    """
    parts = text(dataset, keyword).split("\\")
    try:
        values = tuple(float(part) for part in parts)
    except ValueError:
        values = ()
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise InputError(
            f"{tag_name(keyword)} is missing or not {count} numbers: {chr(92).join(parts)!r}.",
            "Export the series again from the scanner or the archive.",
        )
    return values


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none where it is absent, or is no sequence."""
    value = _value(dataset, tag_for_keyword(keyword))
    if not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Dataset)]


class PrivateValue(NamedTuple):
    """A private attribute's text, and whether the block's creator was there to vouch for it."""

    value: str
    creator_present: bool


def private_text(dataset: Dataset, group: int, creator: str, element: int) -> PrivateValue | None:
    """A private attribute found through its creator (PS3.5, 7.8.1), None when absent or empty.

    A block that another creator has reserved is never read. Files that lost their creator
    elements (anonymised or written by hand) are read at the usual block 0x10 and marked so.
    """
    for block in range(0x10, 0x100):
        if _as_text(_value(dataset, (group, block))).upper() == creator.upper():
            value = _as_text(_value(dataset, (group, (block << 8) | element)))
            return PrivateValue(value, True) if value else None
    if (group, 0x0010) in dataset:
        return None
    value = _as_text(_value(dataset, (group, 0x1000 | element)))
    return PrivateValue(value, False) if value else None


def _value(dataset: Dataset, key: Any) -> Any:
    """The raw value; pydicom raises many kinds of error on malformed content when it is read."""
    if key not in dataset:
        return None
    try:
        return dataset[key].value
    except Exception:  # damaged values make pydicom raise errors of every kind
        return "unreadable"


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace").strip("\0 ")
    if isinstance(value, (str, PersonName)) or not hasattr(value, "__iter__"):
        return str(value).strip("\0 ")
    return "\\".join(str(item).strip("\0 ") for item in value)

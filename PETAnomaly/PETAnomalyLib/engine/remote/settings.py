"""The options of `detect` that go along to the other computer; its paths do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WITH_VALUE = {
    "model": "--model",
    "scorer": "--scorer",
    "samples": "--samples",
    "decodes": "--decodes",
    "seed": "--seed",
    "device": "--device",
    "threshold": "--threshold",
    "grow": "--grow",
    "min_volume_ml": "--min-volume",
    "time_budget": "--time-budget",
}
FLAGS = {
    "elevated_only": "--all-uptake",
    "keep_reconstructions": "--keep-reconstructions",
    "anyway": "--anyway",
    "anonymous": "--anonymous",
    "dicom": "--dicom",
}


def to_send(given: Mapping[str, Any]) -> dict[str, str]:
    """Of the options that were given, name -> text; a flag's is empty."""
    values = {name: given[name] for name in WITH_VALUE if given.get(name) is not None}
    words = {name: v if isinstance(v, str) else repr(v) for name, v in values.items()}
    return {**words, **{name: "" for name in FLAGS if name in given}}


def command_line(sent: Any) -> list[str]:
    """The words for `detect`, whose own parser judges the values.

    Raises:
        ValueError: a name that none of them has.
    """
    if not isinstance(sent, dict):
        raise ValueError("the options are no object")  # noqa: TRY004 - JSON, not an argument
    words = []
    for name, value in sent.items():
        if name in FLAGS:
            words.append(FLAGS[name])
        elif name in WITH_VALUE and isinstance(value, str):
            words.append(f"{WITH_VALUE[name]}={value}")  # one word: "-2.5" is no option
        else:
            raise ValueError(f"there is no option {name!a:.100}")
    return words

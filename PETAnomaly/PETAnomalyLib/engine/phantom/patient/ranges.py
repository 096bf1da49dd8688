"""A published number: mean, spread and who published it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Mean and standard deviation over adults.

    `source` is one or more names of `references.py`, separated by semicolons.
    """

    mean: float
    sd: float
    source: str

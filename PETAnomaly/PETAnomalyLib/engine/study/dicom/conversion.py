"""What every rule for SUV gives back: the factor, and what went into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SuvConversion:
    """What turns the rescaled values of a series into SUVbw.

    Attributes:
        factor: SUVbw (g/ml) = factor * (stored value * rescale slope + intercept).
        rule: how `factor` was found, in words.
        description: JSON-able; every number that went into it, with its unit in the key.
    """

    factor: float
    rule: str
    description: dict[str, Any]
    warnings: tuple[str, ...]

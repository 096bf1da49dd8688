"""What every rule for SUV gives back: the factor, and what went into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SuvConversion:
    """What turns the rescaled values of a series into SUVbw.

    Attributes:
        factor: SUVbw (g/ml) = factor * (stored value * rescale slope).
        rule: how `factor` was found, in words.
        decay: what undoes the decay of each slice, in the order of its headers: its SUVbw is that
            times `factor`; empty where all the values belong to one instant.
        description: JSON-able; every number that went into it, with its unit in the key.
    """

    factor: float
    rule: str
    description: dict[str, Any]
    warnings: tuple[str, ...]
    decay: tuple[float, ...] = ()

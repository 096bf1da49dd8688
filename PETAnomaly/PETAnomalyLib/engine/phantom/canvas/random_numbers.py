"""Random numbers of a phantom: a stream for each part of a patient, so that parts are separate."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one part of a patient: other parts can change without moving it."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def within(
    rng: np.random.Generator, mean: float, sd: float, spread: float = 2.0, least: float = 0.0
) -> float:
    """A normal number that is drawn within `spread` standard deviations, and is no less than
    `least`."""
    return float(max(least, mean + sd * np.clip(rng.normal(), -spread, spread)))

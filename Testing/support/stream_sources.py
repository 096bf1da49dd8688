"""Sources of a stream of studies that are made at once, and what may go wrong with one."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.study_stream import Made


@dataclass(frozen=True)
class Numbered:
    """Study n is full of the number n.

    Attributes:
        made: folder in which each study that is made leaves an empty file of its own.
        wrong_from: number from which on making one goes wrong.
        wrong: how: `dies` or `raises`.
        seconds: that making one takes.
    """

    made: Path
    wrong_from: int = 1000
    wrong: str = "raises"
    seconds: float = 0.0

    def __call__(self, number: int) -> Made:
        """See `Source`."""
        if number >= self.wrong_from:
            if self.wrong == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ZeroDivisionError(f"study {number}")
        time.sleep(self.seconds)
        (self.made / f"{number}-{os.getpid()}-{time.monotonic_ns()}").touch()
        study = AlignedStudy(f"n{number}__0", np.full((2, 2, 2), number, np.float16), None, None)
        return Made(study, (f"study {number} is warned of",) if number == 1 else ())


@dataclass(frozen=True)
class Noise:
    """PETs and CTs of 8 x 12 x 16 voxels of noise, the lowest four slices of the PET empty."""

    def __call__(self, number: int) -> Made:
        """See `Source`."""
        pet, ct = np.random.default_rng(number).random((2, 8, 12, 16)).astype(np.float16)
        pet[:4] = 0
        return Made(AlignedStudy(f"n{number}__0", pet, ct, None))

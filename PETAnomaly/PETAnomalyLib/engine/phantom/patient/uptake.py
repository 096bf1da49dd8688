"""How avidly each organ takes up FDG: by uptake time, glucose, age and what was drawn.

References:
    ranges: `published.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream, within
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.build import Build
from PETAnomalyLib.engine.phantom.patient.conditions import Conditions
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED

REFERENCE_MINUTES = 65.0
REFERENCE_GLUCOSE = 5.6  # mmol/l


@dataclass(frozen=True)
class Uptake:
    """The patient's tracer.

    Attributes:
        seed: of the patient.
        minutes: from injection to scan.
        glucose: mmol/l.
        conditions: what changes it.
        build: age and sex.
    """

    seed: int
    minutes: float
    glucose: float
    conditions: Conditions
    build: Build

    def of(self, organ: Organ) -> float:
        """Mean SUV (g/ml) of an organ of this patient, before the scanner blurs it."""
        return self._values[organ]

    @cached_property
    def _values(self) -> dict[Organ, float]:
        values = {}
        together = stream(self.seed, "uptake together").normal()
        for organ, known in PUBLISHED.items():
            rng = stream(self.seed, f"uptake {organ.name}")
            # Half of the variance is the patient's, and shared by all organs.
            z = float(np.clip(np.sqrt(0.5) * (together + rng.normal()), -2, 2))
            values[organ] = max(0.25 * known.suv.mean, known.suv.mean + z * known.suv.sd)
        return values


def draw_uptake(seed: int, build: Build, conditions: Conditions) -> Uptake:
    """The tracer of a seed."""
    rng = stream(seed, "tracer")
    return Uptake(
        seed=seed,
        minutes=float(np.clip(rng.normal(66, 13), 50, 120)),
        glucose=max(3.5, within(rng, 5.6, 1.0) + (rng.exponential(2.0) if rng.random() < 0.15 else 0)),
        conditions=conditions,
        build=build,
    )

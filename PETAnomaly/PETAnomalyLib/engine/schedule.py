"""How long a detection still takes, and how long it may: `--time-budget`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PETAnomalyLib.engine.runtime.stages import Stages

if TYPE_CHECKING:  # torch comes with it
    from PETAnomalyLib.engine.families.healer import Forecast

# What a detection has done, as its stages count it: when a study is judged, drawn, scored.
JUDGED, HEALED, SCORED = 0.405, 0.5, 0.8

# Seconds of delineating and writing, of those of reading and aligning: all by the study's size.
_AFTERWARDS = 0.6


class Schedule:
    """Told by the healer how long the rest takes; says so, and how long it may take.

    Args:
        budget: wall-clock seconds of the whole detection; None: it takes what it takes.
        samples: how many were asked for.
        run: told of the time that is left, and of samples that are left out.
    """

    def __init__(self, budget: float | None, samples: int, run: Stages) -> None:
        self._budget, self._asked, self._run = budget, samples, run
        self._started = time.perf_counter()
        self._is_late = False
        self._samples = samples

    def seconds_left(self) -> float:
        """Seconds that healing, decoding and scoring may still take."""
        assert self._budget is not None
        return self._budget - (time.perf_counter() - self._started) - self._afterwards()

    @property
    def is_limited(self) -> bool:
        """Whether there is a budget."""
        return self._budget is not None

    def __call__(self, forecast: Forecast) -> None:
        """Say how long the rest takes; and once, where no number of samples is done in time."""
        self._samples = forecast.samples
        self._run.expect(
            JUDGED,
            [(forecast.drawing, HEALED), (forecast.decoding, SCORED), (self._afterwards(), 1.0)],
        )
        if self._budget is None or self._is_late or not forecast.is_fewest:
            return
        late = forecast.drawing + forecast.decoding - self.seconds_left()
        if late > 0.2 * self._budget:
            self._is_late = True
            self._run.warn(
                f"Even {forecast.samples} samples, the fewest that are drawn, take about "
                f"{late:.0f} s longer than the {self._budget:g} s asked for."
            )

    def tell(self) -> None:
        """Say how many samples were left out."""
        if self._samples < self._asked:
            self._run.warn(
                f"Only {self._samples} of {self._asked} samples were drawn, to be done in "
                f"{self._budget:g} s: the maps are less certain. The same maps are made again by "
                f"--samples {self._samples}, whatever the machine."
            )

    def report(self) -> dict[str, Any]:
        """What `report.json` says of it under `healing`."""
        return {"samples": self._samples, "samples_left_out": self._asked - self._samples}

    def _afterwards(self) -> float:
        seconds = self._run.seconds
        return _AFTERWARDS * (seconds.get("read", 0.0) + seconds.get("align", 0.0))

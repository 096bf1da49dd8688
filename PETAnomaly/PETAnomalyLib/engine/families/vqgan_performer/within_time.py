"""As many samples as there is time for.

How long drawing takes is foretold from the likelihood passes, and measured once it has begun. Where
not all samples would be done in time it begins anew with fewer. So a run that was cut gives what
one that was asked for as few gives, and can be repeated without a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from PETAnomalyLib.engine.families.healer import Forecast, HealingRequest, OnProgress

Drawn = TypeVar("Drawn")

FEWEST_SAMPLES = 4
"""With fewer, a density tells nothing: one on each token grid."""

# What is foretold may be wrong by a third, and is put right once drawing has begun.
_DOUBT = 1.3
# Measured before it is believed: some passes of every sample.
_SHARE_SEEN, _SECONDS_SEEN = 0.02, 0.5
# A little late is not worth beginning anew; and fewer samples take more than their share.
_TOLERATED, _KEPT = 1.03, 0.9


class Pace(NamedTuple):
    """Seconds that samples take.

    Attributes:
        beforehand: until the first is drawn, however many there are.
        drawing: of each, until it is drawn.
        decoding: of each, for all that follows.
    """

    beforehand: float
    drawing: float
    decoding: float

    def of(self, samples: int) -> Forecast:
        """What so many take."""
        drawing = self.beforehand + samples * self.drawing
        return Forecast(
            samples, drawing, samples * self.decoding, is_fewest=samples <= FEWEST_SAMPLES
        )

    def samples_within(self, seconds: float) -> int:
        """How many are done in so many seconds."""
        return int((seconds - self.beforehand) / max(self.drawing + self.decoding, 1e-9))


class _TooManyError(Exception):
    """There is time for fewer."""

    def __init__(self, pace: Pace, samples: int) -> None:
        super().__init__(samples)
        self.pace, self.samples = pace, samples


def draw_in_time(
    draw: Callable[[int, OnProgress], Drawn],
    request: HealingRequest,
    pace: Pace,
    on_progress: OnProgress,
) -> Drawn:
    """Draw the request's samples, or, where its time is too short, as many as there is time for.

    Args:
        draw: draws so many samples, and tells the share that is done.
        request: how many, in which time; told how long they take.
        pace: as foretold.
        on_progress: told the share done, 0..1; may raise to stop.
    """
    samples = request.samples
    fewest = min(FEWEST_SAMPLES, samples)
    if request.seconds_left is not None:
        samples = min(samples, max(fewest, pace.samples_within(_DOUBT * request.seconds_left())))
    while True:
        request.on_forecast(pace.of(samples))
        watched = _Watched(samples, pace, request, on_progress) if samples > fewest else on_progress
        try:
            return draw(samples, watched)
        except _TooManyError as found:
            pace, samples = found.pace, found.samples


class _Watched:
    """Passes the progress on, and ends a drawing that would not be done in time."""

    def __init__(
        self, samples: int, pace: Pace, request: HealingRequest, on_progress: OnProgress
    ) -> None:
        self._samples, self._pace = samples, pace
        self._request, self._on_progress = request, on_progress
        self._began: tuple[float, float] | None = None  # seconds, share

    def __call__(self, share: float) -> None:
        self._on_progress(share)
        left = self._request.seconds_left
        if left is None or not 0.0 < share < 1.0:
            return
        now = time.perf_counter()
        if self._began is None:
            self._began = now, share
        seconds, seen = now - self._began[0], share - self._began[1]
        if seconds < _SECONDS_SEEN or seen < _SHARE_SEEN:
            return
        measured = self._pace._replace(drawing=seconds / seen / self._samples)
        needed = self._samples * (measured.drawing * (1 - share) + measured.decoding)
        if needed > _TOLERATED * left():
            fewer = max(FEWEST_SAMPLES, int(_KEPT * measured.samples_within(left())))
            forecast = measured.of(fewer)
            if forecast.drawing + forecast.decoding < needed:
                raise _TooManyError(measured, fewer)

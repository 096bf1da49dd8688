"""How much of a run is done, how often that is told, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

QUIET_SECONDS = 0.1
"""Progress is told at most this often: a bar redrawn faster is not read, a pipe filled is."""


class ProgressHistory:
    """The overall fraction, never falling, and from its recent speed the time that is left.

    Only the younger half of the run counts for the speed: stages differ in theirs, and what is
    happening now says more about what comes than the reading of the files did.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._points: deque[tuple[float, float]] = deque([(self._start, 0.0)])

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return self._points[-1][1]

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._start

    def advance(self, fraction: float) -> bool:
        """Note the fraction done, 0 to 1. Returns whether it is larger than any before."""
        fraction = min(fraction, 1.0)
        if not fraction > self.fraction:  # also when it is not a number
            return False
        now = self._clock()
        self._points.append((now, fraction))
        while len(self._points) > 2 and self._points[1][0] <= self._start + self._window_start(now):
            self._points.popleft()
        return True

    def expect(self, seconds: float) -> None:
        """Count the time that is left from here: so many seconds for all that is not done."""
        now, done = self._clock(), self.fraction
        if done < 1:
            self._points = deque([(now - seconds * done / (1 - done), 0.0), (now, done)])

    def _window_start(self, now: float) -> float:
        return (now - self._start) / 2

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds that are left at the recent speed; None while there is no speed to go by."""
        if self.fraction >= 1:
            return 0.0
        (time_then, fraction_then), (time_now, fraction_now) = self._points[0], self._points[-1]
        if fraction_now <= fraction_then or time_now <= time_then:
            return None
        speed = (fraction_now - fraction_then) / (time_now - time_then)
        since = self._clock() - time_now
        return max(0.0, (1 - fraction_now) / speed - since)

"""What a training step needs, made by other threads while the steps before it run.

Beside a graphics card it is augmentation that a step waits for: measured beside an H200, 8 crops
take half a second of one processor core, and 16 cores, all busy with them, feed 29 steps a second.
What a step is given depends on its number alone (every random number is seeded by it), so it is the
same however many threads there are, and after a resumption.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """`make(step)` for one step after the other; a few steps are made before they are asked for."""

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make
        self._threads = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads)
        self._made: dict[int, Future[T]] = {}

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self, step: int) -> T:
        """What step number `step` needs, and begin on those after it; raises what `make` raises."""
        for number in range(step, step + 1 + 2 * self._threads):
            if number not in self._made:
                self._made[number] = self._pool.submit(self._make, number)
        return self._made.pop(step).result()

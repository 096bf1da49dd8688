"""Studies as other processes make them: each is seen a few times and forgotten (`--stream`).

Which study an item of a batch is follows from the item's number alone, and what a study is from its
own: neither the number of workers nor a stop in between changes what a training sees.

Of `SPREAD` studies each is shown once, in turn, then each again, and so on; then the next ones
come. In memory are those, and as many more as are made ahead of their turn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import (
    ASKED_EVERY_SECONDS,
    result_of,
    submitted,
    worker_pool,
)
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy

SPREAD = 8
"""Studies between two sights of the same one: the steps between them are on others."""

AHEAD = 2
"""Studies a worker that wait for their turn, beside `SPREAD`: while each of those is seen again,
no new one is asked for."""


class Made(NamedTuple):
    """What a worker gives back.

    Attributes:
        study: in the model frame.
        warnings: sentences for the user.
    """

    study: AlignedStudy
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """Where studies come from; another process can be handed it."""

    def __call__(self, number: int) -> Made:
        """The study of a number from 0 on: for the same number the same."""


class Place(NamedTuple):
    """Of an item of a batch.

    Attributes:
        number: of its study.
        sight: how often the study has been seen before.
    """

    number: int
    sight: int


class StudyStream:
    """The studies of a training's steps, made by the workers of a pool.

    `look_ahead` says at each step where the training is: what it will need next is then being made,
    and what it will not need again is forgotten. `study` waits for one.

    Args:
        source: of the studies.
        seen: how often each is seen.
        pool: of `worker_pool`.
        processes: its workers.
        items: of all batches of the training together.
        reporter: told of warnings, and asked whether to stop while a study is waited for.

    Attributes:
        waited_seconds: for studies, in all.
    """

    def __init__(
        self,
        source: Source,
        seen: int,
        pool: ProcessPoolExecutor,
        processes: int,
        items: int,
        reporter: Reporter,
    ) -> None:
        self._source, self._seen, self._items = source, seen, items
        self._pool, self._ahead = pool, SPREAD + AHEAD * processes
        self._reporter = reporter
        self._coming: dict[int, Future[Made]] = {}
        self._told: set[int] = set()
        self.waited_seconds = 0.0

    def place(self, item: int) -> Place:
        """Which study an item is: the n-th of a step s of batches of B is item s x B + n."""
        turn, within = divmod(item, self._seen * SPREAD)
        return Place(turn * SPREAD + within % SPREAD, within // SPREAD)

    def look_ahead(self, step: int, batch: int, mine: range) -> None:
        """Have made what the steps from this one on need, as far as there is room.

        Args:
            step: that begins.
            batch: items a step, of all processes of the training.
            mine: which of them are this one's.
        """
        first = step * batch
        for number in [n for n in self._coming if self._last_item(n) < first]:
            del self._coming[number]
            self._told.discard(number)
        needed = len({self.place(first + n).number for n in mine})
        wanted: dict[int, None] = {}  # a set that keeps its order
        while first < self._items and len(wanted) < needed + self._ahead:
            wanted.update((self.place(first + n).number, None) for n in mine)
            first += batch
        for number in wanted:
            self._begin(number)

    def study(self, number: int) -> AlignedStudy:
        """The study of a number, as soon as it is there.

        Raises:
            Cancelled: the run shall stop.
            OutOfMemoryError: a worker was ended from outside.
        """
        done = self._begin(number)
        began = time.monotonic()
        while not wait([done], ASKED_EVERY_SECONDS).done:
            self._reporter.check_cancelled()
        self.waited_seconds += time.monotonic() - began
        made = result_of(done)
        if number not in self._told:
            self._told.add(number)
            for warning in made.warnings:
                self._reporter.log("warning", warning)
        return made.study

    def of_step(self, step: int, batch: int, mine: range) -> list[AlignedStudy]:
        """The studies of this process's items of a step."""
        self.look_ahead(step, batch, mine)
        return [self.study(self.place(step * batch + n).number) for n in mine]

    def __len__(self) -> int:
        """Studies being made, waiting, or not yet forgotten."""
        return len(self._coming)

    def _begin(self, number: int) -> Future[Made]:
        if number not in self._coming:
            self._coming[number] = submitted(self._pool, self._source, number)
        return self._coming[number]

    def _last_item(self, number: int) -> int:
        turn, within = divmod(number, SPREAD)
        return turn * self._seen * SPREAD + (self._seen - 1) * SPREAD + within


@contextmanager
def study_stream(
    source: Source, seen: int, processes: int, items: int, reporter: Reporter
) -> Iterator[StudyStream]:
    """A stream with workers of its own; none outlives the block. Arguments: see `StudyStream`."""
    with worker_pool(processes) as pool:
        yield StudyStream(source, seen, pool, processes, items, reporter)

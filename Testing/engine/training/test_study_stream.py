"""A stream shows every study as often as it shall, in an order of its own, and ends cleanly."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from PETAnomalyLib.engine.runtime.errors import Cancelled, OutOfMemoryError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import worker_pool
from PETAnomalyLib.engine.training.study_stream import AHEAD, SPREAD, StudyStream, study_stream
from stream_sources import Numbered


class Listener(SilentReporter):
    """Keeps what it is told; asks to stop if it shall."""

    def __init__(self, stop: bool = False) -> None:
        super().__init__()
        self.messages: list[str] = []
        self._stop = stop

    def log(self, level: str, message: str) -> None:
        self.messages.append(f"{level}: {message}")

    def check_cancelled(self) -> None:
        if self._stop:
            raise Cancelled("stopped by the test")


def shown(stream: StudyStream, steps: range, batch: int, mine: range) -> list[int]:
    """Numbers of the studies of some steps."""
    return [
        int(study.image[0, 0, 0]) for step in steps for study in stream.of_step(step, batch, mine)
    ]


@pytest.mark.parametrize("seen", [1, 2, 3])
def test_every_study_is_seen_so_often_and_never_twice_in_a_row(seen: int, tmp_path: Path) -> None:
    items = 6 * SPREAD * seen
    with worker_pool(1) as pool:  # which nothing is asked of
        stream = StudyStream(Numbered(tmp_path), seen, pool, 1, items, SilentReporter())
        places = [stream.place(item) for item in range(items)]
    assert Counter(place.number for place in places) == dict.fromkeys(range(6 * SPREAD), seen)
    for number in range(6 * SPREAD):
        mine = [at for at, place in enumerate(places) if place.number == number]
        assert [places[at].sight for at in mine] == list(range(seen))
        assert all(later - earlier == SPREAD for earlier, later in pairwise(mine))


def test_what_is_seen_depends_neither_on_the_workers_nor_on_a_stop(tmp_path: Path) -> None:
    batch, steps = 3, 14
    wanted: list[int] = []
    for processes, begun in ((1, 0), (2, 0), (2, 5)):
        made = tmp_path / f"{processes}-{begun}"
        made.mkdir()
        listener = Listener()
        with study_stream(Numbered(made), 2, processes, steps * batch, listener) as stream:
            most = 0
            found = []
            for step in range(begun, steps):
                found += shown(stream, range(step, step + 1), batch, range(batch))
                most = max(most, len(stream))
        wanted = wanted or found
        assert found == wanted[begun * batch :]
        assert most <= 2 * SPREAD + AHEAD * processes + batch
        # None is made that no step needs, and none twice.
        numbers = Counter(int(file.name.split("-")[0]) for file in made.iterdir())
        assert numbers == dict.fromkeys(set(found), 1)
        if begun == 0:
            assert listener.messages == ["warning: study 1 is warned of"]
            workers = {file.name.split("-")[1] for file in made.iterdir()}
            assert len(workers) <= processes
    assert wanted[: 2 * SPREAD] == [*range(SPREAD)] * 2


def test_processes_of_one_training_are_given_their_own_items(tmp_path: Path) -> None:
    steps, batch = 6, 4
    with study_stream(Numbered(tmp_path), 2, 1, steps * batch, SilentReporter()) as stream:
        whole = shown(stream, range(steps), batch, range(batch))
    made = tmp_path / "second"
    made.mkdir()
    with study_stream(Numbered(made), 2, 1, steps * batch, SilentReporter()) as stream:
        half = shown(stream, range(steps), batch, range(2, 4))
    assert half == [n for step in range(steps) for n in whole[step * batch + 2 : step * batch + 4]]
    assert {int(file.name.split("-")[0]) for file in made.iterdir()} == set(half)


def test_a_worker_that_dies_is_said(tmp_path: Path) -> None:
    source = Numbered(tmp_path, wrong_from=2, wrong="dies")
    with (
        pytest.raises(OutOfMemoryError, match="A worker process was ended from outside"),
        study_stream(source, 1, 1, 100, SilentReporter()) as stream,
    ):
        shown(stream, range(10), 1, range(1))


def test_an_error_of_a_worker_comes_through_when_its_study_is_due(tmp_path: Path) -> None:
    with study_stream(Numbered(tmp_path, wrong_from=2), 1, 1, 100, SilentReporter()) as stream:
        assert shown(stream, range(2), 1, range(1)) == [0, 1]
        with pytest.raises(ZeroDivisionError, match="study 2"):
            shown(stream, range(2, 3), 1, range(1))


def test_a_stop_is_heard_while_a_study_is_waited_for(tmp_path: Path) -> None:
    source = Numbered(tmp_path, seconds=1000.0)
    with (
        pytest.raises(Cancelled),
        study_stream(source, 1, 1, 100, Listener(stop=True)) as stream,
    ):
        shown(stream, range(1), 1, range(1))

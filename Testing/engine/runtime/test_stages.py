"""What is told of a run's progress: never less than before, and in step with what is expected."""

from __future__ import annotations

import pytest
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.runtime.stages import Stages


class Listener(SilentReporter):
    def __init__(self) -> None:
        super().__init__()
        self.fractions: list[float] = []
        self.expected: list[float] = []

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def expect(self, seconds: float) -> None:
        self.expected.append(seconds)


def test_what_is_told_keeps_pace_with_the_seconds_that_are_expected() -> None:
    heard = Listener()
    run = Stages(heard)
    run.progress(0.4)
    run.expect(0.4, [(90.0, 0.5), (10.0, 1.0)])
    for done in (0.45, 0.5, 0.75, 1.0):
        run.progress(done)
    assert heard.expected == [100.0]
    assert heard.fractions == pytest.approx([0.4, 0.4 + 0.6 * 0.45, 0.94, 0.97, 1.0])


def test_what_is_told_never_goes_back_where_work_begins_anew() -> None:
    heard = Listener()
    run = Stages(heard)
    run.expect(0.0, [(10.0, 0.5), (10.0, 1.0)])
    run.progress(0.4)
    run.expect(0.0, [(4.0, 0.5), (8.0, 1.0)])
    for done in (0.0, 0.25, 0.5, 1.0):
        run.progress(done)
    assert heard.fractions == sorted(heard.fractions)
    assert heard.fractions[-1] == 1.0
    assert heard.fractions[1] == 0.4


def test_nothing_left_to_expect_changes_nothing() -> None:
    heard = Listener()
    run = Stages(heard)
    run.expect(0.5, [(0.0, 1.0)])
    run.progress(0.7)
    assert (heard.expected, heard.fractions) == ([], [0.7])

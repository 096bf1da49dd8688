"""From the question to the engine's Python to a run, or to the reason against one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PETAnomalyLib.panel.environment.inspection import (
    EnvironmentReport,
    Package,
    brainPackages,
    requiredPackages,
)
from PETAnomalyLib.panel.environment.installer import InstallOutcome
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.readiness import Readiness

PYTHON = Interpreter("/python", {}, foreign=False)
COMPLETE = EnvironmentReport(pythonVersion="3.12.1")
LACKING = replace(COMPLETE, missing=requiredPackages()[:1])


class Probe:
    """Answers when it is told to, as an interpreter does: the last question only."""

    def __init__(self) -> None:
        self.questions = 0
        self._onDone: Callable[[EnvironmentReport], None] | None = None

    def start(self, _interpreter: Interpreter, onDone: Callable[[EnvironmentReport], None]) -> None:
        self.questions += 1
        self._onDone = onDone

    def cancel(self) -> None:
        self._onDone = None

    def answer(self, report: EnvironmentReport) -> None:
        if self._onDone is not None:
            self._onDone(report)


class Shop:
    """An installer that always ends in the same way."""

    def __init__(self, outcome: InstallOutcome) -> None:
        self.wheels: Path | None = None
        self.onLog: Callable[[str], None] = lambda _line: None
        self._outcome = outcome
        self.asked: list[tuple] = []

    def install(self, _interpreter: Interpreter, report: EnvironmentReport) -> InstallOutcome:
        self.asked.append(report.missing)
        return self._outcome


class Told:
    """What `ensure` came to."""

    def __init__(self, readiness: Readiness) -> None:
        self.ready = 0
        self.refused: list[InstallOutcome] = []
        readiness.ensure(PYTHON, self._onReady, self.refused.append)

    def _onReady(self) -> None:
        self.ready += 1


def test_a_question_that_is_under_way_is_not_asked_again() -> None:
    probe = Probe()
    readiness = Readiness(probe, Shop(InstallOutcome()))
    readiness.ask(PYTHON)
    assert readiness.isAsking
    told = Told(readiness)
    assert probe.questions == 1
    probe.answer(COMPLETE)
    assert told.ready == 1
    assert not readiness.isAsking
    readiness.forget()
    readiness.ask(PYTHON)
    Told(readiness)
    readiness.forget()  # another Python was chosen
    readiness.ask(Interpreter("/other", {}, foreign=True))
    assert probe.questions == 3


def test_a_python_that_has_all_is_asked_once_and_then_known() -> None:
    probe, shop = Probe(), Shop(InstallOutcome())
    readiness = Readiness(probe, shop)
    told = Told(readiness)
    assert readiness.isEnsuring
    assert told.ready == 0
    probe.answer(COMPLETE)
    assert (told.ready, told.refused, readiness.isEnsuring) == (1, [], False)
    assert Told(readiness).ready == 1
    assert (probe.questions, shop.asked) == (1, [])


def test_what_is_missing_is_installed_and_asked_for_again_before_the_next_run() -> None:
    probe, shop = Probe(), Shop(InstallOutcome(ok=True))
    readiness = Readiness(probe, shop)
    told = Told(readiness)
    probe.answer(LACKING)
    assert told.ready == 1
    assert shop.asked == [LACKING.missing]
    assert not readiness.isReady
    Told(readiness)
    assert probe.questions == 2


@pytest.mark.parametrize(
    ("report", "outcome", "message"),
    [
        (replace(COMPLETE, error="It crashed."), InstallOutcome(ok=True), "It crashed."),
        (LACKING, InstallOutcome(message="No network."), "No network."),
        (LACKING, InstallOutcome(cancelled=True), ""),
    ],
)
def test_what_stands_against_a_run_is_told_instead(
    report: EnvironmentReport, outcome: InstallOutcome, message: str
) -> None:
    probe = Probe()
    told = Told(Readiness(probe, Shop(outcome)))
    probe.answer(report)
    assert told.ready == 0
    assert [refusal.message for refusal in told.refused] == [message]


def test_a_check_by_hand_meanwhile_does_not_lose_the_run_that_waits() -> None:
    probe = Probe()
    readiness = Readiness(probe, Shop(InstallOutcome()))
    told = Told(readiness)
    readiness.ask(PYTHON)
    probe.answer(COMPLETE)
    assert told.ready == 1


def test_after_cancel_nothing_is_told() -> None:
    probe = Probe()
    readiness = Readiness(probe, Shop(InstallOutcome()))
    told = Told(readiness)
    readiness.cancel()
    probe.answer(COMPLETE)
    readiness.ask(PYTHON)
    probe.answer(COMPLETE)
    assert (told.ready, told.refused) == (0, [])


@pytest.mark.parametrize(("missing", "installed"), [((), None), (brainPackages(), brainPackages())])
def test_the_sample_brain_mr_needs_nilearn_and_no_torch(
    missing: tuple[Package, ...], installed: tuple[Package, ...] | None
) -> None:
    probe, shop = Probe(), Shop(InstallOutcome(ok=True))
    ready: list[bool] = []
    refused: list[InstallOutcome] = []
    readiness = Readiness(probe, shop)
    readiness.ensure(PYTHON, lambda: ready.append(True), refused.append, forBrainSample=True)
    probe.answer(replace(LACKING, brainMissing=missing))
    assert (ready, refused) == ([True], [])
    assert shop.asked == ([] if installed is None else [installed])

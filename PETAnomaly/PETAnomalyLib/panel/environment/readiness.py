"""Has the engine's Python what the engine needs? Ask it, offer what is missing, go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PETAnomalyLib.panel.environment.inspection import (
    EnvironmentProbe,
    EnvironmentReport,
    InterpreterProbe,
)
from PETAnomalyLib.panel.environment.installer import Installer, InstallOutcome, PackageInstaller
from PETAnomalyLib.panel.environment.interpreter import Interpreter


class Readiness:
    """What the engine's Python was found to have, and the way from there to a run.

    `ask` asks it and returns at once; `onReport(report)` follows, and the report is kept until
    `forget`. `ensure` goes on at once when the report kept says that all is there. Else it asks,
    has installed what is missing, and then calls either `onReady()` or `onRefused(outcome)`; until
    then `isEnsuring`. After `cancel` nothing is called any more.

        readiness.ensure(interpreter, self.startDetection, self.showWhyNot)
    """

    def __init__(
        self, probe: InterpreterProbe | None = None, installer: PackageInstaller | None = None
    ) -> None:
        self.onReport: Callable[[EnvironmentReport], None] = lambda _report: None
        self.report: EnvironmentReport | None = None
        self._probe = probe if probe is not None else EnvironmentProbe()
        self.installer = installer if installer is not None else Installer()
        self._goOn: Callable[[EnvironmentReport], None] | None = None
        self._asked: Interpreter | None = None

    @property
    def isAsking(self) -> bool:
        """A question is under way."""
        return self._asked is not None

    @property
    def isEnsuring(self) -> bool:
        return self._goOn is not None

    @property
    def isReady(self) -> bool:
        """As far as is known: what was found had all that is needed."""
        return self.report is not None and self.report.ready

    def ask(self, interpreter: Interpreter) -> None:
        """Ask the interpreter, in a child process, for packages and graphics cards."""
        self._asked = interpreter
        self._probe.start(interpreter, self._onAnswer)

    def ensure(
        self,
        interpreter: Interpreter,
        onReady: Callable[[], None],
        onRefused: Callable[[InstallOutcome], None],
        forDicom: bool = False,
        forBrainSample: bool = False,
    ) -> None:
        """Call `onReady` once all is there, with `forDicom` also what DICOM objects need, with
        `forBrainSample` what the sample brain MR needs and nothing else; `onRefused` when it is
        not, and will not be.
        """

        def needed(report: EnvironmentReport) -> EnvironmentReport:
            if forBrainSample:  # made without torch
                return replace(report, missing=report.brainMissing)
            if forDicom:
                return replace(report, missing=(*report.missing, *report.dicomMissing))
            return report

        if self.report is not None and needed(self.report).ready:
            onReady()
            return

        def goOn(found: EnvironmentReport) -> None:
            report = needed(found)
            outcome = self._makeReady(interpreter, report)
            if outcome.ok:
                onReady()
            else:
                onRefused(outcome)

        self._goOn = goOn
        if self._asked != interpreter:  # else its answer is on the way
            self.ask(interpreter)

    def forget(self) -> None:
        """Another interpreter: what this one has is not known."""
        self.report = None
        self._asked = None

    def cancel(self) -> None:
        """Drop the question and what would follow."""
        self._goOn = None
        self._asked = None
        self._probe.cancel()

    def _onAnswer(self, report: EnvironmentReport) -> None:
        self._asked = None
        self.report = report
        self.onReport(report)
        goOn, self._goOn = self._goOn, None
        if goOn is not None:
            goOn(report)

    def _makeReady(self, interpreter: Interpreter, report: EnvironmentReport) -> InstallOutcome:
        if report.error:
            return InstallOutcome(message=report.error)
        if not report.missing:
            return InstallOutcome(ok=True)
        outcome = self.installer.install(interpreter, report)
        self.report = None  # asked again before the next run
        return outcome

"""Can this Python run the engine? What it has, where it computes, what is missing and how large
that is.

Asked in a child process that runs `probe.py`, without blocking the window.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.probe import MARK
from PETAnomalyLib.panel.environment.question import Question

PROBE = Path(__file__).with_name("probe.py")
PROBE_SECONDS = 120  # the first import of torch from a cold disk takes half a minute
TORCH_GPU_MB = 2800  # download with CUDA's libraries
TORCH_CPU_MB = 250


@dataclass(frozen=True)
class Package:
    """Something the engine needs.

    Attributes:
        name: as pip knows it.
        minimum: oldest version that will do, as numbers.
        sizeMB: of the download.
    """

    name: str
    minimum: tuple[int, ...]
    sizeMB: int

    @property
    def requirement(self) -> str:
        """For pip."""
        return f"{self.name}>={'.'.join(str(number) for number in self.minimum)}"

    def isMetBy(self, version: str | None) -> bool:
        if version is None:
            return False
        return tuple(int(number) for number in re.findall(r"\d+", version)[:2]) >= self.minimum


@dataclass(frozen=True)
class Device:
    """Where the engine can compute: `id` for its command line, `label` for people."""

    id: str
    label: str


def requiredPackages() -> tuple[Package, ...]:
    """What `detect` imports. All but torch, monai and safetensors come with Slicer."""
    torchMB = TORCH_GPU_MB if shutil.which("nvidia-smi") else TORCH_CPU_MB
    return (
        Package("torch", (2, 2), torchMB),
        Package("monai", (1, 4), 3),
        Package("safetensors", (0, 4), 1),
        Package("numpy", (1, 22), 20),
        Package("scipy", (1, 8), 40),
        Package("SimpleITK", (2, 2), 55),
        Package("pydicom", (2, 2), 3),
        Package("pillow", (9, 0), 7),
    )


def dicomPackages() -> tuple[Package, ...]:
    """What findings as DICOM objects need besides."""
    return (Package("highdicom", (0, 28), 5),)


def brainPackages() -> tuple[Package, ...]:
    """What the sample brain MR is made of; nothing else that the engine itself lacks."""
    return (Package("nilearn", (0, 11), 110),)


@dataclass(frozen=True)
class EnvironmentReport:
    """What was found in one interpreter.

    Attributes:
        pythonVersion: empty when it did not answer.
        torchVersion, monaiVersion: None when not installed.
        devices: the fastest first, the CPU last.
        missing: what has to be installed before the engine can run.
        dicomMissing: what has to be installed besides before it can write DICOM objects.
        brainMissing: what has to be installed before it can make the sample brain MR.
        error: why it can't be used, in words; empty when nothing but `missing` stands in the way.
    """

    pythonVersion: str = ""
    torchVersion: str | None = None
    monaiVersion: str | None = None
    devices: tuple[Device, ...] = (Device("cpu", "CPU"),)
    missing: tuple[Package, ...] = ()
    dicomMissing: tuple[Package, ...] = ()
    brainMissing: tuple[Package, ...] = ()
    error: str = ""

    @property
    def ready(self) -> bool:
        return not self.error and not self.missing

    @property
    def missingSizeMB(self) -> int:
        return sum(package.sizeMB for package in self.missing)


class InterpreterProbe(Protocol):
    """Asks an interpreter what it has; the answer comes on the GUI thread."""

    def start(
        self, interpreter: Interpreter, onDone: Callable[[EnvironmentReport], None]
    ) -> None: ...

    def cancel(self) -> None: ...


class EnvironmentProbe:
    """`InterpreterProbe` in a child process, one interpreter at a time.

    `start` returns at once; `onDone(report)` follows on the GUI thread, whatever happens: an
    interpreter that does not exist, crashes or says nothing for two minutes is a report with an
    `error`. A second `start`, or `cancel`, drops the first question and its answer.

        probe.start(findInterpreter(), self.onEnvironment)
    """

    def __init__(self) -> None:
        self._interpreterPath = ""
        self._onDone: Callable[[EnvironmentReport], None] = lambda _report: None
        self._question = Question(PROBE_SECONDS)
        self._question.onAnswer = lambda output, errors: self._onDone(readAnswer(output, errors))
        self._question.onNotStarted = self._onNotStarted
        self._question.onSilence = self._onSilence

    @property
    def isRunning(self) -> bool:
        return self._question.isUnderWay

    def start(self, interpreter: Interpreter, onDone: Callable[[EnvironmentReport], None]) -> None:
        self._interpreterPath = interpreter.path
        self._onDone = onDone
        every = (*requiredPackages(), *dicomPackages(), *brainPackages())
        names = [package.name for package in every]
        self._question.ask(interpreter, [str(PROBE), *names])

    def cancel(self) -> None:
        """Drop the question; `onDone` is not called."""
        self._question.cancel()

    def _onNotStarted(self, reason: str) -> None:
        said = _("{python} could not be started: {reason}.")
        self._onDone(
            EnvironmentReport(error=said.format(python=self._interpreterPath, reason=reason))
        )

    def _onSilence(self) -> None:
        said = _("{python} did not answer for {seconds} seconds.")
        self._onDone(
            EnvironmentReport(
                error=said.format(python=self._interpreterPath, seconds=PROBE_SECONDS)
            )
        )


def readAnswer(output: str, errors: str) -> EnvironmentReport:
    """The report from what the probe wrote; libraries may have written around it."""
    answers = [line for line in output.splitlines() if line.startswith(MARK)]
    if not answers:
        said = [line for line in errors.splitlines() if line.strip()]
        reason = said[-1].strip() if said else _("no answer")
        return EnvironmentReport(
            error=_("This Python can't be used: {reason}.").format(reason=reason)
        )
    answer = json.loads(answers[-1][len(MARK) :])
    packages = answer["packages"]

    def lacking(needed: tuple[Package, ...]) -> tuple[Package, ...]:
        return tuple(
            package for package in needed if not package.isMetBy(packages.get(package.name))
        )

    return EnvironmentReport(
        pythonVersion=answer["python"],
        torchVersion=packages.get("torch"),
        monaiVersion=packages.get("monai"),
        devices=tuple(Device(**device) for device in answer["devices"]),
        missing=lacking(requiredPackages()),
        dicomMissing=lacking(dicomPackages()),
        brainMissing=lacking(brainPackages()),
        error=answer["error"],
    )

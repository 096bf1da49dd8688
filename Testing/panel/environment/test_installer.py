"""Installing what is missing: asked once, nothing replaced, and every failure names the next step.

pip and the network are the only things replaced here, by the two sources that record their calls.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import slicer  # slicer.util looks for qt
from PETAnomalyLib.panel.environment.inspection import EnvironmentReport, Package
from PETAnomalyLib.panel.environment.installer import Installer
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.visible_process import (
    InstallationCancelled,
    InstallationError,
)

OWN = Interpreter(sys.executable, dict(os.environ), foreign=False)


TORCH, MONAI = Package("torch", (2, 2), 2800), Package("monai", (1, 4), 3)


class Source:
    """A package source that notes what it was asked for."""

    def __init__(self, fails: str = "") -> None:
        self.asked: list[str] = []
        self.constraints = ""
        self._fails = fails

    def install(
        self, packages: list[Package], constraints: Path, say: Callable[[str], None]
    ) -> None:
        if self._fails:
            raise InstallationError(self._fails)
        self.asked += [package.requirement for package in packages]
        self.constraints = constraints.read_text()
        say("Collecting")


class Question:
    """A user who notes what was asked and always answers the same."""

    def __init__(self, answer: bool = True) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def __call__(self, text: str, *_title: str) -> bool:
        self.asked.append(text)
        return self._answer


def lacking(*packages: Package) -> EnvironmentReport:
    return EnvironmentReport(pythonVersion="3.12.1", missing=packages)


def test_nothing_missing_asks_nothing_and_installs_nothing() -> None:
    torch, pip, question = Source(), Source(), Question()
    outcome = Installer(torch, pip, question).install(OWN, lacking())
    assert outcome.ok
    assert (torch.asked, pip.asked, question.asked) == ([], [], [])


def test_one_question_lists_every_package_and_the_size_of_all() -> None:
    question = Question()
    Installer(Source(), Source(), question).install(OWN, lacking(TORCH, MONAI))
    assert len(question.asked) == 1
    for words in ("torch>=2.2", "2.8 GB", "monai>=1.4", "3 MB"):
        assert words in question.asked[0]


def test_no_means_that_nothing_is_installed() -> None:
    torch, pip = Source(), Source()
    outcome = Installer(torch, pip, lambda _text: False).install(OWN, lacking(TORCH, MONAI))
    assert outcome.cancelled
    assert torch.asked == pip.asked == []


def test_torch_comes_from_its_own_source_and_the_rest_from_pip() -> None:
    torch, pip = Source(), Source()
    outcome = Installer(torch, pip, lambda _text: True).install(OWN, lacking(MONAI, TORCH))
    assert outcome.ok
    assert torch.asked == ["torch>=2.2"]
    assert pip.asked == ["monai>=1.4"]


def test_the_constraints_hold_what_is_installed_and_leave_torch_free() -> None:
    pip = Source()
    Installer(Source(), pip, lambda _text: True).install(OWN, lacking(MONAI))
    lines = pip.constraints.splitlines()
    assert f"numpy=={version('numpy')}" in lines
    assert f"pydicom=={version('pydicom')}" in lines
    assert not [line for line in lines if line.lower().startswith(("torch", "monai", "nvidia-"))]


@pytest.mark.parametrize("failing", ["torch", "pip"])
def test_a_failure_gives_its_reason_and_the_next_step(failing: str) -> None:
    torch = Source("no route to host" if failing == "torch" else "")
    pip = Source("no route to host" if failing == "pip" else "")
    outcome = Installer(torch, pip, lambda _text: True).install(OWN, lacking(TORCH, MONAI))
    assert not outcome.ok
    assert "no route to host" in outcome.message
    assert "network" in outcome.message
    assert "Install" in outcome.message


def test_a_foreign_python_is_never_touched_and_its_owner_told_what_to_type() -> None:
    torch, pip, question = Source(), Source(), Question()
    foreign = Interpreter("/conda/my env/bin/python", {}, foreign=True)
    outcome = Installer(torch, pip, question).install(foreign, lacking(TORCH, MONAI))
    assert not outcome.ok
    assert torch.asked == pip.asked == question.asked == []
    assert '"/conda/my env/bin/python" -m pip install "torch>=2.2" "monai>=1.4"' in outcome.message


def test_the_question_is_slicers_own_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(answer=False)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", question)
    assert Installer(Source(), Source()).install(OWN, lacking(MONAI)).cancelled
    assert len(question.asked) == 1


def test_what_is_said_meanwhile_is_kept() -> None:
    heard: list[str] = []
    installer = Installer(Source(), Source(), lambda _text: True)
    installer.onLog = heard.append
    assert installer.install(OWN, lacking(TORCH, MONAI)).ok
    assert heard == ["Collecting", "Collecting"]


def test_cancel_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(*_arguments: object) -> None:
        raise InstallationCancelled

    torch = Source()
    monkeypatch.setattr(torch, "install", cancel)
    outcome = Installer(torch, Source(), lambda _text: True).install(OWN, lacking(TORCH, MONAI))
    assert outcome.cancelled
    assert not outcome.message

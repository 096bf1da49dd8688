"""Choosing where the engine computes, and what its Python has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from open_panel import openPanel
from PETAnomalyLib.panel.environment.inspection import EnvironmentReport, requiredPackages
from PETAnomalyLib.panel.environment.installer import InstallOutcome
from PETAnomalyLib.panel.sections.engine import describeEnvironment
from PETAnomalyLib.panel.settings import Settings
from studies import waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def test_found_graphics_cards_can_be_chosen_and_are_remembered(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.ui.checkButton.click()
        combo = panel.ui.deviceCombo
        titles = [combo.itemText(index) for index in range(combo.count)]
        assert "NVIDIA H200 (cuda:0)" in titles
        combo.setCurrentIndex(titles.index("NVIDIA H200 (cuda:0)"))
        assert panel.engine.device == "cuda:0"
        assert Settings().device == "cuda:0"
        combo.setCurrentIndex(0)


def test_the_engines_python_is_asked_before_detect_needs_to_know(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        assert panel.engine.readiness.report is None
        assert waitUntil(lambda: panel.engine.readiness.report is not None, 5.0)
        panel.exit()
        panel.engine.readiness.forget()
        panel.enter()
        panel.exit()  # left before it was looked at
        assert not waitUntil(lambda: panel.engine.readiness.report is not None, 1.5)


def test_what_is_missing_is_installed_by_a_button_too(tmp_path: Any) -> None:
    asked: list[tuple] = []

    class Shop:
        wheels: Any = None

        def install(self, _interpreter: Any, report: Any) -> InstallOutcome:
            asked.append((report.missing, self.wheels))
            self.onLog("ERROR: no route to host")  # type: ignore[attr-defined]  # the panel's
            return InstallOutcome(message="no route to host. Click Install.")

    lacking = replace(FOUND, torchVersion=None, missing=requiredPackages()[:1])
    with openPanel(tmp_path, report=lacking, installer=Shop()) as panel:
        assert not panel.ui.installButton.enabled
        panel.ui.checkButton.click()
        assert panel.ui.installButton.enabled
        panel.ui.installButton.click()
        assert asked == [(lacking.missing, None)]
        assert "no route to host" in panel.ui.stageState.text
        assert "ERROR: no route to host" in panel.ui.logText.plainText
        panel.engine.installFrom(tmp_path)
        assert asked[1:] == [(lacking.missing, tmp_path)]
        assert not panel.isBusy


FOUND = EnvironmentReport(pythonVersion="3.12", torchVersion="2.9", monaiVersion="1.5", devices=())


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (FOUND, "PyTorch 2.9; MONAI 1.5; no graphics card"),
        (replace(FOUND, torchVersion=None, missing=requiredPackages()[:1]), "no PyTorch"),
        (replace(FOUND, error="Python did not answer."), "did not answer"),
    ],
)
def test_the_environment_is_described_in_words(report: EnvironmentReport, expected: str) -> None:
    assert expected in describeEnvironment(report)

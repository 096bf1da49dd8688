"""Detections on another computer, chosen in the panel."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import real_engine
from open_panel import openPanel, settled
from PETAnomalyLib.panel.environment.connection import complaint, describe
from PETAnomalyLib.panel.sections.other_computer import BY_SSH, HERE
from studies import waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture(autouse=True)
def hereAfterwards() -> Iterator[None]:
    """The settings are those of the whole session."""
    from PETAnomalyLib.panel.settings import Settings

    yield
    settings = Settings()
    settings.bySsh = False
    settings.host = settings.remoteProgram = settings.beforeProgram = ""


def test_without_a_name_of_the_other_computer_detect_says_why_not(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        other = panel.engine.otherComputer
        assert other.words() == []
        panel.ui.engineOnCombo.setCurrentIndex(BY_SSH)
        assert any("no name" in reason for reason in panel.whyNot())
        panel.ui.hostEdit.setText(" gpu ")
        panel.ui.beforeEdit.setText("srun --gres=gpu:1")
        assert not any("no name" in reason for reason in panel.whyNot())
        assert other.words() == ["--host", "gpu", "--before", "srun --gres=gpu:1"]
    with openPanel(tmp_path / "again") as panel:  # it is remembered
        assert panel.engine.otherComputer.words()[:2] == ["--host", "gpu"]
        panel.ui.engineOnCombo.setCurrentIndex(HERE)
        assert panel.engine.otherComputer.words() == []


def test_an_answer_that_is_none_is_no_answer() -> None:
    for output in ("", "[]", "{}", '{"cards": 1}', "null"):
        assert describe(output) == ""
    errors = "ssh: noise\npetanomaly: gpu cannot be reached.\nCheck its name.\n"
    assert complaint(errors) == "gpu cannot be reached.\nCheck its name."
    assert complaint("")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sshd of POSIX")
def test_a_detection_and_a_test_of_the_connection_through_a_real_sshd(
    tmp_path: Path, tinyModels: Path
) -> None:
    from ssh_server import other_side
    from tiny_bundle import write_tiny_study

    study = write_tiny_study(tmp_path / "study")
    limit = f"export PETANOMALY_MODELS={shlex.quote(str(tinyModels))}"
    with other_side(tmp_path / "there", limit) as there:
        interpreter = real_engine.engineInterpreter(tinyModels)
        variables = {**interpreter.environment, "PATH": there.environment["PATH"]}
        interpreter = replace(interpreter, environment=variables)
        shelf = real_engine.modelsIn(tinyModels)
        with openPanel(tmp_path / "panel", shelf=shelf, interpreter=interpreter) as panel:
            ui = panel.ui
            ui.engineOnCombo.setCurrentIndex(BY_SSH)
            ui.hostEdit.setText("there")
            ui.programEdit.setText(str(there.petanomaly))
            ui.connectionButton.click()
            assert waitUntil(lambda: real_engine.TINY in ui.connectionState.text, 60)
            real_engine.chooseStudy(panel, study / "SUV.nii.gz", study / "CTres.nii.gz")
            ui.detectButton.click()
            assert panel.task.isRunning
            assert waitUntil(lambda: not panel.task.isRunning, 120)
            assert settled(panel)
            assert panel.parameters.table is not None, ui.logText.plainText
            assert "Connecting to there" in ui.logText.plainText
        assert there.left_behind() == []

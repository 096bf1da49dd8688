from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from open_panel import loadModule
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.panel import parameters as study
from studies import addStudy

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def parameters() -> Any:
    loadModule()
    import PETAnomaly

    return PETAnomaly.PETAnomalyLogic().getParameterNode()


def arguments(parameters: Any, ct: Any = True) -> Any:
    return study.detectArguments(
        parameters, Path("pet.nrrd"), Path("ct.nrrd") if ct else None, Path("out"), "cpu"
    )


def test_the_defaults_are_the_papers(parameters: Any) -> None:
    assert parameters.scorer == "kde"
    assert parameters.growth == 0.4
    assert parameters.elevatedOnly
    assert study.threshold(parameters, "kde") is None
    assert study.validate(parameters) == (True, "")


def test_the_models_own_numbers_are_not_on_the_command_line(parameters: Any) -> None:
    words = arguments(parameters)
    for option in ("--samples", "--decodes", "--all-uptake", "--anyway"):
        assert option not in words
    assert not any(word.startswith("--threshold") for word in words)


def test_a_run_from_the_panel_ends_within_ten_minutes_unless_that_is_switched_off(
    parameters: Any,
) -> None:
    words = arguments(parameters)
    assert words[words.index("--time-budget") + 1] == "600"
    parameters.timeBudget = 0
    assert "--time-budget" not in arguments(parameters)


def test_a_negative_threshold_is_one_word(parameters: Any) -> None:
    study.setThreshold(parameters, "kde", -1.25)
    assert "--threshold=-1.25" in arguments(parameters)


def test_the_engine_understands_the_command_line(
    parameters: Any, tmp_path: Any, capfd: Any
) -> None:
    parameters.model = "no-such-model"
    parameters.samples = 2
    parameters.decodes = 3
    parameters.elevatedOnly = False
    parameters.anyway = True
    study.setThreshold(parameters, "kde", -1.25)
    words = study.detectArguments(
        parameters, tmp_path / "pet.nrrd", tmp_path / "ct.nrrd", tmp_path / "out", "cpu"
    )
    assert main(words) == 2  # bad input, not bad usage
    said = capfd.readouterr()
    assert "no-such-model" in said.out + said.err or "pet.nrrd" in said.out + said.err
    assert "usage:" not in said.out + said.err


def test_a_deleted_node_is_no_longer_live(parameters: Any) -> None:
    pet, _ct = addStudy()
    parameters.pet = pet
    assert study.live(parameters.pet) is pet
    slicer.mrmlScene.RemoveNode(pet)
    assert study.live(pet) is None


def test_a_threshold_belongs_to_its_scorer(parameters: Any) -> None:
    study.setThreshold(parameters, "kde", 3.5)
    assert study.threshold(parameters, "zscore") is None
    assert study.threshold(parameters, "kde") == 3.5
    study.setThreshold(parameters, "kde", None)
    assert study.threshold(parameters, "kde") is None


def test_a_threshold_that_is_no_number_is_refused(parameters: Any) -> None:
    study.setThreshold(parameters, "kde", float("nan"))
    ok, reason = study.validate(parameters)
    assert not ok
    assert "threshold" in reason

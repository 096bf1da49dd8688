"""Where torch and the rest come from: what is run, what is passed on, and what a failure says."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from hostile_folder import HostileFolder
from PETAnomalyLib.panel.environment import package_sources
from PETAnomalyLib.panel.environment.inspection import Package
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.package_sources import (
    PyTorchExtension,
    SetupTorch,
    SlicerPip,
    WheelFolder,
    findSetupTorch,
)
from PETAnomalyLib.panel.environment.visible_process import (
    InstallationCancelled,
    InstallationError,
    cause,
)
from repository import MODULE
from waiting import processesThatMention

OWN = Interpreter(sys.executable, dict(os.environ), foreign=False)
TORCH, MONAI = Package("torch", (2, 2), 2800), Package("monai", (1, 4), 3)


def test_the_pytorch_extension_is_used_when_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not PyTorchExtension.isThere()
    monkeypatch.setattr(slicer.modules, "pytorchutils", object(), raising=False)
    assert PyTorchExtension.isThere()


def say(_line: str) -> None:
    return


def test_setup_torch_runs_in_a_process_whose_words_are_passed_on(tmp_path: Path) -> None:
    script = tmp_path / "setup torch ä.py"
    script.write_text("print('Looking for a GPU')\nprint('10 %\\r20 %')\n", encoding="utf-8")
    heard: list[str] = []
    SetupTorch(OWN, script).install([TORCH], tmp_path, heard.append)
    assert [line for line in heard if line] == ["Looking for a GPU", "10 %", "20 %"]


def test_setup_torch_runs_in_a_folder_of_ours_and_imports_nothing_that_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = HostileFolder(tmp_path / "data")
    monkeypatch.chdir(hostile.path)
    script = tmp_path / "asks.py"
    script.write_text("import os, json, subprocess, numpy\nprint(os.getcwd())\n")
    heard: list[str] = []
    SetupTorch(OWN, script).install([TORCH], tmp_path, heard.append)
    assert [line for line in heard if line] == [str(MODULE)]
    assert hostile.marks() == ""


def test_setup_torch_that_fails_gives_its_last_words(tmp_path: Path) -> None:
    script = tmp_path / "setup_torch.py"
    script.write_text("import sys\nprint('trying')\nsys.exit('No space left on device')\n")
    with pytest.raises(InstallationError, match="No space left on device"):
        SetupTorch(OWN, script).install([TORCH], tmp_path, say)


def test_setup_torch_without_its_interpreter_says_so(tmp_path: Path) -> None:
    missing = Interpreter(str(tmp_path / "python"), {}, foreign=False)
    with pytest.raises(InstallationError, match="could not be started"):
        SetupTorch(missing, tmp_path / "x.py").install([TORCH], tmp_path, say)


def test_our_setup_torch_is_found_from_the_module() -> None:
    assert findSetupTorch().name == "setup_torch.py"


def test_setup_torch_is_found_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "PETAnomalyLib" / "setup_torch.py"
    script.parent.mkdir()
    script.touch()
    monkeypatch.setattr(package_sources, "MODULE_FOLDER", tmp_path)
    assert findSetupTorch() == script


def test_a_missing_setup_torch_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(package_sources, "MODULE_FOLDER", tmp_path / "deep" / "module")
    with pytest.raises(InstallationError, match=r"setup_torch\.py"):
        findSetupTorch()


def test_an_older_slicer_without_packaging_uses_its_pip_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.setattr(slicer.util, "pip_install", calls.append)
    SlicerPip().install([MONAI], tmp_path / "c d.txt", say)
    assert calls == [["monai>=1.4", "--constraint", str(tmp_path / "c d.txt")]]


def test_a_newer_slicers_pip_ensure_gets_requirements_as_it_wants_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[dict[str, Any]] = []

    def pipEnsure(requirements: list[Any], constraints: Any = None, **others: Any) -> None:
        assert all(requirement.marker is None for requirement in requirements)  # as pip_check asks
        calls.append({"names": [str(r) for r in requirements], "constraints": constraints})
        assert set(others) <= {"prompt_install", "requester", "skip_in_testing"}

    module = ModuleType("slicer.packaging")
    module.pip_ensure = pipEnsure  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "slicer.packaging", module)
    SlicerPip().install([MONAI], tmp_path / "c.txt", say)
    assert calls == [{"names": ["monai>=1.4"], "constraints": tmp_path / "c.txt"}]


def test_cancelled_the_process_is_dead(tmp_path: Path) -> None:
    script, mark = tmp_path / "sleeps.py", tmp_path / "mark"
    script.write_text(f"import time\nprint('begun')\ntime.sleep(60)\nopen({str(mark)!r}, 'w')\n")
    begin = time.monotonic()

    def cancelOnceQuiet(line: str) -> None:
        if not line:
            raise InstallationCancelled

    with pytest.raises(InstallationCancelled):
        SetupTorch(OWN, script).install([TORCH], tmp_path, cancelOnceQuiet)
    assert time.monotonic() - begin < 30.0
    assert not processesThatMention(str(script))
    assert not mark.exists()


def test_a_failure_names_its_cause_and_not_only_its_last_words() -> None:
    said = [
        "Collecting torch",
        "ERROR: Could not install: No space left",
        "Its messages are above.",
    ]
    assert cause(said) == "ERROR: Could not install: No space left\nIts messages are above."
    assert cause(["trying", "gave up"]) == "gave up"
    assert cause([])


def test_from_a_folder_of_wheels_no_other_place_is_asked(tmp_path: Path) -> None:
    wheels = tmp_path / "räder"
    wheels.mkdir()
    constraints = tmp_path / "c.txt"
    constraints.write_text("")
    heard: list[str] = []
    missing = Package("petanomaly-nowhere", (9,), 1)
    with pytest.raises(InstallationError, match="No matching distribution"):
        WheelFolder(OWN, wheels).install([missing], constraints, heard.append)
    assert any(str(wheels) in line for line in heard)
    assert not any("index" in line.lower() for line in heard)

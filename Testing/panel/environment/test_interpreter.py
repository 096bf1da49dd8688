"""Which Python runs the engine, and in which environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import qt
import slicer  # slicer.util looks for qt
from PETAnomalyLib.panel.environment import interpreter as interpreterModule
from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter
from repository import MODULE
from stub_interpreter import script


@pytest.fixture(autouse=True)
def noChoice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PETANOMALY_PYTHON", raising=False)
    qt.QSettings().remove("PETAnomaly/Interpreter")


def test_without_a_choice_it_is_this_pythons_own_interpreter() -> None:
    own = findInterpreter()
    assert own.path == sys.executable
    assert not own.foreign


def test_the_order_is_variable_then_panel_then_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    qt.QSettings().setValue("PETAnomaly/Interpreter", "/from/settings/python")
    assert findInterpreter().path == "/from/settings/python"
    assert findInterpreter("/from/panel/python").path == "/from/panel/python"
    monkeypatch.setenv("PETANOMALY_PYTHON", "/from/variable/python")
    assert findInterpreter("/from/panel/python").path == "/from/variable/python"
    assert findInterpreter().foreign


def test_python_real_is_preferred_to_the_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script(tmp_path / "PythonSlicer", "")
    assert Path(interpreterModule.ownPython()).name == "PythonSlicer"
    script(tmp_path / "python-real", "")
    assert Path(interpreterModule.ownPython()).name == "python-real"


def test_without_slicers_own_launchers_it_is_the_python_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "")  # as Slicer sets it when it has no PythonSlicer
    assert interpreterModule.ownPython() == "python3"
    script(tmp_path / "python3", "")
    assert interpreterModule.ownPython() == str(tmp_path / "python3")


def test_the_own_python_keeps_slicers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME_LIKE", "slicer")
    monkeypatch.setenv("PYTHONPATH", "/slicer/packages")
    environment = findInterpreter().environment
    module = str(MODULE)
    assert environment["PYTHONHOME_LIKE"] == "slicer"
    assert environment["PYTHONPATH"] == module + os.pathsep + "/slicer/packages"
    assert environment["PYTHONUTF8"] == "1"


def test_a_foreign_python_gets_the_startup_environment_without_slicers_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    startup = {"PATH": "/usr/bin", "PYTHONHOME": "/slicer", "PYTHONPATH": "/slicer", "HOME": "/h"}
    monkeypatch.setattr(slicer.util, "startupEnvironment", lambda: dict(startup))
    monkeypatch.setenv("LD_LIBRARY_PATH", "/slicer/lib")
    environment = findInterpreter("/conda/bin/python").environment
    assert environment["HOME"] == "/h"
    assert "PYTHONHOME" not in environment
    assert "LD_LIBRARY_PATH" not in environment
    assert environment["PYTHONPATH"] == str(interpreterModule.MODULE_FOLDER)


@pytest.mark.skipif(os.name != "posix", reason="a shell script as program")
def test_no_program_of_the_current_folder_is_taken_for_slicers_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slicer_folder = tmp_path / "Slicer"
    slicer_folder.mkdir()
    for folder in (tmp_path, slicer_folder):
        script(folder / "python-real", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", os.curdir, str(slicer_folder)]))
    assert interpreterModule.ownPython() == str(slicer_folder / "python-real")


def test_a_python_is_isolated_unless_it_finds_its_library_by_pythonhome() -> None:
    """As that of an installed Slicer: isolated, it would not even start."""
    assert Interpreter("python", {}, foreign=True).flags == ["-I", "-X", "utf8", "-u"]
    slicers = Interpreter("python-real", {"PYTHONHOME": "/slicer/lib/Python"}, foreign=False)
    assert slicers.flags == ["-s", "-X", "utf8", "-u"]


def test_only_folders_that_are_named_in_full_are_imported_from(tmp_path: Path) -> None:
    named = os.pathsep.join(["", str(tmp_path), "relative", os.curdir, ""])
    arguments = Interpreter("python", {"PYTHONPATH": named}, foreign=True).running("module", "a")
    assert arguments[-3:] == [str(tmp_path), "module", "a"]

"""Which Python runs the engine, what it has, and what is said when it can't."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import qt
from hostile_folder import HostileFolder
from PETAnomalyLib.panel.environment.inspection import (
    Device,
    EnvironmentProbe,
    EnvironmentReport,
    Package,
    readAnswer,
)
from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter
from stub_interpreter import script
from waiting import waitFor

posixOnly = pytest.mark.skipif(os.name != "posix", reason="a shell script as interpreter")


def probe(interpreter: Interpreter, seconds: float = 90.0) -> EnvironmentReport:
    reports: list[EnvironmentReport] = []
    asking = EnvironmentProbe()
    asking.start(interpreter, reports.append)
    assert reports == []  # it does not block
    waitFor(lambda: reports, seconds)
    assert len(reports) == 1
    assert not asking.isRunning
    return reports[0]


@pytest.fixture(autouse=True)
def noChoice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PETANOMALY_PYTHON", raising=False)
    qt.QSettings().remove("PETAnomaly/Interpreter")


def test_this_python_is_reported_with_its_versions_and_devices() -> None:
    pytest.importorskip("torch")
    from importlib.metadata import version

    report = probe(findInterpreter())
    assert report.error == ""
    assert report.pythonVersion == ".".join(str(n) for n in sys.version_info[:3])
    assert report.torchVersion == version("torch")
    assert report.monaiVersion == version("monai")
    assert report.devices[-1] == Device("cpu", "CPU")
    assert report.missing == ()
    assert report.ready


def test_nothing_of_the_current_folder_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = HostileFolder(tmp_path / "data")
    monkeypatch.chdir(hostile.path)
    found = findInterpreter()
    for more in ({}, {"PYTHONHOME": sys.base_prefix}):
        path = os.pathsep.join([*(entry for entry in sys.path if entry), ""])
        environment = {**found.environment, **more, "PYTHONPATH": path}
        report = probe(Interpreter(found.path, environment, foreign=False))
        assert hostile.marks() == ""
        assert report.error == ""
        assert report.ready


@posixOnly
def test_a_python_without_torch_reports_what_is_missing_and_its_size(tmp_path: Path) -> None:
    # -S: no site-packages, so nothing is installed there
    python = script(tmp_path / "python bare ä", f'exec "{sys.executable}" -S "$@"\n')
    report = probe(python)
    assert report.error == ""
    assert report.torchVersion is None
    assert {"torch", "monai", "numpy"} <= {package.name for package in report.missing}
    assert report.missingSizeMB == sum(package.sizeMB for package in report.missing) > 100
    assert not report.ready


@posixOnly
def test_a_torch_that_cannot_be_imported_is_an_error_and_not_missing(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.13 not found')")
    info = tmp_path / "torch-2.6.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.6.0\n")
    python = script(tmp_path / "python", f'exec "{sys.executable}" -S "$@"\n')
    environment = {**python.environment, "PYTHONPATH": str(tmp_path)}
    report = probe(Interpreter(python.path, environment, foreign=True))
    assert "libcudart.so.13" in report.error
    assert "torch" not in {package.name for package in report.missing}


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "python")
    report = probe(Interpreter(missing, dict(os.environ), foreign=True))
    assert missing in report.error
    assert not report.ready


@posixOnly
def test_an_interpreter_that_fails_says_why(tmp_path: Path) -> None:
    python = script(tmp_path / "python", "echo 'SRE module mismatch' >&2\nexit 1\n")
    assert "SRE module mismatch" in probe(python).error


@posixOnly
def test_a_cancelled_question_is_not_answered(tmp_path: Path) -> None:
    reports: list[EnvironmentReport] = []
    asking = EnvironmentProbe()
    asking.start(script(tmp_path / "slow", "sleep 600\n"), reports.append)
    asking.cancel()
    asking.start(script(tmp_path / "python", f'exec "{sys.executable}" -S "$@"\n'), reports.append)
    waitFor(lambda: reports, 60.0)
    assert len(reports) == 1
    assert reports[0].pythonVersion


def test_words_around_the_answer_do_not_matter() -> None:
    answer = (
        'PETANOMALY-PROBE {"python": "3.12.1", "packages": {"torch": "1.13.1"}, '
        '"devices": [{"id": "cuda:0", "label": "A100"}, {"id": "cpu", "label": "CPU"}], '
        '"error": ""}'
    )
    report = readAnswer(f"some banner\n{answer}\nbye", "warnings")
    assert report.devices[0].id == "cuda:0"
    assert "torch" in {package.name for package in report.missing}  # 1.13 is too old


@pytest.mark.parametrize(
    ("version", "met"),
    [("2.2", True), ("2.13.0+cu130", True), ("3.0", True), ("2.1.9", False), (None, False)],
)
def test_versions_are_compared_as_numbers(version: str | None, met: bool) -> None:
    assert Package("torch", (2, 2), 1).isMetBy(version) is met

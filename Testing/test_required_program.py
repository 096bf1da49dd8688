"""A program that is missing is skipped, but where everything must run: then it is a failure."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from repository import ROOT, TESTING
from required_program import EVERYTHING, file, program


def test_what_is_missing_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(EVERYTHING, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        program("no-such-program", "a-package")
    with pytest.raises(pytest.skip.Exception, match="a-package"):
        file(tmp_path / "nothing", "a-package")


def test_but_fails_where_everything_must_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(EVERYTHING, "1")
    with pytest.raises(pytest.fail.Exception, match="sh programs installs it"):
        program("no-such-program", "a-package")
    with pytest.raises(pytest.fail.Exception, match="a-package"):
        file(tmp_path / "nothing", "a-package")


def test_make_test_all_says_so_and_make_test_does_not() -> None:
    for target, said in (("test-all", True), ("test", False)):
        shown = subprocess.run(
            ["make", "--dry-run", "--always-make", target],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert (f"{EVERYTHING}=1" in shown) == said
        assert ("system_libraries.sh programs" in shown) == said


def test_every_package_that_a_test_names_is_one_that_is_installed() -> None:
    script = (TESTING / "system_libraries.sh").read_text(encoding="utf-8")
    for package in ("dicom3tools", "openssl", "orthanc", "orthanc-dicomweb"):
        assert f" {package} #" in script or f" {package}\n" in script

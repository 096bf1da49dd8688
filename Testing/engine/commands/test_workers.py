"""The options that say who does the work on many studies, in every command that has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_process import run_petanomaly
from PETAnomalyLib.engine import cli


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "--cohort", "c", "--model", "pet-phantom"],
        ["phantom", "--count", "1", "--seed", "1"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--processes", "2", "--scheduler", "tcp://x:1"], "--processes is for this computer"),
        (["--scheduler-options", "x.yaml"], "is for a batch system"),
        (["--scheduler", "tcp://x:1", "--scheduler-options", "x.yaml"], "is for a batch system"),
    ],
)
def test_options_that_do_not_go_together_are_said(
    command: list[str],
    words: list[str],
    complaint: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([*command, "--out", str(tmp_path / "out"), *words]) == 2
    assert complaint in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_phantoms_made_in_two_processes_are_the_same_files(tmp_path: Path) -> None:
    for processes in (1, 2):
        run = run_petanomaly(
            "phantom", "--out", tmp_path / str(processes), "--count", 2, "--seed", 77,
            "--processes", processes, seconds=300,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.nii.gz")}
        for folder in (tmp_path / "1", tmp_path / "2")
    )
    assert len(one) == 6
    assert one == two

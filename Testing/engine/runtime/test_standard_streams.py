"""Standard streams that are closed or full: whatever a command does, no traceback, and an exit code
that says what became of it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from engine_process import environment, petanomaly_command
from PETAnomalyLib.engine.bundles.bundle import Bundle

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a shell and /dev/full")

ABSENT = ("detect", "--pet", "none.nii.gz", "--out", "result", "--model", "pet-phantom")
BAD_INPUT = {
    "models": ("models", "show", "none"),
    "suv": ("suv", "none", "--out", "suv.nii.gz"),
    "cohort": ("cohort", "check", "none"),
    "train": ("train", "vqgan", "--cohort", "none", "--config", "none", "--out", "run"),
    "calibrate": ("calibrate", "--model", "none", "--cohort", "none", "--out", "c.json"),
    "export": ("export", "--config", "none", "--runs", "none", "--out", "model"),
    "evaluate": ("evaluate", "--cohort", "none", "--model", "none", "--out", "evaluation"),
    "bench": ("bench", "--device", "tpu"),
    "phantom": ("phantom", "--out", "/proc/none", "--count", "1", "--seed", "1"),
    "detect": ABSENT,
    "usage": ("detect",),
}


def run(folder: Path, words: tuple[str, ...], streams: str) -> subprocess.CompletedProcess[str]:
    """Run `petanomaly` with redirections of the shell, buffered as for everybody."""
    command = shlex.join([sys.executable, *petanomaly_command(*words)])
    without = {k: v for k, v in environment().items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["sh", "-c", f"exec {command} {streams}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=without,
        cwd=folder,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", [("models", "list"), ("--help",), ("--version",)])
def test_output_that_nobody_wants_is_no_failure(
    tmp_path: Path, words: tuple[str, ...], streams: str
) -> None:
    done = run(tmp_path, words, streams)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [("models", "list"), ("--help",), ("--version",)])
def test_output_that_cannot_be_written_is_a_full_disk(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = run(tmp_path, words, ">/dev/full")
    assert done.returncode == 2
    assert "The disk is full" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", BAD_INPUT)
def test_bad_input_has_its_exit_code_where_it_cannot_be_said(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, BAD_INPUT[command], "2>/dev/full")
    assert (done.returncode, done.stdout) == (2, "")
    done = run(tmp_path, BAD_INPUT[command], "2>&- >&-")
    assert done.returncode == 2


@pytest.mark.parametrize("streams", [">/dev/full", ">&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_events_that_cannot_be_told_leave_the_exit_code(tmp_path: Path, streams: str) -> None:
    done = run(tmp_path, (*ABSENT, "--events"), streams)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_stdin_was_never_open_has_no_leash(tmp_path: Path) -> None:
    """A descriptor that is closed is given to the first file that is opened: here to the events,
    which are a pipe whose end nobody holds."""
    done = run(tmp_path, (*ABSENT, "--events"), "<&-")
    assert done.returncode == 2
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["message"]) == ("error", "none.nii.gz does not exist.")


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param("<&-", marks=pytest.mark.slow),
        pytest.param("<&- >&-", marks=pytest.mark.slow),
        pytest.param("2>/dev/full", marks=pytest.mark.slow),
        ">/dev/full",
    ],
)
def test_a_detection_is_made_all_the_same(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle], streams: str
) -> None:
    model = tiny_bundles["autoencoder"].path
    words = ["detect", "--pet", tiny_study / "SUV.nii.gz", "--model", model, "--out", "result"]
    events = ["--events"] if "<&-" in streams else []
    done = run(tmp_path, tuple(map(str, [*words, *events])), streams)
    assert done.returncode == 0, done.stderr
    assert "report.json" in {path.name for path in (tmp_path / "result").iterdir()}

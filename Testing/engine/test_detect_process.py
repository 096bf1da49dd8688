"""`petanomaly detect` as a process that is followed, cancelled, killed and starved of disk."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_process import Runs, petanomaly_command, run_petanomaly, start_python
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.runtime.output import RESULT_FILES

SECONDS = 300  # only a hang takes longer, also on a busy machine
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
ALWAYS = RESULT_FILES - {"reconstructions.npz", "findings.seg.dcm", "findings.sr.dcm"}


def detect_words(study: Path, bundle: Bundle, out: Path) -> list[str]:
    words = ["detect", "--pet", study / "SUV.nii.gz", "--ct", study / "CTres.nii.gz"]
    return [str(word) for word in [*words, "--model", bundle.path, "--out", out, "--device", "cpu"]]


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def follow_until(process: subprocess.Popen[str], stage: str) -> None:
    """Read events until a stage begins."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "stage" and event["name"] == stage:
            return
    pytest.fail(f"the run ended before the stage {stage}")


def last_event(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read the rest; stdin is left as it is."""
    assert process.stdout is not None
    lines = process.stdout.readlines()
    process.wait(SECONDS)
    event: dict[str, Any] = json.loads(lines[-1])
    return event


def test_a_run_tells_its_stages_progress_and_result_with_any_path(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    place = tmp_path / "Ordner mit Leerzeichen" / "Größe 患者"
    study = Path(shutil.copytree(tiny_study, place / "Studie Ä"))
    shutil.copytree(tiny_bundles["petct"].path, place / "modèle")
    words = detect_words(study, tiny_bundles["petct"], place / "Ergebnis ✓")
    words[words.index("--model") + 1] = str(place / "modèle")
    run = run_petanomaly(*words, "--events", seconds=SECONDS)
    assert run.returncode == 0, run.stderr
    events = [json.loads(line) for line in run.stdout.splitlines()]
    stages = [event["name"] for event in events if event["event"] == "stage"]
    assert stages == ["read", "align", "heal", "score", "delineate", "write"]
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert events[-1] == {"event": "result", "dir": str(place / "Ergebnis ✓")}
    assert names(place / "Ergebnis ✓") == ALWAYS
    assert names(place) == {"Studie Ä", "modèle", "Ergebnis ✓"}


@pytest.mark.slow
@posix_only
@pytest.mark.parametrize("stage", ["read", "align", "heal"])
def test_a_run_that_is_asked_to_stop_in_mid_stage_stops_and_leaves_nothing(
    stage: str, tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    out = tmp_path / "new" / "result"
    words = detect_words(tiny_study, tiny_bundles["petct"], out)
    process = start_python(petanomaly_command(*words, "--events"))
    follow_until(process, stage)
    process.send_signal(signal.SIGTERM)
    assert last_event(process)["kind"] == "cancelled"
    assert process.returncode == 4
    assert names(tmp_path) == set()


def test_a_run_whose_starter_closes_the_pipe_stops_and_leaves_nothing(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    words = detect_words(tiny_study, tiny_bundles["petct"], tmp_path / "result")
    process = start_python(petanomaly_command(*words, "--events"))
    follow_until(process, "align")
    assert process.stdin is not None
    process.stdin.close()
    process.wait(SECONDS)
    assert process.returncode == 4
    assert names(tmp_path) == set()


@pytest.fixture
def runs() -> Iterator[Runs]:
    with contextlib.closing(Runs("PETAnomalyLib.engine.detection")) as started:
        yield started


def session_members(session: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if os.getsid(int(entry.name)) == session:
                    members.append(int(entry.name))
            except ProcessLookupError:
                continue
    return members


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_killed_at_a_random_moment_20_times_no_half_result_and_no_process_is_left(
    tmp_path: Path, runs: Runs, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    words = detect_words(tiny_study, tiny_bundles["petct"], tmp_path / "result")
    log = tmp_path / "log"
    began = time.monotonic()
    runs.start(words, log)
    assert runs.status() == 0, log.read_text()
    duration = time.monotonic() - began
    assert names(tmp_path / "result") == ALWAYS
    moments = random.Random(7)
    for number in range(20):
        if number % 2:  # half of the kills replace an earlier result, half have none to replace
            shutil.rmtree(tmp_path / "result", ignore_errors=True)
        run = runs.start(words, log)
        time.sleep(moments.uniform(0, duration))
        with contextlib.suppress(ProcessLookupError):  # it was done before
            os.kill(run, signal.SIGKILL)
        assert runs.status() in (0, signal.SIGKILL)
        assert session_members(run) == []
        if (tmp_path / "result").exists():
            assert names(tmp_path / "result") == ALWAYS
            json.loads((tmp_path / "result" / "report.json").read_text())
    runs.start(words, log)
    assert runs.status() == 0, log.read_text()
    assert names(tmp_path) == {"log", "result"}, "the next run removes what the killed ones left"


TELLS_OF_PROCESSES = """
import sys
sys.addaudithook(
    lambda event, _: print(event, file=sys.stderr)
    if event in ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")
    else None
)
from PETAnomalyLib.engine.cli import main
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_run_starts_no_process_that_could_outlive_it(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    words = detect_words(tiny_study, tiny_bundles["petct"], tmp_path / "result")
    process = start_python(["-c", TELLS_OF_PROCESSES, *words])
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert names(tmp_path / "result") == ALWAYS
    assert not re.search(r"^(subprocess|os)\.", said, re.MULTILINE), said


@pytest.mark.slow
def test_a_disk_that_fills_up_is_said_and_leaves_nothing(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("mounting a small disk needs root")
    try:
        words = detect_words(tiny_study, tiny_bundles["petct"], disk / "result")
        run = run_petanomaly(*words, "--events", seconds=SECONDS)
        assert run.returncode == 2, run.stderr
        assert "disk is full" in json.loads(run.stdout.splitlines()[-1])["message"]
        assert names(disk) == set()
    finally:
        subprocess.run(["umount", str(disk)], check=True)

"""Detection on another computer, through the system's ssh and a real sshd on this one."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import SimpleITK as sitk
from engine_process import petanomaly_command, run_petanomaly
from pet_as_dicom import write_pet_as_dicom
from PETAnomalyLib import __version__
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from repository import SHARED_DATA
from ssh_server import OtherSide, other_side

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="sshd of POSIX")]

SETTINGS = ("--seed", "3", "--device", "cpu", "--threshold=0.05", "--min-volume", "1")
SAME = ("kde.nii.gz", "zscore.nii.gz", "residual.nii.gz", "scored_mask.nii.gz", "findings.csv",
        "segmentation.seg.nrrd", "overview.png")  # fmt: skip
ENDS_WITHIN = 10.0


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherSide]:
    with other_side(tmp_path_factory.mktemp("ssh") / "there") as side:
        yield side


@pytest.fixture
def study(tmp_path: Path, tiny_study: Path) -> Path:
    """In folders of an ordinary hospital."""
    return Path(shutil.copytree(tiny_study, tmp_path / "Müller, Zoë" / "PET 1 (später)"))


def command(side: OtherSide, study: Path, out: Path, bundle: Bundle, *more: str) -> list[str]:
    return [
        sys.executable,
        *petanomaly_command(
            "detect", "--pet", study / "SUV.nii.gz", "--ct", study / "CTres.nii.gz",
            "--out", out, "--model", bundle.path, *SETTINGS, "--events", *side.options, *more,
        ),
    ]  # fmt: skip


def start(side: OtherSide, words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        encoding="utf-8", env=side.environment,
    )  # fmt: skip


def run(side: OtherSide, words: list[str]) -> tuple[int, list[dict[str, str]], str]:
    """Exit code, events and stderr."""
    ran = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
        env=side.environment, timeout=120, check=False,
    )  # fmt: skip
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


def wait_for_stage(process: subprocess.Popen[str], name: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("name") == name:
            return
    raise AssertionError(process.communicate()[1])


def test_the_result_is_that_of_a_local_run_and_nothing_stays_there(
    there: OtherSide, study: Path, tmp_path: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    out = tmp_path / "Ergebnis für Zoë"
    code, events, errors = run(there, command(there, study, out, tiny_bundles["petct"]))
    assert code == 0, (events, errors)
    assert events[-1] == {"event": "result", "dir": str(out)}
    stages = [event["name"] for event in events if event["event"] == "stage"]
    assert stages[:2] == ["connect", "send"]
    assert "heal" in stages
    assert there.left_behind() == []

    here = tmp_path / "here"
    ran = run_petanomaly(
        "detect", "--pet", study / "SUV.nii.gz", "--ct", study / "CTres.nii.gz", "--out", here,
        "--model", tiny_bundles["petct"].path, *SETTINGS,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in here.iterdir()
    )
    for name in SAME:
        assert (out / name).read_bytes() == (here / name).read_bytes(), name
    report, local = (json.loads((f / "report.json").read_text("utf-8")) for f in (out, here))
    for part in ("inputs", "settings", "fit", "frame", "findings", "warnings", "versions"):
        assert report[part] == local[part], part
    assert report["model"]["sha256"] == local["model"]["sha256"]
    assert str(there.temporary) not in json.dumps(report, ensure_ascii=False)


def test_dicom_results_and_organs_go_the_same_way(
    there: OtherSide, study: Path, tmp_path: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    """A DICOM folder and a folder of masks there, DICOM objects and all columns back."""
    pytest.importorskip("highdicom")
    pet = write_pet_as_dicom(study / "SUV.nii.gz", tmp_path / "PET à 1 h")
    masks = tmp_path / "Organe für Zoë"
    masks.mkdir()
    bladder = read_suv(pet)[0] > 5.0
    sitk.WriteImage(bladder, str(masks / "urinary_bladder.nii.gz"))
    words = ["detect", "--pet", pet, "--model", tiny_bundles["autoencoder"].path, "--organs", masks,
             "--dicom", "--device", "cpu"]  # fmt: skip
    out, here = tmp_path / "out", tmp_path / "here"
    far = [sys.executable, *petanomaly_command(*words, "--out", out, "--events", *there.options)]
    code, events, errors = run(there, far)
    assert code == 0, (events, errors)
    assert there.left_behind() == []
    ran = run_petanomaly(*words, "--out", here)
    assert ran.returncode == 0, ran.stderr
    files = sorted(path.name for path in here.iterdir())
    assert {"findings.seg.dcm", "findings.sr.dcm"} <= set(files)
    assert "organ" in (here / "findings.csv").read_text("utf-8").splitlines()[0].split(",")
    assert sorted(path.name for path in out.iterdir()) == files
    for name in files:
        if name != "report.json":
            assert (out / name).read_bytes() == (here / name).read_bytes(), name
    inputs = [json.loads((f / "report.json").read_text("utf-8"))["inputs"] for f in (out, here)]
    assert inputs[0] == inputs[1]

    sitk.WriteImage(bladder & False, str(masks / "urinary_bladder.nii.gz"))
    far[far.index(str(out))] = str(tmp_path / "refused")
    code, events, _errors = run(there, far)
    assert code == 2
    assert str(masks) in events[-1]["message"]
    assert str(there.temporary) not in json.dumps(events, ensure_ascii=False)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the shared data are not here")
def test_a_real_whole_body_scan_goes_there_and_comes_back(there: OtherSide, tmp_path: Path) -> None:
    pet = SHARED_DATA / "wholebody-pet-sts001" / "dicom"
    words = ["detect", "--pet", pet, "--model", "ae-dense-phantom", "--device", "cpu"]
    out, here = tmp_path / "out", tmp_path / "here"
    far = [sys.executable, *petanomaly_command(*words, "--out", out, "--events", *there.options)]
    code, events, errors = run(there, far)
    assert code == 0, (events, errors)
    assert there.left_behind() == []
    ran = run_petanomaly(*words, "--out", here)
    assert ran.returncode == 0, ran.stderr
    for name in ("residual.nii.gz", "findings.csv", "segmentation.seg.nrrd", "overview.png"):
        assert (out / name).read_bytes() == (here / name).read_bytes(), name


def test_two_runs_at_once_do_not_meet(
    there: OtherSide, study: Path, tmp_path: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    runs = [start(there, command(there, study, out, tiny_bundles["petct"])) for out in outs]
    for process in runs:  # not `communicate`: it closes stdin, which stops the one that still runs
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(120) == 0, errors
    for process in runs:
        process.communicate()
    one, two = (out / "kde.nii.gz" for out in outs)
    assert one.read_bytes() == two.read_bytes()
    assert there.left_behind() == []


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "closed stdin", "ssh killed", "ssh stopped",
                                 "there killed", "detection there killed"])  # fmt: skip
def test_whatever_ends_in_the_middle_all_of_it_ends_and_nothing_stays(
    there: OtherSide, study: Path, tmp_path: Path, tiny_bundles: dict[str, Bundle], how: str
) -> None:
    out = tmp_path / "out"
    long = ("--samples", "1000")
    process = start(there, command(there, study, out, tiny_bundles["petct"], *long))
    try:
        wait_for_stage(process, "heal")
        end(there, process, how)
        limit = ENDS_WITHIN + (1.0 if how == "ssh stopped" else 0.0)  # it is noticed at 10 s
        begin = time.monotonic()
        if how == "there killed":  # nobody was left there to remove it: the next run does
            wait_until_no_process(there, limit)
        else:
            there.wait_until_clean(ENDS_WITHIN)
        assert process.stdout is not None
        said = process.stdout.read()  # not `communicate`, which closes stdin
        process.wait(5)
        assert time.monotonic() - begin < limit + 1
    finally:
        process.kill()
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [] or (
        how == "SIGKILL"  # as of a local run: the next one for this result removes it
    )
    if how in ("SIGTERM", "closed stdin"):
        assert process.returncode == 4
    elif how != "SIGKILL":
        error = json.loads(said.splitlines()[-1])
        assert error["event"] == "error"
        assert "there" in error["message"]
        assert error["hint"]
    if how == "there killed":
        code, _events, errors = run(
            there, command(there, study, tmp_path / "next", tiny_bundles["petct"])
        )
        assert code == 0, errors
        assert there.left_behind() == []


def end(there: OtherSide, process: subprocess.Popen[str], how: str) -> None:
    if how.startswith("SIG"):
        process.send_signal(getattr(signal, how))
    elif how == "closed stdin":
        assert process.stdin is not None
        process.stdin.close()
    elif how.startswith("ssh"):
        children = Path(f"/proc/{process.pid}/task").glob("*/children")
        (ssh,) = {int(pid) for file in children for pid in file.read_text().split()}
        os.kill(ssh, signal.SIGSTOP if how == "ssh stopped" else signal.SIGKILL)
    else:
        wanted = " detect " if how.startswith("detection") else " remote serve"
        (found,) = [words for words in there.processes() if wanted in f"{words} "]
        os.kill(int(found.split()[0]), signal.SIGKILL)


def wait_until_no_process(there: OtherSide, seconds: float) -> None:
    end = time.monotonic() + seconds
    while there.processes():
        assert time.monotonic() < end, there.processes()
        time.sleep(0.05)


def test_twenty_runs_killed_at_any_moment_leave_nothing(
    there: OtherSide, study: Path, tmp_path: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    """On either side in turn, from before the study has been sent to after the result has come."""
    draws = random.Random(28)
    for number in range(20):
        process = start(there, command(there, study, tmp_path / "out", tiny_bundles["petct"]))
        time.sleep(draws.uniform(0.5, 6.0))
        if number % 2:
            process.kill()
        else:
            serving = [words for words in there.processes() if "remote serve" in words]
            with contextlib.suppress(ProcessLookupError):
                for words in serving:
                    os.kill(int(words.split()[0]), signal.SIGKILL)
        process.communicate(timeout=ENDS_WITHIN + 20)
        wait_until_no_process(there, ENDS_WITHIN)
        if number % 2:
            assert len(there.left_behind()) <= 1  # of the one before, which was killed there
    code, _events, errors = run(
        there, command(there, study, tmp_path / "out", tiny_bundles["petct"])
    )
    assert code == 0, errors
    assert there.left_behind() == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_there_is_said_and_nothing_stays(
    tmp_path: Path, study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    with other_side(tmp_path / "there", limit="ulimit -f 40") as side:  # of 512 or 1024 bytes
        code, events, _errors = run(
            side, command(side, study, tmp_path / "out", tiny_bundles["petct"])
        )
        assert code == 2
        assert events[-1]["message"].startswith("On there: The disk is full")
        assert side.left_behind() == []
        assert not (tmp_path / "out").exists()


def test_what_is_wrong_on_the_way_is_said_in_words(
    tmp_path: Path, study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    bundle = tiny_bundles["petct"]

    def message(side: OtherSide, *more: str) -> str:
        words = command(side, study, tmp_path / "out", bundle, *more)
        code, events, _errors = run(side, words)
        assert code == 2
        assert events[-1]["hint"]
        assert not (tmp_path / "out").exists()
        return events[-1]["message"]

    with other_side(tmp_path / "there") as side:
        assert "There is no program /no where/petanomaly on there" in message(
            side, "--program", "/no where/petanomaly"
        )
        assert "there is no model" in message(side, "--model", "absent").lower()
        known = (side.folder / "known_hosts").read_text("ascii")
        (side.folder / "known_hosts").write_text("", "ascii")
        assert message(side) == "The host key of there is not known."
        other = (side.folder / "key.pub").read_text("ascii").split()[1]
        (side.folder / "known_hosts").write_text(known.replace(known.split()[2], other), "ascii")
        assert "another host key" in message(side)
        (side.folder / "known_hosts").write_text(known, "ascii")
        (side.folder / "authorized_keys").write_text("", "ascii")
        assert message(side) == "there does not accept any of your keys."
    assert "cannot be reached" in message(side)


def test_another_version_there_is_refused(
    there: OtherSide, study: Path, tmp_path: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    older = tmp_path / "older"
    text = there.petanomaly.read_text("utf-8").splitlines()
    text[-1] = (
        f'exec {sys.executable} -c \'import PETAnomalyLib; PETAnomalyLib.__version__ = "0.0.1"; '
        'import sys; from PETAnomalyLib.engine.cli import main; sys.exit(main())\' "$@"'
    )
    older.write_text("\n".join(text), "utf-8")
    older.chmod(0o755)
    words = command(there, study, tmp_path / "out", tiny_bundles["petct"])
    code, events, _errors = run(there, [*words, "--program", str(older)])
    assert code == 2
    assert "0.0.1" in events[-1]["message"]
    assert __version__ in events[-1]["message"]


def test_the_other_computer_says_what_it_has(there: OtherSide) -> None:
    host, *program = there.options[1:]
    words = [sys.executable, *petanomaly_command("remote", "check", host, *program, "--json")]
    ran = subprocess.run(
        words, capture_output=True, text=True, encoding="utf-8", env=there.environment,
        timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["version"] == __version__
    assert "petct-phantom" in [model["name"] for model in found["models"]]
    assert found["free_disk_bytes"] > 0
    assert found["free_memory_bytes"] > 0
    assert isinstance(found["cards"], list)
    assert there.left_behind() == []


def test_words_in_front_of_the_program_come_in_front_of_it(
    there: OtherSide, tmp_path: Path
) -> None:
    """As `srun` would on a login node: the errand passes through it."""
    queue = tmp_path / "a queue"
    note = tmp_path / "note"
    queue.write_text(f'#!/bin/sh\necho "$1" > {note}\nshift\n"$@"\n', "utf-8")
    queue.chmod(0o755)
    words = ["remote", "check", *there.options[1:], "--before", f"'{queue}' --gres=gpu:1"]
    ran = subprocess.run(
        [sys.executable, *petanomaly_command(*words)], capture_output=True, text=True,
        encoding="utf-8", env=there.environment, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert note.read_text("utf-8") == "--gres=gpu:1\n"
    assert "petanomaly:" in ran.stdout

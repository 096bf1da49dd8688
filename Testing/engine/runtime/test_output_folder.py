"""The result folder is there whole or not at all."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_process import start_python
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import abandon_partial_output, output_folder


def fill(folder: Path, text: str = "new") -> None:
    (folder / "report.json").write_text(text)
    (folder / "findings.csv").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_folder_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "result"
    with output_folder(target) as partial:
        fill(partial)
        assert not target.exists()
        assert partial.parent == tmp_path
        assert partial.name == f".result.partial-{os.getpid()}"
    assert names(target) == ["findings.csv", "report.json"]
    assert names(tmp_path) == ["result"]


@pytest.mark.parametrize("folder", ["plain", "with space", "Überweisung Ψ 患者", "a.b"])
def test_any_folder_name_works(tmp_path: Path, folder: str) -> None:
    with output_folder(tmp_path / folder) as partial:
        fill(partial)
    assert names(tmp_path) == [folder]


@pytest.mark.parametrize("failure", [ValueError("bug"), KeyboardInterrupt(), SystemExit(4)])
def test_any_exception_leaves_nothing_behind(tmp_path: Path, failure: BaseException) -> None:
    def interrupted() -> None:
        with output_folder(tmp_path / "made" / "on" / "the way") as partial:
            fill(partial)
            raise failure

    with pytest.raises(type(failure)):
        interrupted()
    assert names(tmp_path) == []


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with output_folder(tmp_path / "a" / "b" / "c") as partial:
        fill(partial)
    assert names(tmp_path / "a" / "b" / "c") == ["findings.csv", "report.json"]


def test_a_parent_that_was_there_before_stays_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="bug"), output_folder(tmp_path / "mine" / "result"):
        raise ValueError("bug")
    assert names(tmp_path) == ["mine"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    with output_folder(tmp_path / "result") as partial:
        fill(partial)
    assert names(tmp_path / "result") == ["findings.csv", "report.json"]


def test_a_relative_path_means_the_folder_it_meant_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with output_folder(Path("result")) as partial:
        fill(partial)
        monkeypatch.chdir("/")
    assert names(tmp_path) == ["result"]


def test_an_earlier_result_is_replaced_and_none_of_its_files_stays(tmp_path: Path) -> None:
    target = tmp_path / "result"
    target.mkdir()
    fill(target, "old")
    (target / "reconstructions.npz").write_text("old")
    with output_folder(target) as partial:
        fill(partial)
        assert (target / "report.json").read_text() == "old"
    assert names(target) == ["findings.csv", "report.json"]
    assert (target / "report.json").read_text() == "new"
    assert names(tmp_path) == ["result"]


def test_an_earlier_result_survives_a_failed_run(tmp_path: Path) -> None:
    target = tmp_path / "result"
    target.mkdir()
    fill(target, "old")
    with pytest.raises(ValueError, match="bug"), output_folder(target):
        raise ValueError("bug")
    assert (target / "report.json").read_text() == "old"
    assert names(tmp_path) == ["result"]


def test_a_folder_with_other_files_is_refused_by_their_name_even_beside_a_result(
    tmp_path: Path,
) -> None:
    fill(tmp_path)
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.docx"), output_folder(tmp_path):
        pytest.fail("the block must not be entered")
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_result_files_without_a_report_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kde.nii.gz").write_text("?")
    with pytest.raises(InputError, match=r"report\.json"), output_folder(tmp_path):
        pytest.fail("the block must not be entered")


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "result").write_text("")
    with pytest.raises(InputError, match="is a file"), output_folder(tmp_path / "result"):
        pytest.fail("the block must not be entered")


@pytest.mark.parametrize(
    "place", ["/proc/result", "/proc/deeper/result", "file/result", "n" * 300, "nul\0"]
)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="output folder"), output_folder(tmp_path / place):
        pytest.fail("the block must not be entered")
    assert names(tmp_path) == ["file"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:  # noqa: PLW1510
        pytest.skip("mounting a small disk needs root")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(small_disk: Path) -> None:
    with (
        pytest.raises(InputError, match="disk is full"),
        output_folder(small_disk / "r") as partial,
    ):
        (partial / "kde.nii.gz").write_bytes(bytes(2_000_000))
    assert names(small_disk) == []


def test_a_full_disk_is_noticed_when_the_library_that_writes_says_nothing(small_disk: Path) -> None:
    def write_as_far_as_it_goes(file: Path) -> None:
        with file.open("wb", buffering=0) as stream:
            for _ in range(2000):
                try:
                    stream.write(bytes(1000))
                except OSError:
                    return

    with (
        pytest.raises(InputError, match="disk is full"),
        output_folder(small_disk / "r") as partial,
    ):
        write_as_far_as_it_goes(partial / "kde.nii.gz")
    assert names(small_disk) == []


def test_the_root_of_a_file_system_is_refused_because_it_cannot_be_renamed(
    small_disk: Path,
) -> None:
    with pytest.raises(InputError, match="root of a file system"), output_folder(small_disk):
        pytest.fail("the block must not be entered")


def test_other_errors_of_the_file_system_are_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cable") as caught, output_folder(tmp_path / "result"):
        raise OSError(errno.EIO, "cable")
    assert caught.value.errno == errno.EIO


def test_what_dead_runs_left_is_removed_and_what_live_runs_write_is_not(tmp_path: Path) -> None:
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    dead = tmp_path / f".result.partial-{finished.pid}"
    alive = tmp_path / f".result.partial-{os.getppid()}"
    other = tmp_path / f".another.partial-{finished.pid}"
    for folder in (dead, alive, other):
        folder.mkdir()
        fill(folder)
    with output_folder(tmp_path / "result") as partial:
        fill(partial)
    assert names(tmp_path) == sorted([alive.name, other.name, "result"])


def test_an_earlier_result_comes_back_when_a_run_died_between_its_two_renames(
    tmp_path: Path,
) -> None:
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    aside = tmp_path / f".result.earlier-{finished.pid}"
    aside.mkdir()
    fill(aside, "old")
    with pytest.raises(ValueError, match="bug"), output_folder(tmp_path / "result"):
        raise ValueError("bug")
    assert (tmp_path / "result" / "report.json").read_text() == "old"


KILLED_WHILE_REMOVING = """
import os, shutil, sys
from pathlib import Path
from PETAnomalyLib.engine.runtime.output import output_folder
def remove_one_and_die(folder, **_):
    files = sorted(Path(folder).glob("*"))
    if files:
        files[-1].unlink()
        os._exit(9)
shutil.rmtree = remove_one_and_die
with output_folder(Path(sys.argv[1])) as partial:
    (partial / "report.json").write_text("new")
"""


@pytest.mark.parametrize("folder", ["result", "result.earlier-1"])
def test_half_of_a_replaced_result_does_not_come_back(tmp_path: Path, folder: str) -> None:
    target = tmp_path / folder
    target.mkdir()
    fill(target, "old")
    run = start_python(["-c", KILLED_WHILE_REMOVING, str(target)])
    assert run.wait(60) == 9
    assert names(target) == ["report.json"]
    shutil.rmtree(target)  # its user clears it away
    with pytest.raises(ValueError, match="bug"), output_folder(target):
        raise ValueError("bug")
    assert names(tmp_path) == []


def test_abandoning_removes_the_partial_folder_of_a_block_that_is_still_open(
    tmp_path: Path,
) -> None:
    def abandoned() -> None:
        with output_folder(tmp_path / "result") as partial:
            fill(partial)
            abandon_partial_output()
            assert names(tmp_path) == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        abandoned()
    assert names(tmp_path) == []


WRITER = """
import sys
from pathlib import Path
from PETAnomalyLib.engine.runtime.output import output_folder
print("ready", flush=True)
for number in range(100000):
    with output_folder(Path(sys.argv[1])) as partial:
        for name in ("report.json", "findings.csv", "kde.nii.gz"):
            (partial / name).write_text(str(number))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_at_a_random_moment_a_result_is_whole_or_absent(tmp_path: Path) -> None:
    moments = random.Random(2)
    target = tmp_path / "result"
    for _ in range(20):
        writer = start_python(["-c", WRITER, str(target)])
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        if target.exists():
            assert names(target) == ["findings.csv", "kde.nii.gz", "report.json"]
            assert len({file.read_text() for file in target.iterdir()}) == 1
    with output_folder(target) as partial:
        fill(partial)
    assert names(tmp_path) == ["result"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o700, 0o750, 0o2775, 0o755])
@pytest.mark.parametrize("holds", ["nothing", "a result"])
def test_a_folder_that_is_replaced_keeps_its_permissions(
    tmp_path: Path, mode: int, holds: str
) -> None:
    target = tmp_path / "result"
    target.mkdir()
    if holds == "a result":
        fill(target, "old")
    target.chmod(mode)
    with output_folder(target) as partial:
        assert stat.S_IMODE(partial.stat().st_mode) == mode, "from the start"
        fill(partial)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_and_its_owner_where_that_is_allowed(tmp_path: Path) -> None:
    target = tmp_path / "result"
    target.mkdir()
    os.chown(target, 12345, 23456)
    with output_folder(target) as partial:
        fill(partial)
    assert (target.stat().st_uid, target.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("name", ["report.json", "kde.nii.gz", ".DS_Store"])
@pytest.mark.parametrize("kind", ["a folder", "a link"])
def test_only_files_are_an_earlier_results(tmp_path: Path, name: str, kind: str) -> None:
    target, elsewhere = tmp_path / "result", tmp_path / "mine"
    fill_folder(target)
    (target / name).unlink(missing_ok=True)
    elsewhere.mkdir()
    (elsewhere / "thesis.docx").write_text("years of work")
    if kind == "a folder":
        elsewhere.rename(target / name)
    else:
        (target / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match=re.escape(name)), output_folder(target):
        pytest.fail("the block must not be entered")
    assert (target / name / "thesis.docx").read_text() == "years of work"


def fill_folder(folder: Path) -> None:
    folder.mkdir()
    fill(folder, "old")


@pytest.mark.parametrize("place", [".", "result", "models/deeper/result", "link"])
def test_a_place_in_a_model_is_refused(tmp_path: Path, place: str) -> None:
    model = tmp_path / "model"
    (model / "configs").mkdir(parents=True)
    (model / "configs" / "metadata.json").write_text("{}")
    (model / "SHA256SUMS").write_text("")
    (tmp_path / "link").symlink_to(model)
    target = tmp_path / "link" / "result" if place == "link" else model / place
    with pytest.raises(InputError, match="is a pretrained model"), output_folder(target):
        pytest.fail("the block must not be entered")
    assert names(model) == ["SHA256SUMS", "configs"]
    assert names(tmp_path) == ["link", "model"]


@pytest.mark.parametrize("letter", ["n", "ü", "患"])
def test_a_name_as_long_as_the_file_system_allows_works(tmp_path: Path, letter: str) -> None:
    folder = tmp_path / (letter * (255 // len(letter.encode())))
    for _ in range(2):
        with output_folder(folder) as partial:
            fill(partial)
    assert names(tmp_path) == [folder.name]
    assert names(folder) == ["findings.csv", "report.json"]


@pytest.mark.parametrize("place", ["n" * 256, "n" * 300 + "/result", "a/" + "n" * 300 + "/b"])
def test_a_longer_one_is_refused_wherever_it_stands(tmp_path: Path, place: str) -> None:
    with pytest.raises(InputError, match="File name too long"), output_folder(tmp_path / place):
        pytest.fail("the block must not be entered")
    assert names(tmp_path) == []

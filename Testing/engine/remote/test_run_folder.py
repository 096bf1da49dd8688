"""The folder of a run: this user's alone, gone with the run, a dead run's gone with the next."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PETAnomalyLib.engine.remote.run_folder import place, run_folder
from PETAnomalyLib.engine.runtime.errors import InputError
from repository import MODULE

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the other computer is POSIX")

HOLDS = (
    "import time\n"
    "from PETAnomalyLib.engine.remote.run_folder import run_folder\n"
    "with run_folder() as folder:\n"
    "    (folder.path / 'in' / 'scan').write_text('a patient')\n"
    "    print(folder.path, flush=True)\n"
    "    time.sleep(60)\n"
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def another_run() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(MODULE)},
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_nobody_else_may_look_into_it_and_it_is_gone_at_the_end() -> None:
    with run_folder() as folder:
        for path in (folder.path, folder.path.parent):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert {path.name for path in folder.path.iterdir()} == {".lock", "in", "tmp"}
    assert not folder.path.exists()


def test_it_is_gone_after_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), run_folder() as folder:
        raise ZeroDivisionError
    assert not folder.path.exists()


def test_a_living_run_is_left_alone_and_a_killed_ones_folder_is_removed() -> None:
    process, other = another_run()
    try:
        with run_folder():
            assert (other / "in" / "scan").is_file()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (other / "in" / "scan").is_file()
        with run_folder() as folder:
            assert [path.name for path in other.parent.glob("run-*")] == [folder.path.name]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kind", ["open to others", "link", "file"])
def test_a_place_that_is_not_this_users_alone_is_refused(tmp_path: Path, kind: str) -> None:
    home = place()
    home.rmdir()
    if kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        home.symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        home.touch(0o600)
    else:
        home.mkdir()
        home.chmod(0o755)
    with pytest.raises(InputError, match="not a folder of this user alone"), run_folder():
        pass
    if kind == "link":
        assert list((tmp_path / "elsewhere").iterdir()) == []

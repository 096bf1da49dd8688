"""The temporary folder of a run goes when its owner is done with it, and when its owner dies."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hostile_folder import HostileFolder
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.jobs.run_folder import RunFolder
from waiting import waitFor


def test_a_folder_is_there_empty_and_not_shared(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path), RunFolder(str(tmp_path))
    assert first.path.is_dir()
    assert first.path != second.path
    assert list(first.path.iterdir()) == []
    first.close()
    second.close()
    waitFor(lambda: not any(tmp_path.iterdir()))


def test_closing_takes_no_time_and_removes_all_that_is_in_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (folder.path / "result ä").mkdir()
    (folder.path / "pet.nrrd").write_bytes(bytes(10_000_000))
    begin = time.monotonic()
    folder.close()
    assert time.monotonic() - begin < 0.1
    assert not folder.path.exists()
    waitFor(lambda: not any(tmp_path.iterdir()), 5.0)
    folder.close()  # a second time is no harm


def test_its_watchdog_imports_nothing_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = HostileFolder(tmp_path / "data", by_module=False)
    monkeypatch.chdir(hostile.path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.curdir)
    runs = tmp_path / "runs"
    runs.mkdir()
    RunFolder(runs).close()
    waitFor(lambda: not any(runs.iterdir()), 5.0)
    assert hostile.marks() == ""


def test_what_a_dying_engine_still_writes_is_removed_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.close()
    folder.path.mkdir()
    (folder.path / "kde.nii.gz").write_bytes(b"late")
    waitFor(lambda: not any(tmp_path.iterdir()), 5.0)


@pytest.mark.skipif(os.name != "posix", reason="folder permissions")
def test_a_folder_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        RunFolder(tmp_path / "not there")
    assert str(tmp_path / "not there") in caught.value.message
    assert "Settings" in caught.value.hint

"""A result in one file: refused before the work, whole or absent after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import require_writable, write_whole


def test_a_place_that_will_do_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "earlier.json").write_text("earlier")
    require_writable(tmp_path / "earlier.json")
    require_writable(tmp_path / "new" / "folder" / "result.json")
    assert (tmp_path / "earlier.json").read_text() == "earlier"
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_place_that_will_not_do_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"result\.json cannot be written: "):
        require_writable(tmp_path / "file" / "result.json")
    with pytest.raises(InputError, match="is a folder"):
        require_writable(tmp_path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that takes no files")
def test_a_folder_that_takes_no_files_is_refused() -> None:
    with pytest.raises(InputError, match=r"/proc/result\.json cannot be written: "):
        require_writable(Path("/proc/result.json"))


def test_a_result_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    for text in ("first µ", "second"):
        write_whole(tmp_path / "result.json", text)
        assert (tmp_path / "result.json").read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [tmp_path / "result.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_what_cannot_be_written_to_the_end_leaves_the_earlier_result(
    tmp_path: Path,
) -> None:
    (tmp_path / "result.json").write_text("earlier")
    (tmp_path / f".result.json.{os.getpid()}").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "result.json", "later")
    assert (tmp_path / "result.json").read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [tmp_path / "result.json"]


@pytest.mark.parametrize("length", [250, 255])
def test_a_long_name_works(tmp_path: Path, length: int) -> None:
    file = tmp_path / ("n" * (length - 5) + ".json")
    require_writable(file)
    write_whole(file, "whole")
    assert [path.name for path in tmp_path.iterdir()] == [file.name]

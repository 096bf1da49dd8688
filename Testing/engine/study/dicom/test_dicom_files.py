"""Which files of a folder are looked into: regular ones, links followed, none forgotten."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from engine_process import environment
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.dicom_files import is_dicom
from PETAnomalyLib.engine.study.dicom.series import find_series
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from PETAnomalyLib.engine.study.study import read_pet
from pydicom.fileset import FileSet
from synthetic_dicom import a_body, pet_header, plain_factor, write_series

SHAPE = (5, 12, 12)
posix = pytest.mark.skipif(os.name == "nt", reason="pipes and modes of POSIX")


def series_in(folder: Path) -> list[Path]:
    return write_series(folder, pet_header(), a_body(SHAPE))


def is_whole(path: Path) -> bool:
    image, _, _ = read_pet(path)
    values = sitk.GetArrayFromImage(image)
    return np.allclose(values, a_body(SHAPE) * plain_factor(), rtol=1e-6)


@posix
def test_a_pipe_among_the_slices_is_told_and_not_waited_for(tmp_path: Path) -> None:
    series_in(tmp_path / "pet")
    os.mkfifo(tmp_path / "pet" / "aa.dcm")
    os.mkfifo(tmp_path / "pet" / "zz")
    code = (
        "import sys; from pathlib import Path; "
        "from PETAnomalyLib.engine.study.dicom.suv import read_suv; "
        "print(read_suv(Path(sys.argv[1]))[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "pet")],
        capture_output=True, text=True, env=environment(), timeout=60, check=False,
    )  # fmt: skip
    assert "2 pipes, sockets or devices" in done.stdout, done.stderr


@posix
def test_a_pipe_as_the_series_itself_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "series")
    with pytest.raises(InputError, match="a pipe"):
        read_suv(tmp_path / "series")


@posix
def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    series_in(tmp_path / "archive" / "pet")
    (tmp_path / "archive" / "pet" / "loop").symlink_to(tmp_path / "archive")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "a").symlink_to(tmp_path / "archive" / "pet")
    (tmp_path / "study" / "b").symlink_to(tmp_path / "archive")
    (tmp_path / "study" / "itself").symlink_to(tmp_path / "study")
    assert is_whole(tmp_path / "study")
    assert read_pet(tmp_path / "study")[1]["slices"] == SHAPE[0]
    (tmp_path / "link").symlink_to(tmp_path / "study")
    assert is_whole(tmp_path / "link")


@posix
def test_links_to_files_are_slices_and_links_to_nothing_are_missing_ones(tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    for number, path in enumerate(series_in(tmp_path / "objects")):
        (tmp_path / "links" / f"IM{number}").symlink_to(path)
    assert is_whole(tmp_path / "links")
    (tmp_path / "links" / "IM9").symlink_to(tmp_path / "not fetched")
    with pytest.raises(InputError, match=r"IM9 cannot be read.*leads nowhere"):
        read_pet(tmp_path / "links")


def test_a_dicomdir_means_its_folder(tmp_path: Path) -> None:
    paths = series_in(tmp_path / "pet")
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.StudyInstanceUID, dataset.StudyDate, dataset.StudyTime = "1.2.3", "20250101", "1000"
        dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", "1", "1"
        dataset.save_as(path)
    medium = FileSet()
    for path in paths:
        medium.add(path)
    medium.write(tmp_path / "disc")
    assert is_whole(tmp_path / "disc" / "DICOMDIR")
    (tmp_path / "disc" / "DICOMDIR").rename(tmp_path / "disc" / "index")
    assert is_whole(tmp_path / "disc" / "index")


def test_files_without_a_preamble_but_with_a_meta_header_are_seen(tmp_path: Path) -> None:
    for path in series_in(tmp_path / "pet"):
        content = path.read_bytes()
        assert content[128:132] == b"DICM"
        path.write_bytes(content[132:])
        path.rename(path.with_suffix(""))
    assert is_whole(tmp_path / "pet")
    assert is_dicom(next((tmp_path / "pet").iterdir()))


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\0" * 9000])
@pytest.mark.parametrize("ending", [".dcm", ".IMA"])
def test_a_slice_by_name_that_holds_nothing_is_refused(
    tmp_path: Path, content: bytes, ending: str
) -> None:
    """A copy that broke off: without the last slice the volume would only be shorter."""
    paths = series_in(tmp_path)
    ordered = sorted(paths, key=lambda path: pydicom.dcmread(path).ImagePositionPatient[2])
    ordered[-1].unlink()
    ordered[-1].with_suffix(ending).write_bytes(content)
    with pytest.raises(InputError, match="truncated") as raised:
        read_pet(tmp_path)
    assert ordered[-1].stem in raised.value.message


@posix
def test_what_may_not_be_read_is_not_left_out_without_a_word(tmp_path: Path) -> None:
    """In a process that is not root's, whom no mode stops."""
    code = """
import os, sys
from pathlib import Path
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_pet
if os.geteuid() == 0:
    read_pet(Path(sys.argv[1]))  # all is imported by then: nobody may not read the repository
    os.seteuid(65534)
for path in sys.argv[1:]:
    try:
        print(read_pet(Path(path))[2])
    except InputError as error:
        print(error.message)
"""
    series_in(tmp_path / "one")
    last = sorted(series_in(tmp_path / "two"))[-1]
    shutil.copytree(tmp_path / "one", tmp_path / "one" / "inner")
    (tmp_path / "locked").mkdir()
    for folder in [tmp_path, *tmp_path.parents][:4]:  # pytest's own, which are the user's alone
        folder.chmod(folder.stat().st_mode | 0o011)
    last.chmod(0)
    closed = [tmp_path / "one" / "inner", tmp_path / "locked"]
    for folder in closed:
        folder.chmod(0)
    try:
        paths = [str(tmp_path / name) for name in ("one", "two", "locked")]
        done = subprocess.run(
            [sys.executable, "-c", code, *paths],
            capture_output=True, text=True, env=environment(), timeout=60, check=False,
        )  # fmt: skip
    finally:
        for folder in closed:
            folder.chmod(0o755)
    assert done.stderr == ""
    noted, slice_refused, folder_refused = done.stdout.splitlines()
    assert "1 folders cannot be read" in noted
    assert str(closed[0]) in noted
    assert f"{last} cannot be read: Permission denied" in slice_refused
    assert f"{closed[1]} cannot be read: Permission denied" in folder_refused


def test_what_a_series_named_by_a_file_leaves_out_is_told(tmp_path: Path) -> None:
    paths = write_series(tmp_path, pet_header(), a_body((6, 12, 12)))
    stray = pydicom.dcmread(paths[-1])
    stray.SeriesInstanceUID = "1.2.3.4"
    stray.save_as(paths[-1])
    series, notes = find_series(paths[0], "PT")
    assert len(series.files) == 5
    assert "not taken" in notes[0]
    assert "1.2.3.4" in notes[0]

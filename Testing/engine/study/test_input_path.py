"""Whatever a path leads to, it is opened as a regular file or refused at once, in words."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_process import environment
from image_files import write_nifti
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_image_file, read_mask_file
from PETAnomalyLib.engine.study.study import read_ct, read_pet

posix = pytest.mark.skipif(os.name == "nt", reason="pipes, sockets and modes of POSIX")
VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


@posix
@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.nhdr", "p.mha", "p.mhd", "p"])
@pytest.mark.parametrize("read", [read_pet, read_ct, read_image_file, read_mask_file])
def test_a_pipe_is_refused_and_not_waited_for(
    tmp_path: Path, name: str, read: Callable[[Path], Any]
) -> None:
    os.mkfifo(tmp_path / name)
    start = time.monotonic()
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read(tmp_path / name)
    assert time.monotonic() - start < 2


@posix
def test_a_socket_and_a_device_are_refused_through_a_link_as_well(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        where = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket is at most about 100 bytes long
        try:
            listener.bind("s.nii")
        finally:
            os.chdir(where)
        with pytest.raises(InputError, match="is a socket, not a file"):
            read_pet(tmp_path / "s.nii")
    (tmp_path / "zero.nrrd").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="is a device, not a file"):
        read_pet(tmp_path / "zero.nrrd")


@posix
def test_a_sidecar_that_is_a_pipe_or_nested_without_end_states_nothing(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "p.nii.gz", VALUES)
    os.mkfifo(tmp_path / "p.json")
    assert read_image_file(path)[1]["stated_units"] == ""
    (tmp_path / "p.json").unlink()
    (tmp_path / "p.json").write_text("[" * 100_000)
    assert read_image_file(path)[1]["stated_units"] == ""
    (tmp_path / "p.json").write_text(json.dumps({"Units": "BQML"}) + " " * (2 << 20))
    assert read_image_file(path)[1]["stated_units"] == ""


@pytest.mark.parametrize("name", ["n" * 300 + ".nii.gz", "a" * 300, "null\0byte.nii", "x/" * 3000])
def test_a_name_that_cannot_be_is_refused_in_words(tmp_path: Path, name: str) -> None:
    for read in (read_pet, read_ct, read_image_file):
        with pytest.raises(InputError, match=r"cannot be read|does not exist") as raised:
            read(tmp_path / name)
        assert raised.value.hint


@posix
def test_a_folder_or_a_file_without_permission_is_refused_in_words(tmp_path: Path) -> None:
    """In a process that is not root's, whom no mode stops."""
    outer = tmp_path / "outer"
    inner = outer / "inner"
    inner.mkdir(parents=True)
    write_nifti(inner / "p.nii.gz", VALUES)
    locked = write_nifti(outer / "locked.nii.gz", VALUES)
    locked.chmod(0)
    code = """
import os, sys
from pathlib import Path
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_pet
if os.geteuid() == 0:
    os.seteuid(65534)
for path in sys.argv[1:]:
    try:
        read_pet(Path(path))
    except InputError as error:
        print(error.message)
"""
    for folder in [*outer.parents][:3]:  # pytest's own, which are the user's alone
        folder.chmod(folder.stat().st_mode | 0o011)
    inner.chmod(0)
    try:
        paths = [str(inner / "p.nii.gz"), str(locked)]
        done = subprocess.run(
            [sys.executable, "-c", code, *paths],
            capture_output=True, text=True, env=environment(), timeout=60, check=False,
        )  # fmt: skip
    finally:
        inner.chmod(0o755)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("cannot be read: Permission denied" in line for line in lines)


@posix
def test_a_path_that_is_no_utf8_is_read_like_any_other(tmp_path: Path) -> None:
    """ITK ends the whole process where it is given one."""
    folder = tmp_path / os.fsdecode(b"patient \xff\xe4")
    folder.mkdir()
    path = folder / os.fsdecode(b"\xfcptake.nii.gz")
    write_nifti(path, VALUES)
    image, description, _ = read_image_file(path)
    assert image.GetSize() == (4, 3, 2)
    assert description["format"] == "NIfTI"
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty") as raised:
        read_image_file(path)
    raised.value.message.encode("utf-8")

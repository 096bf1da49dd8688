"""`reconstructions.npz` on a disk that is too small for it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_process import run_petanomaly, start_python
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.scoring.reconstructions_file import reconstructions_file

SHAPE = (3, 40, 50, 60)  # 1.4 MB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.2 MB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(mount)]
    try:
        done = subprocess.run(command, capture_output=True, check=False).returncode
    except FileNotFoundError:
        done = 1
    if done:
        pytest.skip("mounting a small disk needs root")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


FILLS = """
import sys, torch
from pathlib import Path
from PETAnomalyLib.engine.scoring.reconstructions_file import reconstructions_file
shape = tuple(map(int, sys.argv[2:]))
with reconstructions_file(Path(sys.argv[1]), shape) as file:
    everything = tuple(slice(0, n) for n in shape[1:])
    list(file.following([(everything, torch.ones(shape))]))
"""


def test_no_write_into_mapped_memory_ends_the_process(small_disk: Path) -> None:
    filling = start_python(["-c", FILLS, str(small_disk / "r.npz"), *map(str, SHAPE)])
    _, err = filling.communicate(timeout=120)
    assert filling.returncode != -signal.SIGBUS
    assert os.strerror(errno.ENOSPC) in err.splitlines()[-1]
    assert list(small_disk.iterdir()) == []


@pytest.mark.slow
def test_a_detection_that_keeps_them_says_that_the_disk_is_full_and_leaves_nothing(
    small_disk: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    words = ["detect", "--pet", tiny_study / "SUV.nii.gz", "--model", tiny_bundles["pet"].path]
    more = ["--out", small_disk / "result", "--samples", 8, "--keep-reconstructions"]
    run = run_petanomaly(*words, *more, seconds=300)
    assert run.returncode == 2, run.stderr
    assert "disk is full" in run.stderr
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("can_reserve", [True, False])
def test_what_is_written_is_what_the_tiles_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_reserve: bool
) -> None:
    if not can_reserve:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    values = torch.rand(SHAPE)
    tiles = [
        ((slice(z, z + 20), slice(0, 50), slice(x, x + 30)), values[:, z : z + 20, :, x : x + 30])
        for z in (0, 20)
        for x in (30, 0)
    ]
    with reconstructions_file(tmp_path / "r.npz", SHAPE) as file:
        assert len(list(file.following(tiles))) == 4
        file.finish({})
    with np.load(tmp_path / "r.npz") as arrays:
        assert np.array_equal(arrays["reconstructions"], values.numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]

"""A folder of a run's own on the computer that computes, gone with the run.

    /tmp/petanomaly-UID/            mode 0700, this user's
        .lock                       held while a run begins
        run-x7k2/                   mode 0700
            .lock                   held by the run, and by the detection that it starts
            in/  result/  tmp/

A lock goes with the last process that holds it, however that ends: a folder whose lock is free is
what a crash left, and the next run removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError

_PREFIX = "run-"
_LOCK = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """Where one run lives.

    Attributes:
        path: the folder, resolved; `in`, `result` and `tmp` lie in it.
        lock: descriptor, to be handed to whatever writes there.
    """

    path: Path
    lock: int


def remove(folder: Path) -> None:
    """Remove a folder; renamed first, so that a dying process cannot fill it again."""
    doomed = folder.with_name(folder.name + ".end")
    with contextlib.suppress(OSError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def run_folder() -> Iterator[RunFolder]:
    """A new folder, removed at the end; first those that dead runs left.

    Raises:
        InputError: the folder above it is somebody else's.
        OSError: it cannot be made.
    """
    home = place()
    with _locked(home / _LOCK):
        for leftover in home.glob(f"{_PREFIX}*"):
            if _is_free(leftover / _LOCK):
                remove(leftover)
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        lock = _open_lock(path / _LOCK)
        _lock(lock, wait=False)
    try:
        for name in ("in", "tmp"):
            (path / name).mkdir()
        yield RunFolder(path, lock)
    finally:
        remove(path)
        os.close(lock)


def place() -> Path:
    """The folder of all this user's runs, made where it is not there.

    Raises:
        InputError: it is a link, somebody else's, or open to others.
        OSError: it cannot be made.
    """
    home = Path(tempfile.gettempdir()).resolve() / f"petanomaly-{_user()}"
    with contextlib.suppress(FileExistsError):
        home.mkdir(mode=0o700)
    found = home.lstat()
    is_ours = found.st_uid == _user() and not stat.S_IMODE(found.st_mode) & 0o077
    if not stat.S_ISDIR(found.st_mode) or not is_ours:
        raise InputError(
            f"{home} is not a folder of this user alone.",
            "Remove it, or set TMPDIR to a folder of your own.",
        )
    return home


def _user() -> int:
    return -1 if sys.platform == "win32" else os.getuid()


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _lock(descriptor: int, wait: bool) -> None:
    if sys.platform != "win32":  # `far_side` refuses to run there
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _open_lock(path)
    try:
        _lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def _is_free(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return True  # killed before its lock was made, or while it was being removed
    try:
        _lock(descriptor, wait=False)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True

"""What the user named as input: looked at and opened, with a sentence where that cannot be."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.regular_file import open_regular

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def shown(path: Path) -> str:
    """A path for people and reports: bytes of it that are no UTF-8 are escaped."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False for a regular file, links followed.

    Raises:
        InputError: nothing is there, it cannot be looked at, or it is neither.
    """
    mode = _mode(path)
    if not stat.S_ISDIR(mode):
        _refuse_other_than_regular(path, mode)
    return stat.S_ISDIR(mode)


def open_input(path: Path) -> BinaryIO:
    """Open a regular file for reading; links are followed.

    Raises:
        InputError: nothing is there, it may not be read, or it is no regular file.
    """
    # Looked at before it is opened: opening a tape or a terminal acts on it.
    _refuse_other_than_regular(path, _mode(path))
    try:
        return open_regular(path)
    except OSError as error:
        raise _cannot_be_read(path, error) from error


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{shown(path)} does not exist.", "Check the path.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _cannot_be_read(path, error) from error


def _refuse_other_than_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise InputError(f"{shown(path)} is {kind}, not a file.", "Give a regular file.")


def _cannot_be_read(path: Path, error: OSError | ValueError) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(
        f"{shown(path)} cannot be read: {reason}.", "Check its name and who may read it."
    )

"""A result in one file: its place is tried before the work, and it appears whole or not at all.

require_writable(out)
...half an hour's work...
write_whole(out, text)
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import InputError


def require_writable(file: Path) -> None:
    """Try a place now rather than after the work; its folder is made.

    Raises:
        InputError: no file can be written there.
    """
    try:
        if file.is_dir():
            raise InputError(f"{file} is a folder.", "Give the name of a file.")
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror or error}.",
            "Choose a folder that you may write to.",
        ) from error


def write_whole(file: Path, text: str) -> None:
    """Write text (UTF-8) in the place of what is there.

    Raises:
        OSError: as where the disk is full; what was there stays.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)

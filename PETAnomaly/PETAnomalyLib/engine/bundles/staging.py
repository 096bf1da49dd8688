"""A model is put together in a hidden folder beside its place and moved there at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import is_running

_ours: set[Path] = set()


@contextmanager
def staging_folder(parent: Path, purpose: str) -> Iterator[Path]:
    """An empty folder in `parent`, removed at the end.

    What processes that were killed have left of the same purpose is removed first.

    Args:
        parent: the folder that the model will lie in; must exist.
        purpose: a word, part of the hidden folder's name.

    Raises:
        OSError: no folder can be made there.
    """
    for leftover in parent.glob(f".{purpose}-*"):
        if not _is_in_use(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    prefix = f".{purpose}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name:
        folder = Path(name)
        _ours.add(folder)
        try:
            yield folder
        finally:
            _ours.discard(folder)


@contextmanager
def written(failure: str) -> Iterator[None]:
    """Say in these words that a folder or a file could not be written."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{failure}: {error.strerror or error}.",
            "Check the permissions of that folder and the free disk space.",
        ) from error


def _is_in_use(folder: Path) -> bool:
    owner = folder.name.split("-")[1]
    if owner == str(os.getpid()):  # perhaps of an earlier process: in a container all are number 1
        return folder in _ours
    return owner.isdecimal() and is_running(int(owner))

"""Files through the connection, as one archive: an index, all bytes in its order, their SHA-256.

No tar: its headers would have to be distrusted one by one, and can say what nobody needs (links,
devices, owners). Here whoever receives knows every name and size before the first byte.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.remote.frames import BLOCK, BLOCK_BYTES, Frames, RemoteError
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import open_input

MOST_FILES = 20_000
MOST_BYTES = 1 << 36
MOST_NAME_BYTES = 255  # of a part, on every file system that we know

Index = Sequence[tuple[str, int]]
"""Name, with / between folders, and size in bytes."""


def index_of(files: Mapping[str, Path]) -> Index:
    """What `send_files` will send.

    Raises:
        InputError: a file is not there, or it is too much.
    """
    index = []
    for name, path in files.items():
        with open_input(path) as file:
            index.append((name, file.seek(0, 2)))
    _check_amount(index)
    return index


def checked_index(found: Any, is_allowed: Callable[[str], bool] = lambda _name: True) -> Index:
    """An index that came through the connection.

    Args:
        found: what JSON gave.
        is_allowed: whether a file of that name is expected.

    Raises:
        RemoteError: it is no index, a name leads elsewhere or stands twice, or it is too much.
    """
    if not isinstance(found, list) or not all(_is_entry(entry) for entry in found):
        raise _refused("its list cannot be understood")
    index = [(str(name), int(size)) for name, size in found]
    names = [name for name, _size in index]
    for name in names:
        if not _stays_inside(name) or not is_allowed(name):
            raise _refused(f"the name {name!a:.200} has no place in it")
    if len(set(names)) < len(names):
        raise _refused("a name stands in it twice")
    _check_amount(index)
    return index


def send_files(
    frames: Frames, files: Mapping[str, Path], index: Index, go_on: Callable[[int], None]
) -> None:
    """Send the files' bytes and their hash.

    Args:
        frames: the connection.
        files: name -> where it lies.
        index: of them.
        go_on: told how many bytes have gone; may raise.

    Raises:
        InputError: a file has changed since the index was made.
        OSError: nobody reads any more.
    """
    digest, sent = hashlib.sha256(), 0
    for name, size in index:
        left = size
        with open_input(files[name]) as file:
            while left:
                block = file.read(min(BLOCK_BYTES, left))
                if not block:
                    raise InputError(
                        f"{files[name]} became shorter while it was sent.", "Try again."
                    )
                frames.send(BLOCK, block)
                digest.update(block)
                left -= len(block)
                sent += len(block)
                go_on(sent)
    frames.send_json({"sha256": digest.hexdigest()})


def receive_files(frames: Frames, index: Index, folder: Path) -> None:
    """Write what comes into an empty folder.

    Raises:
        InputError: there is no room for it.
        RemoteError: the connection ended, or what came is not what was sent.
        OSError: it cannot be written.
    """
    needed = sum(size for _name, size in index)
    if needed > shutil.disk_usage(folder).free:
        raise InputError(
            f"The disk is full: {needed / 1e6:.0f} MB do not fit into {folder}.",
            "Free some space there.",
        )
    digest, waiting = hashlib.sha256(), b""
    for name, size in index:
        path = folder.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        left = size
        with path.open("xb") as file:
            while left:
                waiting = waiting or _next_block(frames)
                part, waiting = waiting[:left], waiting[left:]
                file.write(part)
                digest.update(part)
                left -= len(part)
    said = frames.receive_json()
    if said is None:
        raise _broken()
    if waiting or said.get("sha256") != digest.hexdigest():
        raise RemoteError("What came through the connection is not what was sent.", "Try again.")


def _next_block(frames: Frames) -> bytes:
    piece = frames.receive()
    if piece is None:
        raise _broken()
    if piece[0] != BLOCK or not piece[1]:
        raise RemoteError("The files that were announced did not come.", "Try again.")
    return piece[1]


def _broken() -> RemoteError:
    return RemoteError("The connection ended in the midst of a file.", "Try again.")


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and isinstance(entry[0], str)
        and type(entry[1]) is int
        and entry[1] >= 0
    )


def _stays_inside(name: str) -> bool:
    parts = name.split("/")
    try:
        sizes = [len(part.encode("utf-8")) for part in parts]
    except UnicodeEncodeError:
        return False
    return "\0" not in name and all(
        part not in ("", ".", "..") and size <= MOST_NAME_BYTES for part, size in zip(parts, sizes)
    )


def _check_amount(index: Index) -> None:
    if len(index) > MOST_FILES or sum(size for _name, size in index) > MOST_BYTES:
        raise InputError(
            f"That is too much for the connection: at most {MOST_FILES} files of together "
            f"{MOST_BYTES >> 30} GB.",
            "Name the folder of one series, or run petanomaly there.",
        )


def _refused(reason: str) -> RemoteError:
    return RemoteError(
        f"What the other computer wants to send is refused: {reason}.",
        "Is the same version of petanomaly installed there?",
    )

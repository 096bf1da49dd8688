"""`reconstructions.npz`: every pseudo-healthy reconstruction, written as its tiles come.

Tiles do not come in the file's order, so they go to a plain array file first. Each is written by
itself: memory holds one tile, not n volumes.
"""

from __future__ import annotations

import math
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

COPIED_AT_ONCE = 2**24  # bytes

Voxels = tuple[slice, ...]


class ReconstructionsFile:
    """The file in the making.

    Args:
        path: the .npz file.
        shape: n, D, H, W.

    Raises:
        OSError: there is no room for it (ENOSPC).

    Example:
        with reconstructions_file(path, (n, *shape)) as file:
            for tile in file.following(tiles): ...
            file.finish({"image": image})
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path = path
        self.unordered = unordered_beside(path)
        np.lib.format.open_memmap(self.unordered, "w+", np.float32, shape)
        _reserve(self.unordered, math.prod(shape) * np.dtype(np.float32).itemsize)

    def following(self, tiles: Iterable[tuple[Voxels, Tensor]]) -> Iterator[tuple[Voxels, Tensor]]:
        """The same tiles, each written down before it is handed on."""
        for voxels, values in tiles:
            # Opened for each tile anew: what is mapped counts as this program's memory.
            array = np.lib.format.open_memmap(self.unordered, "r+")
            array[(slice(None), *voxels)] = values.cpu().numpy()
            del array
            yield voxels, values

    def finish(self, others: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Write the .npz file: `reconstructions` and the other arrays."""
        # Not compressed: noise hardly shrinks, and 200 MB would take 10 s.
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_STORED) as archive:
            for name, array in others.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.ascontiguousarray(array))
            target = archive.open("reconstructions.npy", "w", force_zip64=True)
            with target, self.unordered.open("rb") as source:
                shutil.copyfileobj(source, target, COPIED_AT_ONCE)


def unordered_beside(path: Path) -> Path:
    """The plain array that the tiles of a .npz file go into first."""
    return path.with_suffix(".unordered.npy")


def _reserve(file: Path, last_bytes: int) -> None:
    """Take the end of a file from the disk: so far it is a hole.

    Where the disk is full, mapped memory has no error to raise: the process is ended by SIGBUS.
    """
    with file.open("rb+") as stream:
        start = file.stat().st_size - last_bytes
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(stream.fileno(), start, last_bytes)
            return
        stream.seek(start)
        for done in range(0, last_bytes, COPIED_AT_ONCE):
            stream.write(bytes(min(COPIED_AT_ONCE, last_bytes - done)))


@contextmanager
def reconstructions_file(path: Path, shape: tuple[int, ...]) -> Iterator[ReconstructionsFile]:
    """A `ReconstructionsFile` that clears up behind itself.

    Raises:
        OSError: there is no room for it.
    """
    try:
        file = ReconstructionsFile(path, shape)
        yield file
    finally:
        unordered_beside(path).unlink(missing_ok=True)

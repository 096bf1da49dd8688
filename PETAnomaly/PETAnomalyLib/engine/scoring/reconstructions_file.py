"""`reconstructions.npz`: every pseudo-healthy reconstruction, written as its tiles come.

Tiles do not come in the file's order, so they go to a plain array file first. Each is written by
itself: memory holds one tile, not n volumes.
"""

from __future__ import annotations

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

    Example:
        with reconstructions_file(path, (n, *shape)) as file:
            for tile in file.following(tiles): ...
            file.finish({"image": image})
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path = path
        self.unordered = path.with_suffix(".unordered.npy")
        np.lib.format.open_memmap(self.unordered, "w+", np.float32, shape)

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


@contextmanager
def reconstructions_file(path: Path, shape: tuple[int, ...]) -> Iterator[ReconstructionsFile]:
    """A `ReconstructionsFile` that clears up behind itself."""
    file = ReconstructionsFile(path, shape)
    try:
        yield file
    finally:
        file.unordered.unlink(missing_ok=True)

"""Volume nodes as files for the engine, without standing in the window's way.

The GUI thread only takes hold of a node's voxels and geometry (`VolumeSnapshot`); a worker writes
them, piece by piece, as an uncompressed NRRD. The snapshot keeps the voxels alive: the node may be
deleted meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
import vtk
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.background import Work

PIECE_VOXELS = 4_000_000  # 16 MB of float32: about 10 ms between two looks at "still wanted?"

# https://teem.sourceforge.net/nrrd/format.html#type
NRRD_TYPES = {
    "int8": "int8",
    "uint8": "uint8",
    "int16": "int16",
    "uint16": "uint16",
    "int32": "int32",
    "uint32": "uint32",
    "int64": "int64",
    "uint64": "uint64",
    "float32": "float",
    "float64": "double",
}


def ijkToRas(node: Any) -> np.ndarray:
    """(4, 4): voxel indices (i, j, k) to RAS mm, without the node's parent transform."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def physicalImage(array: np.ndarray, matrix: np.ndarray) -> sitk.Image:
    """An image (LPS) of voxels (k, j, i) and their matrix from indices (i, j, k) to RAS mm."""
    axes = np.diag([-1.0, -1.0, 1.0]) @ matrix[:3, :3]
    spacing = np.linalg.norm(axes, axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing([float(step) for step in spacing])
    image.SetDirection([float(value) for value in (axes / spacing).ravel()])
    image.SetOrigin([-float(matrix[0, 3]), -float(matrix[1, 3]), float(matrix[2, 3])])
    return image


class VolumeSnapshot:
    """A scalar volume's voxels (k, j, i) and geometry at this moment.

    Args:
        node: a scalar volume without a parent transform.

    Raises:
        InputError: the node has no voxels.
    """

    def __init__(self, node: Any) -> None:
        if node.GetImageData() is None:
            raise InputError(
                _("{name} has no voxels.").format(name=node.GetName()), _("Choose another volume.")
            )
        self.name = node.GetName()
        self.array = slicer.util.arrayFromVolume(node)
        self.ijkToRas = ijkToRas(node)

    def write(self, path: Path, work: Work) -> None:
        """Write a `.nrrd`; runs on a worker thread.

        Raises:
            Abandoned: nobody waits for it any more.
            OSError: the folder is full or gone.
        """
        lpsFromRas = np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.ijkToRas
        voxels = self.array.reshape(-1)
        with path.open("wb") as file:
            file.write(self._header(lpsFromRas).encode("ascii"))
            for start in range(0, voxels.size, PIECE_VOXELS):
                work.check()
                voxels[start : start + PIECE_VOXELS].tofile(file)

    def _header(self, ijkToLps: np.ndarray) -> str:
        depth, rows, columns = self.array.shape
        axes = " ".join(_vector(ijkToLps[:3, axis]) for axis in range(3))
        return (
            "NRRD0004\n"
            f"type: {NRRD_TYPES[self.array.dtype.name]}\n"
            "dimension: 3\n"
            "space: left-posterior-superior\n"
            f"sizes: {columns} {rows} {depth}\n"
            f"space directions: {axes}\n"
            "kinds: domain domain domain\n"
            f"endian: {'little' if self.array.dtype.str[0] in '<|' else 'big'}\n"
            "encoding: raw\n"
            f"space origin: {_vector(ijkToLps[:3, 3])}\n"
            "\n"
        )


def _vector(values: np.ndarray) -> str:
    return "(" + ",".join(repr(float(value)) for value in values) + ")"

"""One case: files in a folder, the one that is read, and what that must come to."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class MustRefuseError(Exception):
    """The files hold no whole volume, or contradict themselves: whoever takes them is wrong."""


class UnjudgedError(Exception):
    """The second reader knows too little of this variant to judge."""


@dataclass(frozen=True)
class Special:
    """Something else than a regular file: `fifo`, `folder`, or a `link` to a path."""

    kind: str
    to: str = ""


Content = bytes | Special


@dataclass(frozen=True)
class Volume:
    """What files mean.

    Attributes:
        values: D x H x W, float64.
        affines: (4, 4) each, voxel (i, j, k, 1) to LPS in mm: one of them must be the answer's;
            none: the geometry is not judged.
        warning: what one of the answer's warnings must match, a regular expression; empty: none
            need be.
        factor_is_free: the values are judged up to one positive factor.
    """

    values: Array
    affines: tuple[Array, ...]
    warning: str = ""
    factor_is_free: bool = False


@dataclass(frozen=True)
class Case:
    """What is done to the engine.

    Attributes:
        story: how the files were made, in words.
        files: contents by path below the case's folder; `../` lies beside it.
        target: path of what is read, `.` for the folder.
        way: how it is read, see `reading.py`.
        truth: what the files mean; raises `MustRefuseError` or `UnjudgedError`.
        honest: nothing is wrong with them: a refusal is a finding.
        grid: for lesions, the PET's: its affine and its size along i, j, k.
    """

    story: tuple[str, ...]
    files: dict[str, Content]
    target: str
    way: str
    truth: Callable[[], Volume] = field(repr=False)
    honest: bool = False
    grid: tuple[Array, tuple[int, ...]] | None = None

    def write(self, folder: Path) -> Path:
        """Write all files below a folder that exists; returns the path that is read."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif content.kind == "fifo":
                os.mkfifo(path)
            elif content.kind == "folder":
                path.mkdir()
            else:
                path.symlink_to(content.to)
        return folder / self.target


def affine(directions: Any, spacing: Any, origin: Any) -> Array:
    """(4, 4) of unit vectors in columns, steps in mm and the first voxel's centre."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(directions, float) * np.asarray(spacing, float)
    matrix[:3, 3] = origin
    return matrix

"""What the header of an image file promises, and the reading of just that."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.formats.byte_stream import ByteStream
from PETAnomalyLib.engine.study.formats.grid import Grid

Array = npt.NDArray[Any]

MOST_VOXELS = 2**30
"""1024 x 1024 x 1024, beyond any PET or CT: a megabyte of compressed zeros can be a gigabyte."""

_MOST_TEXT = 1 << 30
_MOST_EXACT = 2.0**53  # whole numbers in words are read in double precision


@dataclass(frozen=True)
class StoredVolume:
    """A file whose header has been read and found in order.

    Attributes:
        size: number of voxels along i, j, k and any further axes, none of which is 1.
        components: values a voxel: 1, or those of a vector, a colour or the layers of a
            segmentation.
        component_axis: where they vary among the axes as stored, the fastest first; 0 for the
            fastest.
        stored: type of the values in the file, with its byte order.
        grid: LPS, mm.
        stream: stands at the first value.
        as_text: the values are numbers in words.
        slope, intercept: a voxel is slope * stored + intercept; None: it is what is stored.
        notes: what the header says in words, by its key in small letters.
        warnings: what is suspicious about it, sentences for the user.
    """

    size: tuple[int, ...]
    stored: np.dtype[Any]
    grid: Grid
    stream: ByteStream
    components: int = 1
    component_axis: int = 0
    as_text: bool = False
    slope: float | None = None
    intercept: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def read(self, name: str) -> Array:
        """All values, components x further axes x D x H x W, in this machine's byte order.

        Raises:
            InputError: fewer or more than the header promises, damaged, or too many.
        """
        count = math.prod(self.size) * self.components
        if count > MOST_VOXELS:
            raise InputError(
                f"{name} announces {' x '.join(map(str, self.size))} voxels, more than any scan "
                "has.",
                "Check the sizes in its header.",
            )
        values = self._from_text(count, name) if self.as_text else self._from_bytes(count)
        stored = list(self.size)
        stored.insert(self.component_axis, self.components)
        ordered = values.reshape(stored[::-1])
        return np.moveaxis(ordered, len(stored) - 1 - self.component_axis, 0)

    def _from_bytes(self, count: int) -> Array:
        values = self.stream.exactly(count * self.stored.itemsize).view(self.stored)
        self.stream.finish()
        if not self.stored.isnative:
            values = values.byteswap(inplace=True).view(self.stored.newbyteorder("="))
        return values if self.slope is None else self._scaled(values)

    def _scaled(self, values: Array) -> Array:
        """In double precision piece by piece; ITK stores the result as we do."""
        assert self.slope is not None
        double = self.stored.kind == "f" and self.stored.itemsize == 8
        scaled = np.empty(values.shape, np.float64 if double else np.float32)
        step = 1 << 20
        with np.errstate(over="ignore", invalid="ignore"):  # infinities are refused by the caller
            for start in range(0, values.size, step):
                part = values[start : start + step].astype(np.float64)
                scaled[start : start + step] = part * self.slope + self.intercept
        return scaled

    def _from_text(self, count: int, name: str) -> Array:
        words = self.stream.rest(_MOST_TEXT)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # NumPy only warns where it stops reading
                numbers = np.fromstring(words.decode("ascii"), np.float64, sep=" ")
                values = numbers.astype(self.stored.newbyteorder("="))
        except (ValueError, DeprecationWarning, RuntimeWarning) as error:
            raise InputError(
                f"{name} holds text among its voxels that is no number of its type.",
                "Export the file again.",
            ) from error
        whole = self.stored.kind == "f" or np.array_equal(values.astype(np.float64), numbers)
        if not whole or (numbers.size and np.abs(numbers).max() > _MOST_EXACT):
            raise InputError(
                f"{name} holds numbers that its type, {self.stored.name}, cannot hold.",
                "Export the file again.",
            )
        if numbers.size != count:
            raise InputError(
                f"{name} is {'truncated' if numbers.size < count else 'too long'}: its header "
                f"announces {count} voxels, {numbers.size} are there.",
                "Copy or export the file again.",
            )
        return values

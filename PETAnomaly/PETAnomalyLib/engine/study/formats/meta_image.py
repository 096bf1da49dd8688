"""MetaImage, in one file or with its data in a file beside it; raw or deflated.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import math
import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.formats.beside import open_beside
from PETAnomalyLib.engine.study.formats.byte_stream import GZIP_OR_ZLIB, ByteStream
from PETAnomalyLib.engine.study.formats.grid import Grid
from PETAnomalyLib.engine.study.formats.stored_volume import StoredVolume
from PETAnomalyLib.engine.study.input_path import shown

MOST_HEADER_BYTES = 1 << 20
_MOST_AXES = 10  # as MetaIO has it

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2",
    "MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip

Fields = dict[str, str]


def open_meta_image(path: Path, file: BinaryIO, files: ExitStack) -> StoredVolume:
    """Read the header of a `.mha` or `.mhd`.

    Args:
        path: the file, beside which its data may lie.
        file: it, open.
        files: closes the file of its data.

    Raises:
        InputError: no header of one volume, one that contradicts itself, or data elsewhere than in
            the header's own folder.
    """
    name = shown(path)
    fields = _header(file, name)
    try:
        volume = _volume(path, file, files, fields)
    except KeyError as error:
        raise _unreadable(name, f"{error.args[0]!r} is missing or unknown") from error
    except ValueError as error:
        raise _unreadable(name, str(error)) from error
    volume.grid.check(name)
    return volume


def _volume(path: Path, file: BinaryIO, files: ExitStack, fields: Fields) -> StoredVolume:
    """Raises KeyError for a field that is missing or unknown, ValueError for what it says."""
    if fields.get("ObjectType", "Image") != "Image":
        raise ValueError(f"it holds an object of another kind, {fields['ObjectType'][:40]}")
    if not _yes(fields.get("BinaryData", "True")):
        raise ValueError("its values are text (BinaryData = False)")
    if _rescaled(fields):
        raise ValueError("its values are to be rescaled (ElementToIntensityFunction)")
    size = _size(fields)
    components = _whole_number(fields, "ElementNumberOfChannels", 1)
    if components < 1:
        raise ValueError(f"it has {components} values a voxel")
    stored = np.dtype(_order(fields) + _TYPES[fields["ElementType"]])
    grid, warnings = _grid(fields, len(size), path.name)
    length = math.prod(size) * components * stored.itemsize
    while len(size) > 3 and size[-1] == 1:
        size.pop()
    return StoredVolume(
        size=tuple(size),
        stored=stored,
        grid=grid,
        stream=_data(path, file, fields, length, files),
        components=components,
        notes={key.lower(): value for key, value in fields.items()},
        warnings=warnings,
    )


def _header(file: BinaryIO, name: str) -> Fields:
    """The fields up to the last one, which says where the data are."""
    fields: Fields = {}
    left = MOST_HEADER_BYTES
    while "ElementDataFile" not in fields:
        line = file.readline(left)
        left -= len(line)
        if not line or not left:
            raise _unreadable(name, "it does not begin as one")
        text = line.decode("utf-8", "surrogateescape").strip()
        if not text:
            continue
        key, separator, value = text.partition("=" if "=" in text else ":")
        key, value = key.strip(), value.strip()
        if not separator:
            raise _unreadable(name, f"its header has the line {text[:60]!r}")
        if fields.get(key, value) != value:
            raise _unreadable(name, f"its header states {key[:40]} twice")
        fields[key] = value
    return fields


def _size(fields: Fields) -> list[int]:
    count = _whole_number(fields, "NDims")
    size = fields["DimSize"].split()
    if not 1 <= count <= _MOST_AXES:
        raise ValueError(f"it has {count} axes (NDims)")
    if len(size) != count or any(not re.fullmatch(r"0*[1-9]\d{0,11}", n) for n in size):
        raise ValueError(f"its sizes are impossible (DimSize = {fields['DimSize'][:60]})")
    return [int(n) for n in size]


def _grid(fields: Fields, axes: int, short: str) -> tuple[Grid, tuple[str, ...]]:
    if axes < 3:
        return Grid.identity(), ()  # a picture, which is refused
    spacing = _numbers(fields, ("ElementSpacing", "ElementSize"), axes)
    origin = _numbers(fields, ("Offset", "Position", "Origin"), axes)
    matrix = _numbers(fields, ("TransformMatrix", "Rotation", "Orientation"), axes * axes)
    # A row of the matrix is an axis.
    direction = np.eye(3) if matrix is None else np.reshape(matrix, (axes, axes))[:3, :3].T
    x, y, z = (spacing or [1.0] * axes)[:3]
    i, j, k = (origin or [0.0] * axes)[:3]
    grid = Grid((x, y, z), (i, j, k), direction)
    return grid, () if spacing else (f"{short} states no voxel spacing: 1 mm is taken.",)


def _numbers(fields: Fields, spellings: tuple[str, ...], count: int) -> list[float] | None:
    """The numbers of a field that has several names; None where none of them is there."""
    stated = [fields[key] for key in spellings if key in fields]
    if not stated:
        return None
    numbers = [float(number) for number in stated[0].split()]
    if len(numbers) != count:
        raise ValueError(f"{' or '.join(spellings)} has {len(numbers)} numbers, not {count}")
    return numbers


def _rescaled(fields: Fields) -> bool:
    """Whether the values are not the voxels' but those of a linear function, which ITK ignores."""
    slope = _numbers(fields, ("ElementToIntensityFunctionSlope",), 1)
    offset = _numbers(fields, ("ElementToIntensityFunctionOffset",), 1)
    return slope not in (None, [1.0]) or offset not in (None, [0.0])


def _whole_number(fields: Fields, key: str, default: int | None = None) -> int:
    if default is not None and key not in fields:
        return default
    if not re.fullmatch(r"-?\d{1,12}", fields[key]):
        raise ValueError(f"{key} = {fields[key][:40]} is no whole number")
    return int(fields[key])


def _data(path: Path, file: BinaryIO, fields: Fields, length: int, files: ExitStack) -> ByteStream:
    """The values, at the first of them."""
    local = fields["ElementDataFile"].upper() == "LOCAL"
    data = file if local else open_beside(path, fields["ElementDataFile"], files)
    packed = _yes(fields.get("CompressedData", "False"))
    skip = _whole_number(fields, "HeaderSize", 0)
    if skip < -1 or (skip and packed) or (skip > 0 and local):
        raise ValueError(f"its HeaderSize is {skip}")
    if skip == -1:  # they are the last in the file
        data.seek(max(data.tell(), os.fstat(data.fileno()).st_size - length))
    stream = ByteStream(data, shown(path), GZIP_OR_ZLIB if packed else None)
    stream.skip(max(0, skip))
    return stream


def _order(fields: Fields) -> str:
    stated = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    return ">" if _yes(stated) else "<"


def _yes(text: str) -> bool:
    return text[:1] in ("T", "t", "1")


def _unreadable(name: str, reason: str) -> InputError:
    return InputError(
        f"{name} is not a readable MetaImage image: {reason}.", "Export the file again."
    )

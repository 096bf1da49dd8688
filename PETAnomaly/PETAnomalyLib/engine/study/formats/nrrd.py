"""NRRD, attached or with its data in a file beside it; raw, gzip or text.

Format: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.formats.beside import open_beside, skip_lines
from PETAnomalyLib.engine.study.formats.byte_stream import GZIP, ByteStream
from PETAnomalyLib.engine.study.formats.grid import Grid
from PETAnomalyLib.engine.study.formats.stored_volume import StoredVolume
from PETAnomalyLib.engine.study.input_path import shown

MOST_HEADER_BYTES = 1 << 22
"""Four megabytes: Slicer writes about one kilobyte for each segment of a segmentation."""

_TYPES = {
    name: code
    for code, names in {
        "i1": ("signed char", "int8", "int8_t"),
        "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
        "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
        "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
        "i4": ("int", "signed int", "int32", "int32_t"),
        "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
        "i8": ("longlong", "long long", "long long int", "signed long long",
               "signed long long int", "int64", "int64_t"),
        "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
        "f4": ("float",),
        "f8": ("double",),
    }.items()
    for name in names
}  # fmt: skip
_RAW, _GZIP, _TEXT = "raw", "gzip", "text"
_ENCODINGS = {
    "raw": _RAW, "gzip": _GZIP, "gz": _GZIP, "text": _TEXT, "txt": _TEXT, "ascii": _TEXT,
}  # fmt: skip
_ENDIANS = {"little": "<", "big": ">"}
# The signs that lead to LPS.
_LPS = (1, 1, 1)
_SPACES = {
    name + time: signs
    for name, signs in {
        "right-anterior-superior": (-1, -1, 1),
        "left-anterior-superior": (1, -1, 1),
        "left-posterior-superior": _LPS,
    }.items()
    for time in ("", "-time")
}
_SHORT_SPACES = {
    "ras": "right-anterior-superior", "las": "left-anterior-superior",
    "lps": "left-posterior-superior", "rast": "right-anterior-superior-time",
    "last": "left-anterior-superior-time", "lpst": "left-posterior-superior-time",
}  # fmt: skip
_SPELLINGS = {
    "centerings": "centers", "datafile": "data file", "lineskip": "line skip",
    "byteskip": "byte skip", "axismins": "axis mins", "sampleunits": "sample units",
}  # fmt: skip
_SPATIAL_KINDS = ("domain", "space", "time", "???", "none")
_OTHER_THAN_MM = ("m", "meter", "metre", "cm", "centimeter", "um", "µm", "micron", "microns", "in")

Fields = dict[str, str]


def open_nrrd(path: Path, file: BinaryIO, files: ExitStack) -> StoredVolume:
    """Read the header of a `.nrrd` or `.nhdr`.

    Args:
        path: the file, beside which its data may lie.
        file: it, open.
        files: closes the file of its data.

    Raises:
        InputError: no header of one volume, one that contradicts itself, or data elsewhere than in
            the header's own folder.
    """
    name = shown(path)
    fields, notes = _header(file, name)
    try:
        volume = _volume(path, file, files, fields, notes)
    except KeyError as error:
        raise _unreadable(name, f"{error.args[0]!r} is missing or unknown") from error
    except ValueError as error:
        raise _unreadable(name, str(error)) from error
    volume.grid.check(name)
    return volume


def _volume(
    path: Path, file: BinaryIO, files: ExitStack, fields: Fields, notes: Fields
) -> StoredVolume:
    """Raises KeyError for a field that is missing or unknown, ValueError for what it says."""
    sizes = [_whole_number(number) for number in fields["sizes"].split()]
    if _whole_number(fields["dimension"]) != len(sizes) or min(sizes, default=0) < 1:
        raise ValueError("its sizes are impossible")
    spatial = _spatial_axes(fields, len(sizes))
    components, component_axis = _components(sizes, spatial)
    size = [sizes[axis] for axis in spatial]
    while len(size) > 3 and size[-1] == 1:
        size.pop()
    encoding = _ENCODINGS[fields["encoding"].lower()]
    stored = _stored_type(fields, encoding)
    grid, warnings = _grid(fields, spatial, path.name)
    return StoredVolume(
        size=tuple(size),
        stored=stored,
        grid=grid,
        stream=_data(path, file, fields, encoding, math.prod(sizes) * stored.itemsize, files),
        components=components,
        component_axis=min(component_axis, len(size)),
        as_text=encoding == _TEXT,
        notes=notes,
        warnings=warnings,
    )


def _header(file: BinaryIO, name: str) -> tuple[Fields, Fields]:
    """The fields, by their names in the format's definition, and the key/value pairs."""
    left = MOST_HEADER_BYTES
    magic = file.readline(16)
    if not re.fullmatch(rb"NRRD0(00[1-6]|0\.01)\r?\n", magic):
        raise _unreadable(name, "it does not begin as one")
    fields: Fields = {}
    notes: Fields = {}
    while True:
        line = file.readline(left)
        left -= len(line)
        if not left:
            raise _unreadable(name, f"its header is longer than {MOST_HEADER_BYTES} bytes")
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if not text:
            if not line and "data file" not in fields:
                raise _unreadable(name, "its header does not end")
            return fields, notes
        key, separator, value = text.partition(":")
        if text.startswith("#"):
            continue
        if not separator:
            raise _unreadable(name, f"its header has the line {text[:60]!r}")
        if value.startswith("="):
            notes[key.lower()] = value[1:]
            continue
        field = _SPELLINGS.get(key.lower(), key.lower())
        if field in fields:
            raise _unreadable(name, f"its header states {field!r} twice")
        fields[field] = value.strip()
        if field == "sample units":
            notes["units"] = fields[field]


def _spatial_axes(fields: Fields, count: int) -> list[int]:
    """The axes that have a direction; where none has, those of a kind that is in space."""
    if "space directions" in fields:
        directions = _vectors(fields["space directions"])
        if len(directions) != count:
            raise ValueError(f"it has {len(directions)} space directions for {count} axes")
        return [axis for axis, vector in enumerate(directions) if vector is not None]
    kinds = fields.get("kinds", "domain " * count).lower().split()
    if len(kinds) != count:
        raise ValueError(f"it has {len(kinds)} kinds for {count} axes")
    return [axis for axis, kind in enumerate(kinds) if kind in _SPATIAL_KINDS]


def _components(sizes: Sequence[int], spatial: Sequence[int]) -> tuple[int, int]:
    """Values a voxel, and before how many of the spatial axes they vary."""
    others = [axis for axis, n in enumerate(sizes) if axis not in spatial and n > 1]
    if not others:
        return 1, 0
    if len(others) > 1:
        raise ValueError("several of its axes are none in space")
    return sizes[others[0]], sum(axis < others[0] for axis in spatial)


def _stored_type(fields: Fields, encoding: str) -> np.dtype[Any]:
    stored = np.dtype(_TYPES[" ".join(fields["type"].lower().split())])
    if stored.itemsize == 1 or encoding == _TEXT:
        return stored
    return stored.newbyteorder(_ENDIANS[fields["endian"].lower()])  # type: ignore[arg-type]


def _grid(fields: Fields, spatial: Sequence[int], short: str) -> tuple[Grid, tuple[str, ...]]:
    for units in (fields.get("space units", ""), fields.get("units", "")):
        for unit in units.lower().replace('"', " ").split():
            if unit in _OTHER_THAN_MM:
                raise ValueError(f"its lengths are in {unit}, not mm")
    if len(spatial) < 3:
        return Grid.identity(), ()  # a picture, which is refused
    if "space directions" not in fields:
        return _grid_without_space(fields, spatial, short)
    vectors = [v for v in _vectors(fields["space directions"]) if v is not None]
    origins = _vectors(fields.get("space origin", "(0,0,0)"))
    origin = origins[0] if len(origins) == 1 else None
    steps = np.array([vector[:3] for vector in vectors[:3]]).T
    if steps.shape != (3, 3) or origin is None or len(origin) < 3:
        raise ValueError("its space directions or its space origin are not in three dimensions")
    space = fields.get("space", "").lower()
    space = _SHORT_SPACES.get(space, space)
    signs = np.array(_SPACES.get(space, _LPS))
    grid = Grid.from_steps(steps * signs[:, None], np.array(origin[:3]) * signs)
    return grid, () if space in _SPACES else (_no_orientation(short),)


def _grid_without_space(
    fields: Fields, spatial: Sequence[int], short: str
) -> tuple[Grid, tuple[str, ...]]:
    """As ITK reads it: axes along LPS; `axis mins` are edges of cells where they are no nodes."""
    warnings = [_no_orientation(short)]
    spacing = [1.0] * 3
    if "spacings" in fields:
        spacing = _numbers(fields, "spacings", spatial)
    else:
        warnings.append(f"{short} states no voxel spacing: 1 mm is taken.")
    origin = [0.0] * 3
    if "axis mins" in fields:
        centers = fields.get("centers", "").lower().split()
        for place, lowest in enumerate(_numbers(fields, "axis mins", spatial)):
            node = centers[spatial[place] : spatial[place] + 1] == ["node"]
            origin[place] = lowest if node else lowest + spacing[place] / 2
    x, y, z = spacing
    return Grid((x, y, z), (origin[0], origin[1], origin[2]), np.eye(3)), tuple(warnings)


def _no_orientation(short: str) -> str:
    return f"{short} states no orientation of a patient: axes may be mirrored."


def _data(
    path: Path, file: BinaryIO, fields: Fields, encoding: str, length: int, files: ExitStack
) -> ByteStream:
    """The values, at the first of them."""
    data = file
    if "data file" in fields:
        data = open_beside(path, fields["data file"], files)
    skip_lines(data, _whole_number(fields.get("line skip", "0")))
    skip = _whole_number(fields.get("byte skip", "0"))
    if skip < -1 or (skip == -1 and encoding != _RAW):
        raise ValueError(f"its byte skip is {skip}")
    if skip == -1:  # they are the last in the file
        data.seek(max(data.tell(), os.fstat(data.fileno()).st_size - length))
    stream = ByteStream(data, shown(path), GZIP if encoding == _GZIP else None)
    stream.skip(max(0, skip))
    return stream


def _vectors(text: str) -> list[list[float] | None]:
    """`(1,0,0) none (0,1,0)` as numbers."""
    found: list[list[float] | None] = []
    for word in re.findall(r"\([^()]*\)|[^\s()]+", text):
        if word.lower() == "none":
            found.append(None)
        elif word.startswith("("):
            found.append([float(number) for number in word[1:-1].split(",")])
        else:
            raise ValueError(f"{word[:40]!r} is no vector")
    if any(vector is not None and len(vector) not in (2, 3, 4) for vector in found):
        raise ValueError("a vector has more or fewer than three numbers")
    return found


def _numbers(fields: Fields, key: str, axes: Sequence[int]) -> list[float]:
    """The numbers of the first three of some axes."""
    numbers = fields[key].split()
    if len(numbers) <= max(axes[:3]):
        raise ValueError(f"its {key} are fewer than its axes")
    return [float(numbers[axis]) for axis in axes[:3]]


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text)


def _unreadable(name: str, reason: str) -> InputError:
    return InputError(f"{name} is not a readable NRRD image: {reason}.", "Export the file again.")

"""What the bytes of an NRRD file mean, by https://teem.sourceforge.net/nrrd/format.html."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from typing import Any

import numpy as np

from fuzz.case import Array, Content, MustRefuseError, UnjudgedError, Volume
from fuzz.volumes import is_regular

_TYPES = {
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i1": "signed char|int8|int8_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i4": "int|signed int|int32|int32_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "f4": "float",
    "f8": "double",
}
_SPACES = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_JUDGED = {"type", "dimension", "space", "sizes", "space directions", "kinds", "endian", "encoding",
           "space origin", "line skip", "data file", "datafile"}  # fmt: skip
_MOST = 1 << 26


def nrrd_truth(name: str, files: dict[str, Content]) -> Volume:
    """Strictly: no field twice, no data elsewhere, no byte too few or too many."""
    content = files[name]
    if not isinstance(content, bytes):
        raise MustRefuseError("no regular file")
    fields, rest = _fields(content)
    named = fields.get("data file", fields.get("datafile"))
    if named is not None:
        plain = named.removeprefix("./")
        beside = files.get(plain) if "/" not in plain else None
        if not isinstance(beside, bytes):
            raise MustRefuseError("its data lie elsewhere, or are no file")
        rest = beside
    elif rest is None:
        raise MustRefuseError("the header does not end")
    values = _values(fields, rest)
    if fields.keys() - _JUDGED:
        raise UnjudgedError
    affines, warning = _geometry(fields)
    return Volume(values, affines, warning)


def _fields(content: bytes) -> tuple[dict[str, str], bytes | None]:
    """The fields, and what follows the header's empty line; None where there is none."""
    if not re.match(rb"NRRD000[1-6]\r?\n", content):
        raise MustRefuseError("magic")
    head = re.match(rb"(.*?\n)\r?\n", content, re.DOTALL)
    block, rest = (head.group(1), content[head.end() :]) if head else (content, None)
    fields: dict[str, str] = {}
    for raw in block.split(b"\n")[1:]:
        line = raw.decode("utf-8", "surrogateescape").rstrip("\r")
        if not line or line.startswith("#") or re.match(r"[^:]*:=", line):
            continue
        key, separator, value = line.partition(":")
        key = key.lower()
        if not separator or key in fields:
            raise MustRefuseError("a line without a key, or a field twice")
        fields[key] = value.strip()
    return fields, rest


def _values(fields: dict[str, str], data: bytes) -> Array:
    try:
        sizes = [int(number) for number in fields["sizes"].split()]
        dimension, skip = int(fields["dimension"]), int(fields.get("line skip", "0"))
        kind = " ".join(fields["type"].lower().split())
        encoding = fields["encoding"].lower()
    except (KeyError, ValueError) as error:
        raise MustRefuseError("a field is missing, or no number") from error
    if dimension != len(sizes) or len(sizes) < 3 or min(sizes) < 1 or skip < 0:
        raise MustRefuseError("sizes")
    if len(sizes) > 3:
        raise UnjudgedError
    code = next((code for code, names in _TYPES.items() if kind in names.split("|")), "")
    if not code:
        raise MustRefuseError("type")
    if skip > data.count(b"\n"):
        raise MustRefuseError("line skip")
    data = data.split(b"\n", skip)[-1]
    count = math.prod(sizes)
    if encoding in ("ascii", "text", "txt"):
        return _words(data, count, np.dtype(code)).reshape(sizes[::-1])
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower(), "")
    if not order and code[1] != "1":
        raise MustRefuseError("endian")
    if encoding in ("gzip", "gz"):
        data = _unpacked(data)
    elif encoding != "raw":
        raise MustRefuseError("encoding")
    if len(data) != count * int(code[1]):
        raise MustRefuseError("length")
    return _finite(np.frombuffer(data, order + code).astype(np.float64)).reshape(sizes[::-1])


def _unpacked(data: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        plain = unpacker.decompress(data, _MOST)
        if not unpacker.eof:
            raise MustRefuseError("gzip: more than any case holds, or cut")
        more = unpacker.unused_data.strip(b"\0")  # zeros are padding
        return plain + (gzip.decompress(unpacker.unused_data) if more else b"")
    except (OSError, EOFError, zlib.error) as error:
        raise MustRefuseError(f"gzip: {error}") from error


def _words(data: bytes, count: int, kind: np.dtype[Any]) -> Array:
    try:
        numbers = np.array([float(word) for word in data.decode("ascii").split()])
    except ValueError as error:
        raise MustRefuseError("words that are no numbers") from error
    if numbers.size != count:
        raise MustRefuseError("length")
    _finite(numbers)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        if (numbers != np.floor(numbers)).any() or numbers.max() > limits.max:
            raise MustRefuseError("numbers that the type cannot hold")
        if numbers.min() < limits.min:
            raise MustRefuseError("numbers that the type cannot hold")
    with np.errstate(over="ignore"):
        return _finite(numbers.astype(kind).astype(np.float64))


def _finite(values: Array) -> Array:
    if not np.isfinite(values).all():
        raise MustRefuseError("voxels that are no finite numbers")
    return values


def _geometry(fields: dict[str, str]) -> tuple[tuple[Array, ...], str]:
    if "space directions" not in fields:
        return (), "orientation"
    try:
        steps = np.array([_vector(word) for word in fields["space directions"].split()])
        origin = np.array(_vector(fields.get("space origin", "(0,0,0)")))
    except ValueError as error:
        raise MustRefuseError("vectors") from error
    if steps.shape != (3, 3) or origin.shape != (3,):
        raise MustRefuseError("vectors")
    space = fields.get("space", "").lower()
    signs = np.array(_SPACES.get(space, (1, 1, 1)))
    matrix = np.eye(4)
    matrix[:3, :3] = steps.T * signs[:, None]
    matrix[:3, 3] = origin * signs
    if not is_regular(matrix):
        raise MustRefuseError("axes that are not perpendicular")
    if space not in _SPACES:
        return (), "orientation"
    return (matrix,), ""


def _vector(text: str) -> list[float]:
    if not (text.startswith("(") and text.endswith(")")):
        raise ValueError(text)
    return [float(number) for number in text[1:-1].split(",")]

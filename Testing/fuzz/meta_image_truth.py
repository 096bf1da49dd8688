"""What the bytes of a MetaImage file mean, by https://itk.org/Wiki/ITK/MetaIO/Documentation."""

from __future__ import annotations

import math
import zlib

import numpy as np

from fuzz.case import Array, Content, MustRefuseError, UnjudgedError, Volume
from fuzz.volumes import is_regular

TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_JUDGED = {"ObjectType", "NDims", "BinaryData", "CompressedData", "DimSize", "ElementType",
           "CompressedDataSize", "ElementDataFile", "CenterOfRotation", "AnatomicalOrientation",
           "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "TransformMatrix", "Rotation",
           "Orientation", "Offset", "Position", "Origin", "ElementSpacing",
           "ElementSize"}  # fmt: skip
_MOST = 1 << 26


def meta_image_truth(name: str, files: dict[str, Content]) -> Volume:
    """Strictly: no field with two values, no data elsewhere, no byte too few or too many."""
    content = files[name]
    if not isinstance(content, bytes):
        raise MustRefuseError("no regular file")
    fields, rest = _fields(content)
    if fields["ElementDataFile"].upper() != "LOCAL":
        beside = files.get(fields["ElementDataFile"].removeprefix("./"))
        if not isinstance(beside, bytes) or "/" in fields["ElementDataFile"].removeprefix("./"):
            raise MustRefuseError("its data lie elsewhere, or are no file")
        rest = beside
    values = _values(fields, rest)
    affine = _geometry(fields)
    if fields.keys() - _JUDGED:
        # A key that is unknown, or misspelt: a spacing may be missing.
        raise UnjudgedError
    has_spacing = _first(fields, "ElementSpacing", "ElementSize")
    return Volume(values, (affine,), "" if has_spacing else "1 mm")


def _fields(content: bytes) -> tuple[dict[str, str], bytes]:
    fields: dict[str, str] = {}
    rest = content
    while "ElementDataFile" not in fields:
        line, found, rest = rest.partition(b"\n")
        text = line.decode("utf-8", "surrogateescape").strip()
        if not text and found:
            continue
        key, separator, value = (part.strip() for part in text.partition("="))
        if not separator:
            key, separator, value = (part.strip() for part in text.partition(":"))
        if not separator:
            raise MustRefuseError("a line without a key")
        if fields.setdefault(key, value) != value:
            raise MustRefuseError("a field twice")
    return fields, rest


def _values(fields: dict[str, str], data: bytes) -> Array:
    if fields.get("ObjectType", "Image") != "Image" or not _yes(fields.get("BinaryData", "True")):
        raise MustRefuseError("another object, or values in words")
    try:
        size = [int(number) for number in fields["DimSize"].split()]
        count = int(fields["NDims"])
        code = TYPES[fields["ElementType"]]
    except (KeyError, ValueError) as error:
        raise MustRefuseError("sizes or type") from error
    if count != len(size) or len(size) < 3 or min(size) < 1:
        raise MustRefuseError("DimSize")
    if len(size) > 3:
        raise UnjudgedError
    if _yes(fields.get("CompressedData", "False")):
        unpacker = zlib.decompressobj(32 + zlib.MAX_WBITS)
        try:
            data, packed = unpacker.decompress(data, _MOST), data
        except zlib.error as error:
            raise MustRefuseError(f"zlib: {error}") from error
        more = unpacker.unused_data.strip(b"\0")  # zeros are padding
        if not unpacker.eof or (more and packed[:2] != b"\x1f\x8b"):
            raise MustRefuseError("zlib: cut, or more behind it")
    if len(data) != math.prod(size) * int(code[1]):
        raise MustRefuseError("length")
    msb = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    values = np.frombuffer(data, (">" if _yes(msb) else "<") + code).astype(np.float64)
    if not np.isfinite(values).all():
        raise MustRefuseError("voxels that are no finite numbers")
    return values.reshape(size[::-1])


def _geometry(fields: dict[str, str]) -> Array:
    try:
        steps = _numbers(_first(fields, "ElementSpacing", "ElementSize") or "1 1 1", 3)
        origin = _numbers(_first(fields, "Offset", "Position", "Origin") or "0 0 0", 3)
        rows = _first(fields, "TransformMatrix", "Rotation", "Orientation") or "1 0 0 0 1 0 0 0 1"
        directions = _numbers(rows, 9).reshape(3, 3).T
    except ValueError as error:
        raise MustRefuseError("numbers that are none") from error
    matrix = np.eye(4)
    with np.errstate(all="ignore"):
        matrix[:3, :3] = directions * steps
    matrix[:3, 3] = origin
    is_rotation = np.abs(directions.T @ directions - np.eye(3)).max() <= 3e-3
    if not (np.isfinite(matrix).all() and steps.min() > 0 and is_rotation and is_regular(matrix)):
        raise MustRefuseError("no regular grid")
    return matrix


def _numbers(text: str, count: int) -> Array:
    numbers = np.array([float(number) for number in text.split()])
    if numbers.size != count:
        raise ValueError(text[:40])
    return numbers


def _first(fields: dict[str, str], *keys: str) -> str:
    return next((fields[key] for key in keys if key in fields), "")


def _yes(text: str) -> bool:
    return text[:1] in ("T", "t", "1")

"""Image files written byte by byte, so that a test knows each of their bytes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

NIFTI_CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768,
               "i8": 1024, "u8": 1280}  # fmt: skip
"""NumPy's names of the types and NIfTI's numbers."""


def nifti_bytes(
    values: Any, order: str = "<", descrip: bytes = b"", extension: bytes = b"", **fields: Any
) -> bytes:
    """A NIfTI-1 file.

    Args:
        values: (k, j, i), of a type in `NIFTI_CODES`.
        order: byte order, `<` or `>`.
        descrip: the field of this name.
        extension: bytes between the header and the voxels.
        fields: others of the header, by name: `pixdim` (8), `sform` and `qform` as (code, numbers),
            `slope`, `inter`, `datatype`, `bitpix`, `dim` (8), `units`, `vox_offset`, `magic`.
    """
    kind = np.dtype(values.dtype).newbyteorder("=").str[1:]
    size = [values.ndim, *values.shape[::-1]]
    offset = 352 + len(extension)
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, *fields.get("dim", size + [1] * (8 - len(size))))
    datatype = fields.get("datatype", NIFTI_CODES[kind])
    struct.pack_into(order + "h", header, 70, datatype)
    struct.pack_into(order + "h", header, 72, fields.get("bitpix", 8 * values.dtype.itemsize))
    struct.pack_into(order + "8f", header, 76, *fields.get("pixdim", [1, 4, 4, 4, 0, 0, 0, 0]))
    struct.pack_into(order + "f", header, 108, fields.get("vox_offset", offset))
    struct.pack_into(order + "2f", header, 112, fields.get("slope", 0), fields.get("inter", 0))
    header[123] = fields.get("units", 2)
    header[148 : 148 + len(descrip)] = descrip
    q_code, q_numbers = fields.get("qform", (0, [0.0] * 6))
    s_code, s_numbers = fields.get("sform", (0, [0.0] * 12))
    struct.pack_into(order + "2h", header, 252, q_code, s_code)
    struct.pack_into(order + "6f", header, 256, *q_numbers)
    struct.pack_into(order + "12f", header, 280, *s_numbers)
    header[344:348] = fields.get("magic", b"n+1\0")
    return bytes(header) + extension + values.astype(values.dtype.newbyteorder(order)).tobytes()


def write_nifti(path: Path, values: Any, **fields: Any) -> Path:
    """`nifti_bytes` in a file, gzip where the name says so."""
    content = nifti_bytes(values, **fields)
    path.write_bytes(gzip.compress(content, 1) if path.name.endswith(".gz") else content)
    return path


def write_nrrd(path: Path, data: bytes, *lines: str, **fields: Any) -> Path:
    """An NRRD file: `fields` in the place of those of a short 2 x 3 x 4 image, None leaves one out;
    `_` stands for a space in their names; `lines` follow."""
    known = {
        "type": "short", "dimension": 3, "sizes": "2 3 4", "endian": "little", "encoding": "raw",
        "space": "LPS", "space_directions": "(2,0,0) (0,3,0) (0,0,4)", "space_origin": "(1,2,3)",
    }  # fmt: skip
    merged = {**known, **fields}
    merged |= {key: merged.pop(key) for key in ("space_directions", "space_origin")}  # last
    text = [f"{k.replace('_', ' ')}: {v}" for k, v in merged.items() if v is not None]
    path.write_bytes("\n".join(["NRRD0005", *text, *lines, "", ""]).encode() + data)
    return path


def write_meta_image(path: Path, data: bytes, **fields: Any) -> Path:
    """A MetaImage file: `fields` in the place of those of a short 2 x 3 x 4 image, None leaves one
    out."""
    known = {
        "ObjectType": "Image", "NDims": 3, "BinaryData": True, "BinaryDataByteOrderMSB": False,
        "CompressedData": False, "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "1 2 3",
        "ElementSpacing": "2 3 4", "DimSize": "2 3 4", "ElementType": "MET_SHORT",
    }  # fmt: skip
    merged = {**known, **fields}
    merged.setdefault("ElementDataFile", "LOCAL")
    last = merged.pop("ElementDataFile")
    text = [f"{k} = {v}" for k, v in merged.items() if v is not None]
    path.write_bytes("\n".join([*text, f"ElementDataFile = {last}", ""]).encode() + data)
    return path


def same_image(one: sitk.Image, other: sitk.Image) -> bool:
    """Whether type, voxels, spacing, origin and direction are equal to the last bit."""
    return (
        one.GetPixelID() == other.GetPixelID()
        and one.GetSize() == other.GetSize()
        and one.GetSpacing() == other.GetSpacing()
        and one.GetOrigin() == other.GetOrigin()
        and one.GetDirection() == other.GetDirection()
        and np.array_equal(sitk.GetArrayViewFromImage(one), sitk.GetArrayViewFromImage(other))
    )

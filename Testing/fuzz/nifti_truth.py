"""What the bytes of a NIfTI file mean, by the standard, with nibabel's header."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from typing import Any

import nibabel
import numpy as np

from fuzz.case import Array, Content, MustRefuseError, Volume
from fuzz.volumes import corners, is_regular

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
          1024: "i8", 1280: "u8"}  # fmt: skip
_MM = {1: 1000.0, 2: 1.0, 3: 1e-3}
_APART_MM = 3.0


def nifti_truth(content: Content) -> Volume:
    """Strictly: every byte has its place, checksums hold, and the geometry is a regular grid's."""
    if not isinstance(content, bytes):
        raise MustRefuseError("no regular file")
    plain = _unpacked(content)
    header = _header(plain)
    values = _values(header, plain)
    candidates, warning = _geometry(header, values.shape[::-1])
    return Volume(values, candidates, warning)


def _unpacked(content: bytes) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    pieces = []
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while piece := file.read(1 << 20):
                pieces.append(piece)
                if len(pieces) > 64:
                    raise MustRefuseError("more than any case holds")
    except (OSError, EOFError, zlib.error) as error:
        raise MustRefuseError(f"gzip: {error}") from error
    return b"".join(pieces)


def _header(plain: bytes) -> Any:
    for kind, length in ((nibabel.Nifti1Header, 348), (nibabel.Nifti2Header, 540)):
        for order in "<>":
            if len(plain) < length or int(np.frombuffer(plain[:4], order + "i4")[0]) != length:
                continue
            header = kind(plain[:length], endianness=order, check=False)
            magic = b"n+1" if length == 348 else b"n+2"
            if header["magic"] != magic:
                raise MustRefuseError("magic")
            if length == 540 and bytes(header["eol_check"].tobytes()) != b"\r\n\x1a\n":
                raise MustRefuseError("eol_check")
            return header
    raise MustRefuseError("no header")


def _values(header: Any, plain: bytes) -> Array:
    count = int(header["dim"][0])
    if not 3 <= count <= 7:
        raise MustRefuseError("no volume")
    size = [int(n) for n in header["dim"][1 : count + 1]]
    if min(size) < 1 or any(n != 1 for n in size[3:]):
        raise MustRefuseError("dim")
    if int(header["datatype"]) not in _TYPES:
        raise MustRefuseError("datatype")
    stored = np.dtype(header.endianness + _TYPES[int(header["datatype"])])
    offset = float(header["vox_offset"])
    if int(header["bitpix"]) != 8 * stored.itemsize:
        raise MustRefuseError("bitpix")
    if not (math.isfinite(offset) and offset == int(offset)):
        raise MustRefuseError("vox_offset")
    if offset < int(header["sizeof_hdr"]) + 4:
        raise MustRefuseError("vox_offset")
    voxels = plain[int(offset) :]
    if len(voxels) != math.prod(size) * stored.itemsize:
        raise MustRefuseError("length")
    values = np.frombuffer(voxels, stored).reshape(size[2::-1]).astype(np.float64)
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    with np.errstate(all="ignore"):
        if slope != 0 and not math.isnan(slope):
            if not math.isfinite(slope) or not math.isfinite(intercept):
                raise MustRefuseError("scaling")
            values = values * slope + intercept
    if not np.isfinite(values).all():
        raise MustRefuseError("voxels that are no finite numbers")
    return values


def _geometry(header: Any, size: Any) -> tuple[tuple[Array, ...], str]:
    """What may be taken for the affine, and what must be said."""
    pixdim = np.array(header["pixdim"][1:4], float)
    if not (np.isfinite(pixdim).all() and pixdim.min() > 0):
        raise MustRefuseError("pixdim")
    unit = _MM.get(int(header["xyzt_units"]) & 7, 1.0)
    forms = []
    if int(header["sform_code"]) > 0:
        forms.append(np.array([*(header[f"srow_{axis}"] for axis in "xyz"), [0, 0, 0, 1]], float))
    if int(header["qform_code"]) > 0:
        forms.append(_qform(header, pixdim))
    if not forms:
        return (np.diag([*(pixdim * unit), 1.0]),), "orientation"
    scale = np.diag([-unit, -unit, unit, 1.0])
    with np.errstate(all="ignore"):
        candidates = [scale @ form for form in forms]
    if not all(np.isfinite(candidate).all() for candidate in candidates):
        raise MustRefuseError("NaN in sform or qform")
    regular = tuple(candidate for candidate in candidates if is_regular(candidate))
    if not regular:
        raise MustRefuseError("axes that are not perpendicular")
    apart = np.abs(corners(candidates[0], size) - corners(candidates[-1], size)).max()
    return regular, "sform|qform" if apart > _APART_MM else ""


def _qform(header: Any, pixdim: Array) -> Array:
    """By the standard's method 2; NaN where the quaternion is none."""
    b, c, d = (float(header[f"quatern_{name}"]) for name in "bcd")
    matrix = np.full((4, 4), np.nan)
    matrix[3] = [0, 0, 0, 1]
    rest = 1.0 - (b * b + c * c + d * d)
    if not rest >= -2e-3:
        return matrix
    a = math.sqrt(max(rest, 0.0))
    handed = -1.0 if float(header["pixdim"][0]) < 0 else 1.0
    norm = math.sqrt(a * a + b * b + c * c + d * d)
    a, b, c, d = (part / norm for part in (a, b, c, d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    with np.errstate(all="ignore"):
        matrix[:3, :3] = rotation * pixdim * [1.0, 1.0, handed]
    matrix[:3, 3] = [float(header[f"qoffset_{axis}"]) for axis in "xyz"]
    return matrix

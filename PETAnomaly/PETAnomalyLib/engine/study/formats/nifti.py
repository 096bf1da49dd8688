"""NIfTI-1 and NIfTI-2 in one file, plain or gzip.

Header: https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields and
https://nifti.nimh.nih.gov/nifti-2. Geometry: LPS; RAS+ in the file.
"""

from __future__ import annotations

import math
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.formats.byte_stream import GZIP, ByteStream
from PETAnomalyLib.engine.study.formats.grid import Grid, Matrix, farthest
from PETAnomalyLib.engine.study.formats.stored_volume import StoredVolume
from PETAnomalyLib.engine.study.input_path import shown

FORMS_AGREE_MM = 2.0
"""Up to here sform and qform say the same: near half a turn the quaternion in single precision
turns the end of a two-metre patient by 1.3 mm."""

SPACING_AGREES = 1e-3
"""Up to this share the sform's steps are those of `pixdim`, rounded."""

_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
    256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_COLOURS = {128: 3, 2304: 4}
_COMPLEX = (32, 1792, 2048)
_LEAST_SLOPE = float(np.finfo(np.float32).tiny)
_QUATERNION_TOLERANCE = 1e-3
_FIRST_LENGTH, _SECOND_LENGTH = 348, 540  # bytes of a NIfTI-1 and a NIfTI-2 header
_SCANNER = 1  # NIFTI_XFORM_SCANNER_ANAT
_MM_A_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}  # metre, millimetre, micrometre; millimetre if unknown
_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class _Header:
    """The fields that are used, under the standard's own names."""

    dim: tuple[int, ...]
    datatype: int
    bitpix: int
    pixdim: tuple[float, ...]
    vox_offset: float
    scl_slope: float
    scl_inter: float
    xyzt_units: int
    descrip: str
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    qoffset: tuple[float, ...]
    srow: tuple[float, ...]
    order: str
    length: int


def open_nifti(path: Path, file: BinaryIO, _files: ExitStack) -> StoredVolume:
    """Read the header of a `.nii` or `.nii.gz`; gzip is known by its first bytes, not by the name.

    Args:
        path: the file, for messages.
        file: it, open.

    Raises:
        InputError: no header of one volume in one file, or one that contradicts itself.
    """
    name = shown(path)
    packed = file.peek(2)[:2] == b"\x1f\x8b"  # type: ignore[attr-defined]
    stream = ByteStream(file, name, GZIP if packed else None)
    header = _header(stream, name)
    size = _size(header, name)
    components = _components(header, size, name)
    stored = _stored_type(header, name)
    slope, intercept = _scaling(header, name)
    grid, warnings = _grid(header, size, path.name, name)
    stream.skip(_bytes_between(header, name))
    return StoredVolume(
        size=size if components == 1 else size[:3],
        stored=stored,
        grid=grid,
        stream=stream,
        components=components,
        component_axis=3,
        slope=slope,
        intercept=intercept,
        notes={"descrip": header.descrip},
        warnings=warnings,
    )


def _header(stream: ByteStream, name: str) -> _Header:
    start = stream.some(_FIRST_LENGTH)
    for order in "<>" if len(start) == _FIRST_LENGTH else "":
        length = struct.unpack_from(order + "i", start)[0]
        if length == _FIRST_LENGTH:
            return _first_kind(start, order, name)
        if length == _SECOND_LENGTH:
            return _second_kind(start + stream.some(length - len(start)), order, name)
    raise _unreadable(name, "it does not begin as one")


def _first_kind(start: bytes, order: str, name: str) -> _Header:
    magic = start[344:348]
    if magic == b"ni1\0":
        raise _unreadable(name, "its voxels are in another file (.hdr and .img)")
    if magic != b"n+1\0":
        raise _unreadable(name, "it is an Analyze file, which does not say where left is")

    def field(form: str, at: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, start, at)

    qform_code, sform_code = field("2h", 252)
    return _Header(
        dim=field("8h", 40),
        datatype=field("h", 70)[0],
        bitpix=field("h", 72)[0],
        pixdim=field("8f", 76),
        vox_offset=field("f", 108)[0],
        scl_slope=field("f", 112)[0],
        scl_inter=field("f", 116)[0],
        xyzt_units=start[123],
        descrip=_text(start[148:228]),
        qform_code=qform_code,
        sform_code=sform_code,
        quatern=field("3f", 256),
        qoffset=field("3f", 268),
        srow=field("12f", 280),
        order=order,
        length=_FIRST_LENGTH,
    )


def _second_kind(start: bytes, order: str, name: str) -> _Header:
    if len(start) < _SECOND_LENGTH or start[4:12] != b"n+2\0\r\n\x1a\n":
        raise _unreadable(name, "it is no NIfTI-2 file with its voxels behind the header")

    def field(form: str, at: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, start, at)

    qform_code, sform_code = field("2i", 344)
    return _Header(
        dim=field("8q", 16),
        datatype=field("h", 12)[0],
        bitpix=field("h", 14)[0],
        pixdim=field("8d", 104),
        vox_offset=float(field("q", 168)[0]),
        scl_slope=field("d", 176)[0],
        scl_inter=field("d", 184)[0],
        xyzt_units=field("i", 500)[0],
        descrip=_text(start[240:320]),
        qform_code=qform_code,
        sform_code=sform_code,
        quatern=field("3d", 352),
        qoffset=field("3d", 376),
        srow=field("12d", 400),
        order=order,
        length=_SECOND_LENGTH,
    )


def _size(header: _Header, name: str) -> tuple[int, ...]:
    """The axes of the image, without those of length 1 at the end (but for the first three)."""
    count = header.dim[0]
    if not 1 <= count <= 7 or min(header.dim[1 : count + 1]) < 1:
        raise _unreadable(name, f"its sizes are impossible (dim = {list(header.dim)})")
    size = list(header.dim[1 : count + 1])
    while len(size) > 3 and size[-1] == 1:
        size.pop()
    return tuple(size)


def _components(header: _Header, size: tuple[int, ...], name: str) -> int:
    if header.datatype in _COLOURS:
        return _COLOURS[header.datatype]
    if header.datatype in _COMPLEX:
        raise InputError(f"{name} has complex values.", "Give the magnitude image.")
    vector = len(size) == 5 and size[3] == 1
    return size[4] if vector else 1


def _stored_type(header: _Header, name: str) -> np.dtype[Any]:
    if header.datatype in _COLOURS:
        return np.dtype(np.uint8)
    if header.datatype not in _TYPES:
        raise _unreadable(name, f"its data type has the unknown number {header.datatype}")
    stored = np.dtype(header.order + _TYPES[header.datatype])
    if header.bitpix != 8 * stored.itemsize:
        raise _unreadable(
            name, f"it announces {stored.name} values of {header.bitpix} bits (bitpix)"
        )
    return stored


def _bytes_between(header: _Header, name: str) -> int:
    """From the end of the header to the first voxel."""
    least = header.length + 4  # four bytes say whether extensions follow
    if not (least <= header.vox_offset < 2**62 and header.vox_offset == int(header.vox_offset)):
        raise _unreadable(name, f"its voxels begin at byte {header.vox_offset:g} (vox_offset)")
    return int(header.vox_offset) - header.length


def _scaling(header: _Header, name: str) -> tuple[float | None, float]:
    """Slope and intercept; a slope of 0, or NaN in both, means none."""
    slope, intercept = float(header.scl_slope), float(header.scl_inter)
    if slope == 0 or (np.isnan(slope) and (np.isnan(intercept) or intercept == 0)):
        return None, 0.0
    # A smaller slope would make zeros of all voxels, which are single precision then.
    if not (_LEAST_SLOPE <= abs(slope) < np.inf and np.isfinite(intercept)):
        raise _unreadable(
            name, f"its scaling is {slope:g} and {intercept:g} (scl_slope, scl_inter)"
        )
    return (None, 0.0) if (slope, intercept) == (1.0, 0.0) else (slope, intercept)


@np.errstate(all="ignore")  # what overflows is infinite, and refused as that
def _grid(
    header: _Header, size: tuple[int, ...], short: str, name: str
) -> tuple[Grid, tuple[str, ...]]:
    """As ITK, and so Slicer, chooses: the sform where it is the scanner's or the only one, else the
    qform; without either, the axes are along LPS from zero."""
    if len(size) < 3:
        return Grid.identity(), ()  # a picture, which is refused
    pixdim = header.pixdim[1:4]
    if not (np.all(np.isfinite(pixdim)) and min(pixdim) > 0):
        raise InputError(
            f"{name} has a voxel spacing of {' x '.join(f'{step:g}' for step in pixdim)} mm "
            "(pixdim).",
            "Check the voxel spacing in its header, or export it again.",
        )
    unit = _MM_A_UNIT.get(header.xyzt_units & 7, 1.0)
    spacing = (pixdim[0] * unit, pixdim[1] * unit, pixdim[2] * unit)
    forms: dict[str, Matrix] = {}
    if header.sform_code > 0:
        forms["sform"] = _in_lps(np.reshape(header.srow, (3, 4)), unit, name, "sform")
    if header.qform_code > 0:
        forms["qform"] = _in_lps(_qform(header, name), unit, name, "qform")
    if not forms:
        return Grid.identity(spacing), (
            f"{short} states no orientation (qform and sform code 0): axes may be mirrored.",
        )
    used = "sform" if "qform" not in forms or header.sform_code == _SCANNER else "qform"
    grid = Grid.from_steps(forms[used][:, :3], forms[used][:, 3])
    by_pixdim = Grid(spacing, grid.origin, grid.direction)
    grid.check(name)
    if used == "qform" or np.allclose(grid.spacing, spacing, rtol=SPACING_AGREES, atol=0):
        grid = by_pixdim
    others = {form: steps for form, steps in forms.items() if form != used}
    others = others or {"pixdim": by_pixdim.affine}
    for other, affine in others.items():
        apart = farthest(grid.affine, affine, size)
        if apart > FORMS_AGREE_MM:
            return grid, (
                f"The header of {short} contradicts itself: by its {used} and its {other} the same "
                f"voxel lies up to {apart:.3g} mm apart. The {used} is used; check the positions.",
            )
    return grid, ()


def _in_lps(affine: Any, unit: float, name: str, form: str) -> Matrix:
    """(3, 4), LPS, mm, of one of the two forms, RAS+ in the file's unit."""
    steps = np.asarray(affine, np.float64) * _LPS[:, None] * unit
    if not np.all(np.isfinite(steps)):
        raise InputError(
            f"{name} has NaN or infinite numbers in the {form} of its header.",
            "Export the file again.",
        )
    return steps


def _qform(header: _Header, name: str) -> Matrix:
    """(3, 4), RAS+; "method 2" of the standard, in the precision that ITK's library has it in."""
    qfac = header.pixdim[0]
    if qfac not in (-1.0, 0.0, 1.0):
        raise _unreadable(name, f"its qform is {qfac:g}-handed (pixdim[0], which is 1 or -1)")
    b, c, d = header.quatern
    length = b * b + c * c + d * d
    if not length <= 1 + _QUATERNION_TOLERANCE:
        raise _unreadable(name, f"its qform is no rotation (a quaternion of length {length:g})")
    a = 1.0 - length
    if a < 1e-7:  # half a turn
        a = 1.0 / math.sqrt(length)
        b, c, d, a = b * a, c * a, d * a, 0.0
    else:
        a = math.sqrt(a)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    x, y, z = header.pixdim[1:4]
    steps = rotation * [x, y, -z if qfac < 0 else z]
    if header.length == _FIRST_LENGTH:
        steps = steps.astype(np.float32).astype(np.float64)
    return np.column_stack([steps, header.qoffset])


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("latin-1")


def _unreadable(name: str, reason: str) -> InputError:
    return InputError(f"{name} is not a readable NIfTI image: {reason}.", "Export the file again.")

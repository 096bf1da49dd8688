"""The images of a bundle, checked to the last voxel: what is wrong with its template must not be
taken for a fault of the study that is aligned to it, and its region atlas lies where the template
does.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PETAnomalyLib.engine.frame.measured_regions import HIGHEST_CODE
from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.regular_file import open_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HINT = "Do not use it; get the model again from where it is published."
_HEADER_BYTES = 352  # NIfTI-1's 348, and 4 that say that no extension follows
_FLOAT_TYPES = {16: "<f4", 64: "<f8"}  # NIfTI's datatype -> NumPy's
_LABEL_TYPES = {2: "u1"}
_BLOCK_BYTES = 1 << 20
_LEAST_BODY_SUV = 0.15  # as the alignment tells a patient from the air around
_LARGEST_RESIDUAL = 10.0  # of intensities from 0 to 1; a poor network reconstructs beyond them
_LARGEST_SUV = 1000.0  # the hottest bladder reaches 200; Bq/ml begin at thousands
_DIRECTION_TOLERANCE = 1e-3  # of a unit vector
_MM_TOLERANCE = 1e-3


def check_template(path: Path, name: str, frame: dict[str, Any]) -> None:
    """Check a template against the manifest: one float32 or float64 NIfTI-1 volume in SUV (g/ml) on
    the frame's grid, along LPS, whole by its checksum, all values finite and none below zero.

    Args:
        path: the file.
        name: as messages call it.
        frame: the manifest's section: `size_voxels`, `spacing_mm` along x, y, z.

    Raises:
        BundleError: naming the file and, where the manifest says otherwise, its key.
    """
    _, least, largest = _check_image(
        path, name, frame, _FLOAT_TYPES, "float32 or float64", _check_finite
    )
    _check_range(name, least, largest)


def check_labels(path: Path, name: str, template: Path, frame: dict[str, Any]) -> None:
    """Check a region atlas or a mask of the brain: one uint8 NIfTI-1 volume on the template's very
    grid, whole by its checksum, all values codes of a region (in a mask, 1) or 0.

    Args:
        path: the file.
        name: as messages call it.
        template: checked before.
        frame: the manifest's section: `size_voxels`, `spacing_mm` along x, y, z.

    Raises:
        BundleError: naming the file and, where the manifest says otherwise, its key.
    """
    header = _check_image(path, name, frame, _LABEL_TYPES, "uint8", _check_codes)[0]
    _check_place(header, name, template)


def check_residual(
    path: Path, name: str, template: Path, frame: dict[str, Any], is_std: bool
) -> None:
    """Check mean or standard deviation of healthy heads' residuals: one float32 or float64 NIfTI-1
    volume on the template's very grid, whole by its checksum, all values finite, within
    what a network makes of intensities from 0 to 1, and a standard deviation above 0.

    Args:
        path: the file.
        name: as messages call it.
        template: checked before.
        frame: the manifest's section: `size_voxels`, `spacing_mm` along x, y, z.
        is_std: which of them.

    Raises:
        BundleError: naming the file and, where the manifest says otherwise, its key.
    """
    header, least, largest = _check_image(
        path, name, frame, _FLOAT_TYPES, "float32 or float64", _check_finite
    )
    _check_place(header, name, template)
    if max(-least, largest) > _LARGEST_RESIDUAL or (is_std and least <= 0.0):
        what = "no standard deviation" if is_std else "no mean residual"
        raise BundleError(
            f"{name}: its values lie from {least:.3g} to {largest:.3g}, which are {what} of "
            "intensities from 0 to 1.",
            _HINT,
        )


def _check_place(header: bytes, name: str, template: Path) -> None:
    with open_regular(template) as packed, gzip.GzipFile(fileobj=packed) as file:
        of_template = file.read(_HEADER_BYTES)
    for mine, its in zip(_offsets(header), _offsets(of_template)):
        if not abs(mine - its) <= _MM_TOLERANCE:
            raise BundleError(f"{name}: it lies elsewhere than the template.", _HINT)


def _check_image(
    path: Path,
    name: str,
    frame: dict[str, Any],
    types: dict[int, str],
    in_words: str,
    check_values: Callable[[NDArray[Any], str], tuple[float, float]],
) -> tuple[bytes, float, float]:
    """Returns the header, and the least and the largest value.

    Args:
        types: NIfTI's datatype -> NumPy's, of those that it may have.
        in_words: these.
        check_values: of a block of values and the file's name, the least and the largest.
    """
    try:
        with open_regular(path) as packed, gzip.GzipFile(fileobj=packed) as file:
            header = file.read(_HEADER_BYTES)
            code = _check_header(header, name, frame, types, in_words)
            length = int(code[-1]) * math.prod(frame["size_voxels"])
            packed_bytes = os.fstat(packed.fileno()).st_size
            if packed_bytes > 1.01 * length + (1 << 16):  # gzip adds hardly anything
                raise _damaged(name, f"{packed_bytes} bytes hold {length} of voxels")
            least, largest = _read_values(file, name, length, code, check_values)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(name, f"it is not a whole gzip file ({error})") from error
    return header, least, largest


def _check_header(
    header: bytes, name: str, frame: dict[str, Any], types: dict[int, str], in_words: str
) -> str:
    """Returns NumPy's code of the voxels' type."""
    if len(header) < _HEADER_BYTES or struct.unpack_from("<i", header, 0) != (348,):
        raise _damaged(name, "it is not a little-endian NIfTI-1 file")
    (offset,) = struct.unpack_from("<f", header, 108)
    if header[344:348] != b"n+1\0" or any(header[348:]) or offset != _HEADER_BYTES:
        raise _damaged(name, "it is not a single NIfTI-1 file without extensions")
    _check_grid(header, name, frame)
    _check_orientation(header, name, frame["spacing_mm"])
    datatype, bits = struct.unpack_from("<2h", header, 70)
    code = types.get(datatype)
    if code is None or bits != 8 * int(code[-1]):
        raise BundleError(f"{name}: its values are no {in_words}.", _HINT)
    slope, intercept = struct.unpack_from("<2f", header, 112)
    if slope != 0 and (slope, intercept) != (1.0, 0.0):  # 0: NIfTI's "not scaled"
        raise BundleError(f"{name}: its values are scaled (scl_slope, scl_inter).", _HINT)
    return code


def _check_grid(header: bytes, name: str, frame: dict[str, Any]) -> None:
    dimensions = struct.unpack_from("<8h", header, 40)
    spacing = struct.unpack_from("<8f", header, 76)[1:4]
    if dimensions[0] != 3 or list(dimensions[1:4]) != list(frame["size_voxels"]):
        raise BundleError(
            f"{name}: its size is {list(dimensions[1:4])}, but configs/metadata.json, key "
            f"petanomaly.frame.size_voxels says {frame['size_voxels']}.",
            _HINT,
        )
    is_mm = header[123] & 7 in (0, 2)  # of xyzt_units; 0: not said
    if not is_mm or any(not abs(a - b) < 1e-3 for a, b in zip(spacing, frame["spacing_mm"])):
        raise BundleError(
            f"{name}: its spacing is {[round(s, 4) for s in spacing]}{' mm' if is_mm else ''}, but "
            f"configs/metadata.json, key petanomaly.frame.spacing_mm says {frame['spacing_mm']}.",
            _HINT,
        )


def _check_orientation(header: bytes, name: str, spacing_mm: list[float]) -> None:
    """Both transforms, where the header has them, must be that of an image along LPS; ITK takes a
    header without any for such a one.
    """
    qform_code, sform_code = struct.unpack_from("<2h", header, 252)
    transforms = []
    if sform_code > 0:
        numbers = struct.unpack_from("<12f", header, 280)
        transforms.append([list(numbers[row : row + 4]) for row in (0, 4, 8)])
    if qform_code > 0:
        transforms.append(_qform(header, spacing_mm))
    wanted = [  # NIfTI's world is RAS: x and y run against it
        [-spacing_mm[0], 0.0, 0.0],
        [0.0, -spacing_mm[1], 0.0],
        [0.0, 0.0, spacing_mm[2]],
    ]
    for rows in transforms:
        for row, wanted_row in zip(rows, wanted):
            for column in range(3):
                most = _DIRECTION_TOLERANCE * spacing_mm[column]
                if not abs(row[column] - wanted_row[column]) <= most:
                    raise BundleError(
                        f"{name}: it is mirrored or turned, but configs/metadata.json, key "
                        "petanomaly.frame.orientation says LPS.",
                        _HINT,
                    )
        for row, first in zip(rows, transforms[0]):
            if not abs(row[3] - first[3]) <= _MM_TOLERANCE:  # nor NaN
                raise _damaged(name, "its qform and sform place it differently")


def _qform(header: bytes, spacing_mm: list[float]) -> list[list[float]]:
    """Rows of (R | offset), R scaled by the spacing; nifti1.h, METHOD 2."""
    b, c, d, *offset = struct.unpack_from("<6f", header, 256)
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    (handedness,) = struct.unpack_from("<f", header, 76)
    x, y, z = spacing_mm
    z = -z if handedness < 0 else z
    return [
        [(a * a + b * b - c * c - d * d) * x, 2 * (b * c - a * d) * y, 2 * (b * d + a * c) * z,
         offset[0]],
        [2 * (b * c + a * d) * x, (a * a + c * c - b * b - d * d) * y, 2 * (c * d - a * b) * z,
         offset[1]],
        [2 * (b * d - a * c) * x, 2 * (c * d + a * b) * y, (a * a + d * d - c * c - b * b) * z,
         offset[2]],
    ]  # fmt: skip


def _offsets(header: bytes) -> tuple[float, ...]:
    """Where the first voxel lies, RAS mm; the sform's, which ITK prefers, where there is one."""
    (sform_code,) = struct.unpack_from("<h", header, 254)
    places = (292, 308, 324) if sform_code > 0 else (268, 272, 276)
    return tuple(struct.unpack_from("<f", header, place)[0] for place in places)


def _read_values(
    file: gzip.GzipFile,
    name: str,
    length: int,
    code: str,
    check_values: Callable[[NDArray[Any], str], tuple[float, float]],
) -> tuple[float, float]:
    """Returns the least and the largest."""
    import numpy as np

    least, largest, left = math.inf, -math.inf, length
    while left:
        block = file.read(min(left, _BLOCK_BYTES))
        if len(block) < min(left, _BLOCK_BYTES):
            raise _damaged(name, f"it ends {left - len(block)} bytes before the last voxel")
        left -= len(block)
        low, high = check_values(np.frombuffer(block, code), name)
        least, largest = min(least, low), max(largest, high)
    if file.read(1):  # and with the end, gzip has compared the checksum
        raise _damaged(name, f"more than {length} bytes of voxels follow its header")
    return least, largest


def _check_finite(values: NDArray[Any], name: str) -> tuple[float, float]:
    import numpy as np

    if not np.isfinite(values).all():
        raise BundleError(f"{name}: it holds voxels that are no finite number.", _HINT)
    return float(values.min()), float(values.max())


def _check_codes(values: NDArray[Any], name: str) -> tuple[float, float]:
    if values.max() > HIGHEST_CODE:
        raise BundleError(
            f"{name}: it holds the value {values.max()}; regions have codes up to {HIGHEST_CODE}.",
            _HINT,
        )
    return float(values.min()), float(values.max())


def _check_range(name: str, least: float, largest: float) -> None:
    if least < -0.01 * largest:  # a resampled mean may lie a trace below
        raise BundleError(f"{name}: it holds uptake below zero (SUV {least:.3g}).", _HINT)
    if not _LEAST_BODY_SUV < largest <= _LARGEST_SUV or least == largest:
        raise BundleError(
            f"{name}: it shows no patient: its values lie from {least:.3g} to {largest:.3g}, which "
            "are no SUV (g/ml) of a body and the air around.",
            _HINT,
        )


def _damaged(name: str, wrong: str) -> BundleError:
    return BundleError(f"{name} is damaged: {wrong}.", _HINT)

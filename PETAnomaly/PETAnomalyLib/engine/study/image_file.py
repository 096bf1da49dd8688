"""Reading one volume from a NIfTI, NRRD or MetaImage file, whole or not at all."""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.validation import refuse_not_finite

FORMATS = {
    ".nii.gz": "NIfTI",
    ".nii": "NIfTI",
    ".nrrd": "NRRD",
    ".nhdr": "NRRD",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
}
_CHUNK = 1 << 22
# NIfTI's codes of float32 and float64, and the header sizes of NIfTI-1 and NIfTI-2 as they start a
# little-endian file.
_NIFTI_FLOATS = ("16", "64")
_NIFTI_LITTLE_ENDIAN = ((348).to_bytes(4, "little"), (540).to_bytes(4, "little"))
_ACTIVITY = re.compile(r"\bk?bq\s*/?\s*(ml|cc|cm3)|\bbqml\b", re.IGNORECASE)
_SUV = re.compile(r"\bsuv|\bg\s*/\s*ml\b|\bgml\b", re.IGNORECASE)


def image_suffix(path: Path) -> str:
    """The ending of a readable image file in small letters, empty for any other file."""
    name = path.name.lower()
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), "")


def read_image_file(path: Path) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """One scalar volume with its geometry (LPS, mm), in the file's own pixel type.

    Returns:
        The image, a JSON-able description (format, units stated by the file), and warnings.

    Raises:
        InputError: missing, empty, no image, truncated, a picture, several volumes, or colours.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist.", "Check the path.")
    suffix = image_suffix(path)
    if not suffix:
        raise InputError(
            f"{path} is not an image volume: its name ends in none of {', '.join(FORMATS)}, and it "
            "is no DICOM file.",
            "Give a NIfTI, NRRD or MHA file, or a DICOM folder.",
        )
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes).", "Copy or export the file again.")
    reader = _header(path, suffix)
    _refuse_other_than_volume(path, reader)
    if FORMATS[suffix] == "NIfTI":
        _check_nifti_data(path, reader)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f"The pixel data of {path} are truncated, missing or damaged: {_cause(error)}",
            "Copy or export the file again.",
        ) from error
    if image.GetDimension() > 3:  # further axes of length one
        image = sitk.Extract(image, [*image.GetSize()[:3], *[0] * (image.GetDimension() - 3)])
    description = {"format": FORMATS[suffix], "stated_units": _stated_units(path, reader)}
    return image, description, tuple(_no_orientation(path, reader))


def _header(path: Path, suffix: str) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        oblique = "orthonormal" in str(error)
        raise InputError(
            f"{path} has axes that are not perpendicular: {_cause(error)}"
            if oblique
            else f"{path} is not a readable {FORMATS[suffix]} image: {_cause(error)}",
            "Resample it to a regular grid first." if oblique else "Export the file again.",
        ) from error
    return reader


def _refuse_other_than_volume(path: Path, reader: sitk.ImageFileReader) -> None:
    size = reader.GetSize()
    shape = " x ".join(map(str, size))
    if reader.GetNumberOfComponents() > 1:
        raise InputError(
            f"{path} has {reader.GetNumberOfComponents()} values a voxel (a colour or vector "
            "image), not one.",
            "Give the grey-value image.",
        )
    if len(size) < 3:
        raise InputError(
            f"{path} is a {len(size)}-D picture ({shape}), not a volume.", "Give a 3-D image."
        )
    if any(n > 1 for n in size[3:]):
        raise InputError(
            f"{path} is {len(size)}-D ({shape}): several volumes in one file.",
            "Give one static volume; split the series or take the summed image.",
        )


def _check_nifti_data(path: Path, reader: sitk.ImageFileReader) -> None:
    """Looks at the bytes themselves: ITK fills a truncated file with zeros, and puts zeros in the
    place of NaN and infinity, without a word."""
    itemsize = int(float(reader.GetMetaData("bitpix"))) // 8
    offset = int(float(reader.GetMetaData("vox_offset")))
    floating = reader.GetMetaData("datatype").strip() in _NIFTI_FLOATS
    size = math.prod(reader.GetSize()) * itemsize
    bad = 0
    with _open_plain(path) as file:
        header = _read_plain(file, offset)
        found = len(header)
        order = "<" if header[:4] in _NIFTI_LITTLE_ENDIAN else ">"
        while found < offset + size:
            block = _read_plain(file, min(_CHUNK, offset + size - found))
            if not block:
                break
            found += len(block)
            if floating:
                whole = block[: len(block) // itemsize * itemsize]
                numbers = np.frombuffer(whole, f"{order}f{itemsize}")
                bad += int(numbers.size - np.count_nonzero(np.isfinite(numbers)))
    if found < offset + size:
        raise InputError(
            f"{path} is truncated: its header announces {offset + size} bytes, {found} are there.",
            "Copy or export the file again.",
        )
    if bad:
        refuse_not_finite(str(path), bad, size // itemsize)


def _open_plain(path: Path) -> BinaryIO:
    """Decompressed when it is gzip, whatever its name says: so does ITK."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb") if packed else path.open("rb"))


def _read_plain(file: BinaryIO, count: int) -> bytes:
    """Up to `count` bytes; a damaged or truncated gzip stream ends where it breaks."""
    try:
        return file.read(count)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


def _no_orientation(path: Path, reader: sitk.ImageFileReader) -> list[str]:
    codes = [
        reader.GetMetaData(key)
        for key in ("qform_code", "sform_code")
        if reader.HasMetaDataKey(key)
    ]
    if not codes or any(code.strip() != "0" for code in codes):
        return []
    return [f"{path.name} states no orientation (qform and sform code 0): axes may be mirrored."]


def _stated_units(path: Path, reader: sitk.ImageFileReader) -> str:
    """`SUV`, `Bq/ml` or nothing, from header notes or the sidecar that dcm2niix writes."""
    notes = [
        reader.GetMetaData(key)
        for key in reader.GetMetaDataKeys()
        if key in ("descrip", "ITK_FileNotes") or key.lower() in ("units", "unit", "valueunits")
    ]
    sidecar = path.with_name(path.name[: -len(image_suffix(path))] + ".json")
    try:
        content = json.loads(sidecar.read_text(encoding="utf-8"))
        notes.append(str(content.get("Units", "")))
    except (OSError, ValueError, AttributeError):
        pass  # no sidecar, or another program's file: it states nothing
    for note in notes:
        if _SUV.search(note):
            return "SUV"
        if _ACTIVITY.search(note):
            return "Bq/ml"
    return ""


def _cause(error: RuntimeError) -> str:
    """The last line of ITK's message, the only one about the file."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"

"""Reading one volume from a NIfTI, NRRD or MetaImage file, whole or not at all."""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from PETAnomalyLib.engine.errors import InputError

FORMATS = {
    ".nii.gz": "NIfTI",
    ".nii": "NIfTI",
    ".nrrd": "NRRD",
    ".nhdr": "NRRD",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
}
_CHUNK = 1 << 22
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
        _refuse_truncated_nifti(path, reader, compressed=suffix == ".nii.gz")
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


def _refuse_truncated_nifti(path: Path, reader: sitk.ImageFileReader, compressed: bool) -> None:
    """ITK fills what a truncated NIfTI file lacks with zeros and says nothing, so count."""
    bits = int(float(reader.GetMetaData("bitpix")))
    offset = int(float(reader.GetMetaData("vox_offset")))
    expected = offset + math.prod(reader.GetSize()) * bits // 8
    found = _uncompressed_size(path) if compressed else path.stat().st_size
    if found < expected:
        raise InputError(
            f"{path} is truncated: its header announces {expected} bytes, {found} are there.",
            "Copy or export the file again.",
        )


def _uncompressed_size(path: Path) -> int:
    total = 0
    try:
        with gzip.open(path, "rb") as file:
            while True:
                block = file.read(_CHUNK)
                if not block:
                    return total
                total += len(block)
    except gzip.BadGzipFile:
        # ITK also reads an uncompressed file that is named .nii.gz.
        return path.stat().st_size if total == 0 else total
    except (EOFError, zlib.error):
        return total
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}", "Check the disk.") from error


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

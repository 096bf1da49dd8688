"""Reading one volume from a NIfTI, NRRD or MetaImage file, whole or not at all.

Everything in the engine that reads an image file reads it here. No reader but ours opens it: ITK's
opens another file of a similar name (`x.nii` for `x.nii.gz`), believes the header, and takes
damaged gzip, NaN and skewed axes without a word.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.formats.grid import Grid, without_denormals
from PETAnomalyLib.engine.study.formats.meta_image import open_meta_image
from PETAnomalyLib.engine.study.formats.nifti import open_nifti
from PETAnomalyLib.engine.study.formats.nrrd import open_nrrd
from PETAnomalyLib.engine.study.formats.stored_volume import Array, StoredVolume
from PETAnomalyLib.engine.study.input_path import open_input, shown
from PETAnomalyLib.engine.study.validation import check_finite

FORMATS = {
    ".nii.gz": "NIfTI",
    ".nii": "NIfTI",
    ".nrrd": "NRRD",
    ".nhdr": "NRRD",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
}
_OPEN: dict[str, Callable[[Path, BinaryIO, ExitStack], StoredVolume]] = {
    "NIfTI": open_nifti,
    "NRRD": open_nrrd,
    "MetaImage": open_meta_image,
}
_NOTES_OF_UNITS = ("descrip", "itk_filenotes", "units", "unit", "valueunits")
_MOST_SIDECAR_BYTES = 1 << 20
_ACTIVITY = re.compile(r"\bk?bq\s*/?\s*(ml|cc|cm3)|\bbqml\b", re.IGNORECASE)
_SUV = re.compile(r"\bsuv|\bg\s*/\s*ml\b|\bgml\b", re.IGNORECASE)


def image_suffix(path: Path) -> str:
    """The ending of a readable image file in small letters, empty for any other file."""
    name = path.name.lower()
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), "")


def read_image_file(path: Path) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """One scalar volume with its geometry (LPS, mm), in the file's own pixel type; float where the
    file says how to rescale.

    Returns:
        The image, a JSON-able description (format, units stated by the file), and warnings.

    Raises:
        InputError: missing, not to be read, no regular file, empty, no image, truncated, damaged,
            more than the header announces, NaN or infinite values, a picture, several volumes, or
            colours.
    """
    with ExitStack() as files:
        stored = _open(path, files)
        _refuse_several_components(stored, path)
        _refuse_other_than_volume(stored, path)
        values = _values(stored, path)[0]
    description = {
        "format": FORMATS[image_suffix(path)],
        "stated_units": _stated_units(path, stored.notes),
    }
    return _image(values, stored.grid), description, stored.warnings


def read_float_image(path: Path) -> sitk.Image:
    """As `read_image_file`, the image alone, float32: a template or a map that we wrote."""
    return sitk.Cast(read_image_file(path)[0], sitk.sitkFloat32)


def read_mask_file(path: Path) -> tuple[sitk.Image, tuple[str, ...]]:
    """What a label image or a segmentation marks: uint8, 1 where any of its layers is not 0.

    A Slicer segmentation (`.seg.nrrd`) whose segments overlap has several layers: values a voxel.

    Returns:
        The mask (LPS, mm) and warnings.

    Raises:
        InputError: as `read_image_file`, but for the layers.
    """
    with ExitStack() as files:
        stored = _open(path, files)
        _refuse_other_than_volume(stored, path)
        marked = np.any(_values(stored, path), axis=0)
    return _image(marked.astype(np.uint8), stored.grid), stored.warnings


def read_layers(path: Path) -> tuple[list[sitk.Image], dict[str, str]]:
    """The layers of a label image or a segmentation, each in the file's own pixel type (LPS, mm),
    and what its header says in words, by its key in small letters.

    Raises:
        InputError: as `read_image_file`, but for the layers.
    """
    with ExitStack() as files:
        stored = _open(path, files)
        _refuse_other_than_volume(stored, path)
        values = _values(stored, path)
    return [_image(layer, stored.grid) for layer in values], stored.notes


def _open(path: Path, files: ExitStack) -> StoredVolume:
    """The header, by the file's name; it stays open for its voxels until `files` closes it."""
    file = files.enter_context(open_input(path))
    suffix = image_suffix(path)
    if not suffix:
        raise InputError(
            f"{shown(path)} is not an image volume: its name ends in none of {', '.join(FORMATS)}, "
            "and it is no DICOM file.",
            "Give a NIfTI, NRRD or MHA file, or a DICOM folder.",
        )
    if os.fstat(file.fileno()).st_size == 0:
        raise InputError(f"{shown(path)} is empty (0 bytes).", "Copy or export the file again.")
    return _OPEN[FORMATS[suffix]](path, file, files)


def _refuse_several_components(stored: StoredVolume, path: Path) -> None:
    if stored.components > 1:
        raise InputError(
            f"{shown(path)} has {stored.components} values a voxel (a colour or vector image), not "
            "one.",
            "Give the grey-value image.",
        )


def _refuse_other_than_volume(stored: StoredVolume, path: Path) -> None:
    size = stored.size
    shape = " x ".join(map(str, size))
    if len(size) < 3:
        raise InputError(
            f"{shown(path)} is a {len(size)}-D picture ({shape}), not a volume.",
            "Give a 3-D image.",
        )
    if len(size) > 3:
        raise InputError(
            f"{shown(path)} is {len(size)}-D ({shape}): several volumes in one file.",
            "Give one static volume; split the series or take the summed image.",
        )


def _values(stored: StoredVolume, path: Path) -> Array:
    """Components x D x H x W."""
    try:
        values = stored.read(shown(path))
    except MemoryError as error:
        raise InputError(
            f"There is not enough memory for {shown(path)}.", "Give a smaller volume."
        ) from error
    check_finite(values, shown(path))
    return values


def _image(values: Array, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(without_denormals(grid.direction).ravel().tolist())
    return image


def _stated_units(path: Path, notes: dict[str, str]) -> str:
    """`SUV`, `Bq/ml` or nothing, from header notes or the sidecar that dcm2niix writes."""
    stated = [notes[key] for key in _NOTES_OF_UNITS if key in notes]
    for note in [*stated, _units_of_sidecar(path)]:
        if _SUV.search(note):
            return "SUV"
        if _ACTIVITY.search(note):
            return "Bq/ml"
    return ""


def _units_of_sidecar(path: Path) -> str:
    """Nothing where there is no sidecar, or where it is another program's file."""
    sidecar = path.with_name(path.name[: -len(image_suffix(path))] + ".json")
    try:
        with open_input(sidecar) as file:
            content = file.read(_MOST_SIDECAR_BYTES + 1)
        if len(content) > _MOST_SIDECAR_BYTES:
            return ""
        return str(json.loads(content).get("Units", ""))
    except (InputError, OSError, ValueError, AttributeError, RecursionError):
        return ""

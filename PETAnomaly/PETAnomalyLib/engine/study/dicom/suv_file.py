"""A DICOM PET series written as an SUVbw image file: what `petanomaly suv` does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from PETAnomalyLib.engine.study.image_file import read_image_file


def write_suv(dicom_dir: Path, out_file: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Convert a DICOM PET series into an SUVbw image file, in one move: whole or not at all.

    Args:
        dicom_dir: as `path` of `read_suv`.
        out_file: .nii.gz, .nii, .nrrd or .mha; its folder is made when missing. An existing file
            is replaced.

    Returns:
        The series' description and the warnings.

    Raises:
        InputError: the series cannot be converted, or the file cannot be written.
    """
    out_file = Path(out_file)
    suffix = next(
        (s for s in (".nii.gz", ".nii", ".nrrd", ".mha") if out_file.name.endswith(s)), ""
    )
    if not suffix:
        raise InputError(
            f"{out_file.name} does not name an image file.",
            "Give a name that ends in .nii.gz, .nii, .nrrd or .mha.",
        )
    image, description, warnings = read_suv(Path(dicom_dir))
    image.SetMetaData("ITK_FileNotes", "SUVbw g/ml, PETAnomaly")  # becomes NIfTI's descrip
    partial = out_file.with_name(f".suv-{os.getpid()}{suffix}")  # whatever the name's length
    try:
        out_file.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(partial), True)
        read_image_file(partial)  # a full disk leaves ITK's NIfTI short without an error
        partial.replace(out_file)
    except (OSError, RuntimeError, InputError) as error:
        raise InputError(
            f"{out_file} cannot be written: {_last_line(error)}",
            "Choose a folder you may write to, on a disk with space left.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return description, warnings


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

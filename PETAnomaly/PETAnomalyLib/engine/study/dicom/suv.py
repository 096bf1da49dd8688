"""A DICOM PET series read as an image in SUV of body weight (SUVbw, g/ml)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.conversion import SuvConversion
from PETAnomalyLib.engine.study.dicom.plausible_suv import refuse_impossible
from PETAnomalyLib.engine.study.dicom.radiopharmaceutical import stated_tracer
from PETAnomalyLib.engine.study.dicom.series import find_series
from PETAnomalyLib.engine.study.dicom.tags import number, tag_name
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from PETAnomalyLib.engine.study.dicom.volume import read_volume
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.study.tracer import NOT_STATED
from PETAnomalyLib.engine.study.validation import check_pet, check_volume


@dataclass(frozen=True)
class SuvVolume:
    """A DICOM PET series in SUVbw.

    Attributes:
        image: float32, g/ml, on the grid of the slices (LPS, mm).
        slices: the header of each, without pixel data, in the order of the third axis.
        description: JSON-able, without anything that names the patient.
        warnings: suspicious but usable properties, sentences for the user.
    """

    image: sitk.Image
    slices: tuple[Dataset, ...]
    description: dict[str, Any]
    warnings: tuple[str, ...]


def read_suv_volume(path: Path) -> SuvVolume:
    """A DICOM PET series as SUVbw.

    Args:
        path: a folder that holds one PET series (among others), a DICOMDIR, or one file of the
            series.

    Raises:
        InputError: see `find_series`, `read_volume` and `suvbw_conversion`; or what comes out is
            no volume (see `check_volume`) or cannot be SUV.
    """
    name = f"The PET {shown(path)}"
    series, notes = find_series(path, "PT")
    volume = read_volume(series)
    _refuse_intercept(volume.headers)
    conversion = suvbw_conversion(volume.headers)
    image = _converted(volume.image, conversion)
    suspicions = check_volume(image, name)
    refuse_impossible(image, name, conversion.description)
    suspicions += check_pet(image, name, "SUV")
    description = {
        **volume.description,
        "suv": conversion.description,
        "tracer": stated_tracer(volume.headers[0]) or NOT_STATED,
    }
    warnings = (*notes, *volume.warnings, *conversion.warnings, *suspicions)
    return SuvVolume(image, volume.headers, description, warnings)


def read_suv(path: Path) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """Image, description and warnings of `read_suv_volume`."""
    volume = read_suv_volume(path)
    return volume.image, volume.description, volume.warnings


def _converted(image: sitk.Image, conversion: SuvConversion) -> sitk.Image:
    if not conversion.decay:
        return sitk.Cast(image * conversion.factor, sitk.sitkFloat32)
    factors = conversion.factor * np.array(conversion.decay)  # (k,)
    values = sitk.GetArrayViewFromImage(image) * factors[:, None, None]
    converted = sitk.GetImageFromArray(values.astype(np.float32))
    converted.CopyInformation(image)
    return converted


def _refuse_intercept(headers: Sequence[Dataset]) -> None:
    """PS3.3 C.8.9.4: of a PET image it is 0; another would make air radioactive."""
    for header in headers:
        intercept = number(header, "RescaleIntercept")
        if intercept:
            raise InputError(
                f"{tag_name('RescaleIntercept')} is {intercept:g}; it must be 0 in a PET image.",
                "Export the series again from the scanner or the archive.",
            )

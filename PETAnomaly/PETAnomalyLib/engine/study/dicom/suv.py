"""A DICOM PET series read as an image in SUV of body weight (SUVbw, g/ml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.study.dicom.series import find_series
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from PETAnomalyLib.engine.study.dicom.volume import read_volume


def read_suv(path: Path) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """A DICOM PET series as SUVbw: float32, g/ml, on the grid of its slices (LPS, mm).

    Args:
        path: a folder that holds one PET series (among others), or one file of the series.

    Raises:
        InputError: see `find_series`, `read_volume` and `suvbw_conversion`.
    """
    series, notes = find_series(path, "PT")
    volume = read_volume(series)
    conversion = suvbw_conversion(volume.headers)
    image = sitk.Cast(volume.image * conversion.factor, sitk.sitkFloat32)
    description = {**volume.description, "suv": conversion.description}
    return image, description, (*notes, *volume.warnings, *conversion.warnings)

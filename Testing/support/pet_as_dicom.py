"""The PET of a study as a DICOM series, as a scanner would have written it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from synthetic_dicom import pet_header, plain_factor, write_series


def write_pet_as_dicom(pet_file: Path, folder: Path) -> Path:
    """Write the SUVbw image as Bq/ml of 16 bits; returns the folder."""
    pet = sitk.ReadImage(str(pet_file))
    to_bqml = 1.0 / plain_factor()
    slope = round(float(sitk.GetArrayViewFromImage(pet).max()) * to_bqml / 32000.0, 3)
    columns, rows, gap = pet.GetSpacing()
    write_series(
        folder,
        pet_header(StudyInstanceUID="1.2.826.0.1.3680043.8.498.5"),
        np.clip(sitk.GetArrayFromImage(pet) * to_bqml / slope, 0, 32000),
        slopes=[slope] * pet.GetDepth(),
        spacing=(rows, columns),
        gap=gap,
    )
    return folder

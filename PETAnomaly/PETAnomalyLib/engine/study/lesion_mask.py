"""The true lesions of a study, where somebody has drawn them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from PETAnomalyLib.engine.findings.components import NEIGHBOURS_26
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.image_file import read_mask_file
from PETAnomalyLib.engine.study.input_path import shown

Labels = npt.NDArray[np.integer[Any]]


def known_lesions(study: CohortStudy, pet: sitk.Image) -> Labels:
    """The lesions of a study that cannot be judged without them: numbers 1.., D x H x W.

    Args:
        study: of a cohort.
        pet: its PET, whose grid counts.

    Raises:
        InputError: nobody has drawn them, or see `read_lesions`.
    """
    require_lesions(study)
    assert study.lesions is not None
    return number_lesions(read_lesions(study.lesions, pet)[0])


def require_lesions(study: CohortStudy) -> None:
    """Refuse a study whose lesions are not known, before hours are spent on the others.

    Raises:
        InputError: nobody has drawn them.
    """
    if study.lesions is None:
        raise InputError(
            f"the lesions of the study {study.name} are not known",
            "calibrate and evaluate on studies whose lesions somebody has drawn "
            "(autoPET: SEG.nii.gz)",
        )


def read_lesions(path: Path, pet: sitk.Image) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Whether each voxel of the PET lies in a lesion, D x H x W, and warnings.

    Args:
        path: image file or Slicer segmentation, in lesions not 0 in any of its layers; on another
            grid it is resampled, nearest neighbour.
        pet: the PET whose grid counts.

    Raises:
        InputError: not a whole 3-D image, or one that lies nowhere on the PET.
    """
    try:
        lesions, warnings = read_mask_file(path)
    except InputError as error:
        raise InputError(f"the lesion mask cannot be used: {error.message}", error.hint) from error
    on_pet = sitk.Resample(lesions, pet, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    drawn = sitk.GetArrayFromImage(on_pet) > 0
    if not drawn.any() and sitk.GetArrayViewFromImage(lesions).any():
        raise InputError(
            f"the lesion mask {shown(path)} lies nowhere on the PET",
            "give the mask of this very study",
        )
    return drawn, tuple(f"the lesion mask: {warning}" for warning in warnings)


def number_lesions(truth: npt.NDArray[np.bool_]) -> Labels:
    """Lesion numbers 1.. of a true mask, D x H x W: its 26-connected parts."""
    return ndimage.label(truth, NEIGHBOURS_26)[0]  # type: ignore[no-any-return]  # SciPy is untyped

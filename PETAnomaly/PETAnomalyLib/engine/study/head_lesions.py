"""The true lesions of a head, where somebody has drawn them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.image_file import read_image_file
from PETAnomalyLib.engine.study.input_path import shown

SAME_GRID_MM = 0.01


def lesions_of_head(
    study: BrainStudy, images: Sequence[sitk.Image], warnings: list[str]
) -> tuple[sitk.Image, npt.NDArray[np.bool_]]:
    """All lesions of a head, D x H x W, and the image whose grid that is.

    Args:
        study: with the files of its lesions.
        images: of the study; that on whose grid the lesions were drawn counts, else the first.
        warnings: what is said of the masks is added.

    Raises:
        InputError: a mask that cannot be read, or lies nowhere on the image.
    """
    drawn = []
    for path in study.lesions:
        labels, _, notes = read_image_file(path)
        warnings += notes
        values = sitk.GetArrayViewFromImage(labels)
        inside = np.isin(values, study.lesion_values) if study.lesion_values else values != 0
        mask = sitk.GetImageFromArray(inside.astype(np.uint8))
        mask.CopyInformation(labels)
        drawn.append(mask)
    fitting = [image for image in images if _same_grid(image, drawn[0])]
    reference = fitting[0] if fitting else images[0]
    if not fitting:
        warnings.append("the lesion mask lies on the grid of none of the contrasts")
    truth = np.zeros(reference.GetSize()[::-1], bool)
    for mask, path in zip(drawn, study.lesions):
        on_image = sitk.Resample(mask, reference, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
        part = sitk.GetArrayViewFromImage(on_image) > 0
        if not part.any() and sitk.GetArrayViewFromImage(mask).any():
            raise InputError(f"the lesion mask {shown(path)} lies nowhere on the image")
        truth |= part
    return reference, truth


def _same_grid(one: sitk.Image, other: sitk.Image) -> bool:
    if one.GetSize() != other.GetSize():
        return False
    last = [n - 1 for n in one.GetSize()]
    corners = ([0, 0, 0], [last[0], 0, 0], [0, last[1], 0], last)
    return all(
        np.allclose(
            one.TransformIndexToPhysicalPoint(corner),
            other.TransformIndexToPhysicalPoint(corner),
            atol=SAME_GRID_MM,
        )
        for corner in corners
    )

"""Images carried between a study's own grid and the model's, in physical space (LPS, mm)."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.frame.alignment import Alignment


def to_model_frame(
    image: sitk.Image, template: sitk.Image, alignment: Alignment, outside: float
) -> sitk.Image:
    """Carry a study's image (PET or CT) onto the template's grid, linearly interpolated.

    Along directions in which the study's voxels are finer than the model's, the image is first
    smoothed so that fine structure is averaged and not aliased: with the Gaussian whose width is
    the difference between the two voxel sizes.

    Args:
        image: any grid, in the same physical space (LPS, mm) as the aligned PET.
        outside: the value where the study was not measured (SUV or HU of air).

    Returns:
        float32 image on the grid of `template`.

    References:
        M. J. Cardoso et al., Scale factor point spread function matching: beyond aliasing in image
        resampling, MICCAI 2015, equation 6: variance = (s_model^2 - s_study^2) / (8 ln 2).
    """
    return sitk.Resample(
        _antialiased(image, template, alignment),
        template,
        alignment.transform,
        sitk.sitkLinear,
        outside,
        sitk.sitkFloat32,
    )


def to_study_grid(
    image: sitk.Image,
    pet: sitk.Image,
    alignment: Alignment,
    outside: float,
    nearest: bool = False,
) -> sitk.Image:
    """Carry an image of the model's frame (a map, a mask) back onto the PET's own grid.

    Args:
        image: on the template's grid.
        outside: the value outside the model's field of view.
        nearest: take the nearest voxel (labels, masks) in place of linear interpolation (maps).

    Returns:
        image of the same pixel type, with the size, spacing, origin and direction of `pet`.
    """
    interpolator = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    return sitk.Resample(image, pet, alignment.transform.GetInverse(), interpolator, outside)


def _antialiased(image: sitk.Image, template: sitk.Image, alignment: Alignment) -> sitk.Image:
    """The study smoothed to the resolution of the model's grid (float32, the study's space)."""
    image = sitk.Cast(image, sitk.sitkFloat32)
    target = _model_spacing_along(image, template, alignment)
    fine = np.array(image.GetSpacing())
    # Averaging whole blocks of voxels first keeps a 1 mm CT to seconds; blocks up to 0.6 of a model
    # voxel leave the rest of the smoothing to the Gaussian.
    factors = np.maximum(1, np.floor(0.6 * target / fine)).astype(int)
    factors = np.minimum(factors, image.GetSize())
    if factors.max() > 1:
        image = sitk.BinShrink(image, [int(f) for f in factors])
    done = fine**2 * (factors**2 - 1) / 12
    variance = np.maximum(0.0, (target**2 - fine**2) / (8 * math.log(2)) - done)
    sigma = np.sqrt(variance) / np.array(image.GetSpacing())
    if sigma.max() == 0:
        return image
    smooth = sitk.GetImageFromArray(
        ndimage.gaussian_filter(
            sitk.GetArrayViewFromImage(image), sigma[::-1], mode="nearest", truncate=3.0
        )
    )
    smooth.CopyInformation(image)
    return smooth


def _model_spacing_along(
    image: sitk.Image, template: sitk.Image, alignment: Alignment
) -> NDArray[np.float64]:
    """The model's voxel size (mm) along each axis of the study's grid."""
    study_axes = np.reshape(image.GetDirection(), (3, 3))
    rotation = np.reshape(alignment.transform.GetMatrix(), (3, 3))
    model_axes = rotation @ np.reshape(template.GetDirection(), (3, 3))
    share: NDArray[np.float64] = (model_axes.T @ study_axes) ** 2  # of model axis m in study axis n
    return np.sqrt(np.array(template.GetSpacing()) ** 2 @ share)

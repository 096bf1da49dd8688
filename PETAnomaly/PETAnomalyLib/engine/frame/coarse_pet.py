"""A PET as the alignment looks at it: arcsinh(SUV) on a coarse grid along LPS, and its body."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.runtime.errors import InputError

BODY_SUV = 0.15
"""SUV (g/ml) that tells a patient from the air around, after averaging over about a centimetre."""

JUDGED_MM = 8.0
"""Step of the grid on which a patient is looked for and laid onto the template."""

NOT_MEASURED = -1.0
"""In place of a value where an oblique study does not reach."""

_LEAST_BODY_ML = 1000.0
_CEILING_SUV = 8.0  # hotter uptake (bladder, brain, myocardium) varies most and must not decide


def compressed_pet(image: sitk.Image, spacing: float) -> sitk.Image:
    """arcsinh(SUV) on an isotropic grid along LPS that fills the image's bounding box.

    `NOT_MEASURED` where an oblique study does not reach. Turning the axes to LPS first makes the
    result independent of the order in which a file stores its voxels.

    Args:
        image: SUV (g/ml), any grid.
        spacing: of the result, mm.
    """
    oriented = sitk.DICOMOrient(sitk.Cast(image, sitk.sitkFloat32), "LPS")
    factors = [
        min(n, max(1, int(0.75 * spacing / s)))
        for n, s in zip(oriented.GetSize(), oriented.GetSpacing())
    ]
    coarse = sitk.BinShrink(oriented, factors)
    suv = sitk.Resample(
        coarse, _bounding_grid(coarse, spacing), sitk.Transform(), sitk.sitkLinear, NOT_MEASURED
    )
    values = sitk.GetArrayFromImage(suv)
    compressed = np.arcsinh(np.clip(values, 0.0, _CEILING_SUV))
    compressed[values < NOT_MEASURED / 2] = NOT_MEASURED
    result = sitk.GetImageFromArray(compressed)
    result.CopyInformation(suv)
    return result


def _bounding_grid(image: sitk.Image, spacing: float) -> sitk.Image:
    size = image.GetSize()
    corners = np.array(
        [
            image.TransformContinuousIndexToPhysicalPoint(
                [n - 0.5 if corner >> axis & 1 else -0.5 for axis, n in enumerate(size)]
            )
            for corner in range(8)
        ]
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    counts = [max(1, math.floor(extent / spacing + 1e-3)) for extent in high - low]
    grid = sitk.Image(counts, sitk.sitkUInt8)
    grid.SetSpacing([spacing] * 3)
    grid.SetOrigin([float(c - (n - 1) / 2 * spacing) for c, n in zip((low + high) / 2, counts)])
    return grid


def body_of(compressed: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which voxels of a compressed PET, of any shape, are patient."""
    return compressed > math.asinh(BODY_SUV)


def require_patient(compressed: sitk.Image) -> None:
    """Refuse a PET without a body.

    Args:
        compressed: from `compressed_pet`.

    Raises:
        InputError: less than a litre of it is patient.
    """
    voxel_ml = math.prod(compressed.GetSpacing()) / 1000
    body_ml = body_of(sitk.GetArrayViewFromImage(compressed)).sum() * voxel_ml
    if body_ml < _LEAST_BODY_ML:
        raise InputError(
            f"There is no patient in the PET: only {body_ml:.0f} ml lie above SUV {BODY_SUV:g}.",
            "Check that this is the attenuation-corrected PET, in SUV, and not an empty series.",
        )

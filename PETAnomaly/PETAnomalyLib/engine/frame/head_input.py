"""A head as a model's network sees it: its brain, on the grid of the template, from 0 to 1.

The manifest's `intensity` section of a model of MR:

    {"mr": {"scaling": "percentiles", "low": 1.0, "high": 99.0, "n4_iterations": 50,
            "curvature_flow": 5}}

Arbitrary units become 0 to 1 between two percentiles of the brain itself, clipped; outside the
brain all is 0. Before that, `n4_iterations` of each level take the bias field out (paper 4, section
4.1), and `curvature_flow` is how many steps the image is then smoothed by (paper 3, section 4.1.2;
SimpleITK's CurvatureFlow); either may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.frame.bias_field import without_bias_field
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.frame.head_alignment import AlignedHead
from PETAnomalyLib.engine.frame.intensity import mr_scaling
from PETAnomalyLib.engine.runtime.errors import InputError

Array = NDArray[np.float32]
FLOW_STEP = 0.05  # stable in three dimensions up to 1/16


def head_input(
    image: sitk.Image, aligned: AlignedHead, template: sitk.Image, intensity: Mapping[str, Any]
) -> tuple[Array, NDArray[np.bool_]]:
    """The head in the model's intensity, and its brain; both D x H x W.

    Args:
        image: of the head, arbitrary units.
        aligned: to the model's frame, with the mask of its brain.
        template: the model's frame.
        intensity: the manifest's section.

    Raises:
        InputError: the brain has one value only.
    """
    scaled = scaled_brain(image, aligned.mask, intensity)
    seen = to_model_frame(scaled, template, aligned.alignment, 0.0)
    share = to_model_frame(aligned.mask, template, aligned.alignment, 0.0)
    brain = sitk.GetArrayFromImage(share) > 0.5
    return sitk.GetArrayFromImage(seen) * brain, brain


def scaled_brain(image: sitk.Image, mask: sitk.Image, intensity: Mapping[str, Any]) -> sitk.Image:
    """0 to 1 in the brain, 0 outside; float32 on the image's own grid.

    Raises:
        InputError: the brain has one value only.
    """
    scaling = mr_scaling(intensity)
    if scaling.n4_iterations:
        image = without_bias_field(image, mask, scaling.n4_iterations)
    if scaling.curvature_flow:
        image = sitk.CurvatureFlow(image, FLOW_STEP, scaling.curvature_flow)
    values = sitk.GetArrayFromImage(image)
    inside = sitk.GetArrayViewFromImage(mask) > 0
    darkest, brightest = np.percentile(values[inside], [scaling.low, scaling.high])
    if not brightest > darkest:
        raise InputError(
            f"The MR has one value only in the brain, {darkest:g}.",
            "Check that image and mask belong together.",
        )
    scaled = np.clip((values - darkest) / (brightest - darkest), 0.0, 1.0) * inside
    result = sitk.GetImageFromArray(scaled.astype(np.float32))
    result.CopyInformation(image)
    return result

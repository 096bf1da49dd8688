"""A study as a model's networks see it: on the grid of its template, in its intensity unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.frame.intensity import ct_to_model, pet_to_model
from PETAnomalyLib.engine.study.study import Study

AIR_HU = -1000.0  # where the CT shows nothing
NO_UPTAKE_SUV = 0.0  # where the PET shows nothing

Array = npt.NDArray[np.float32]


def model_input(
    study: Study, template: sitk.Image, alignment: Alignment, intensity: Mapping[str, Any]
) -> tuple[Array, Array | None]:
    """PET and CT of an aligned study, D x H x W in the model's intensity units.

    The CT is there where the study has one and the model knows what to make of HU.

    Args:
        study: PET in SUVbw, CT in HU or None.
        template: the model's frame.
        alignment: of the study to the template.
        intensity: the manifest's `intensity` section.
    """
    pet = to_model_frame(study.pet, template, alignment, NO_UPTAKE_SUV)
    image = pet_to_model(sitk.GetArrayViewFromImage(pet), intensity)
    if study.ct is None or "ct" not in intensity:
        return image, None
    ct = to_model_frame(study.ct, template, alignment, AIR_HU)
    return image, ct_to_model(sitk.GetArrayViewFromImage(ct), intensity)

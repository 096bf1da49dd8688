"""Whether SUVs that were computed from a header can be true, by conservation of mass."""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import tag_name
from PETAnomalyLib.engine.study.validation import (
    BODY_MEAN_BQML,
    LARGE_PART_OF_BODY_ML,
    MAX_BODY_MEAN_SUV,
    body_statistics,
)

_STATED = (
    ("dose_bq", "RadionuclideTotalDose", "Bq"),
    ("weight_kg", "PatientWeight", "kg"),
    ("height_m", "PatientSize", "m"),
    ("half_life_s", "RadionuclideHalfLife", "s"),
)


def refuse_impossible(image: sitk.Image, name: str, conversion: dict[str, Any]) -> None:
    """Refuse what is no SUV by the same measure as for an image file.

    Args:
        image: float32, computed SUVbw.
        name: how messages call it.
        conversion: what went into the factor, as `suvbw_conversion` describes it.

    Raises:
        InputError: naming the attributes of which one must be wrong.
    """
    body = body_statistics(image)
    too_much = body.mean > MAX_BODY_MEAN_SUV and body.volume_ml > LARGE_PART_OF_BODY_ML
    if not too_much and body.mean <= BODY_MEAN_BQML:
        return
    stated = [
        f"{tag_name(keyword)} of {conversion[key]:g} {unit}"
        for key, keyword, unit in _STATED
        if key in conversion
    ]
    if "injection" in conversion:
        stated.append(
            f"{tag_name('RadiopharmaceuticalStartDateTime')} or "
            f"{tag_name('RadiopharmaceuticalStartTime')} ({conversion['injection']}, "
            f"{conversion['decay_seconds'] / 3600:.1f} h before the scan)"
        )
    stated.append(f"{tag_name('Units')} {conversion['units']}")
    stated.append(tag_name("RescaleSlope"))
    raise InputError(
        f"{name} has an impossible SUV: the mean over {body.volume_ml / 1000:.1f} l of body is "
        f"{body.mean:.4g}, where it is near 1. One of these must be wrong: {'; '.join(stated)}.",
        "Correct the attribute in the DICOM files, or ask the site for it.",
    )

"""What makes an image unusable, and what makes it suspicious.

Refusals are `InputError`s that name the cause; suspicions are sentences for the report. Limits are
wide: they catch wrong files and wrong units, not unusual patients.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError

SPACING_LIMITS_MM = (0.2, 20.0)
COARSE_SPACING_MM = 8.0
MAX_EXTENT_MM = 3000.0
SMALL_EXTENT_MM = 150.0

# Mass conservation: the mean SUV of a large part of a body is near 1 and cannot exceed it by much.
# In kBq/ml it is 2 to 5 with usual doses, in Bq/ml thousands.
MAX_BODY_MEAN_SUV = 2.5
MIN_BODY_MEAN_SUV = 0.2
LARGE_PART_OF_BODY_ML = 15_000.0
BODY_MEAN_BQML = 50.0
HIGH_SUV_MAX = 200.0

HU_BELOW_TISSUE = -200.0
CT_SHARE_OF_AIR = 0.01
MIN_CT_COVERAGE = 0.10
FULL_CT_COVERAGE = 0.98

_SAMPLES = 2_000_000
_UNITS_HINT = (
    "Convert the DICOM series with `petanomaly suv DICOM_DIR --out FILE.nii.gz`, or give the DICOM "
    "folder itself."
)


def check_volume(image: sitk.Image, name: str, small_part_of_body: bool = True) -> list[str]:
    """Refuses what is no measured volume; returns suspicions about its grid.

    Args:
        image: scalar, three axes, spacing in mm.
        name: how messages call it, e.g. "The PET /data/pet.nii.gz".
        small_part_of_body: whether it is worth a word that it is small.

    Raises:
        InputError: one slice, implausible spacing or extent, NaN or infinite values, a constant.
    """
    size, spacing = image.GetSize(), image.GetSpacing()
    shape = " x ".join(map(str, size))
    if min(size) < 2:
        raise InputError(f"{name} has one slice only ({shape} voxels).", "Give a whole volume.")
    grid = " x ".join(f"{value:.4g}" for value in spacing)
    if min(spacing) < SPACING_LIMITS_MM[0] or max(spacing) > SPACING_LIMITS_MM[1]:
        raise InputError(
            f"{name} has an implausible voxel spacing of {grid} mm.",
            "Check the units of its header (mm), or export it again.",
        )
    extent = [n * step for n, step in zip(size, spacing)]
    if max(extent) > MAX_EXTENT_MM:
        raise InputError(
            f"{name} is implausibly large: {' x '.join(f'{e:.0f}' for e in extent)} mm.",
            "Check the voxel spacing in its header.",
        )
    check_finite(sitk.GetArrayViewFromImage(image), name)
    low, high = _range(image)
    if low == high:
        raise InputError(f"{name} is constant: every voxel is {low:g}.", "Check the file.")
    warnings = []
    if max(spacing) > COARSE_SPACING_MM:
        warnings.append(f"{name} has coarse voxels, {grid} mm: small findings will be missed.")
    if small_part_of_body and min(extent) < SMALL_EXTENT_MM:
        warnings.append(
            f"{name} shows only {' x '.join(f'{e:.0f}' for e in extent)} mm, a small part of a "
            "body."
        )
    return warnings


def check_pet(image: sitk.Image, name: str, stated_units: str) -> list[str]:
    """Refuses values that cannot be SUV; returns suspicions.

    Args:
        image: float32, a checked volume.
        stated_units: "SUV", "Bq/ml", or "" when nothing vouches for the values.

    Raises:
        InputError: the values are HU, Bq/ml or kBq/ml by statement or by magnitude.
    """
    body = body_statistics(image)
    if body.share_below_tissue > CT_SHARE_OF_AIR:
        raise InputError(
            f"{name} looks like a CT in HU, not a PET: {body.share_below_tissue:.0%} of its values "
            f"lie below {HU_BELOW_TISSUE:g}.",
            "Check that PET and CT are not swapped.",
        )
    if stated_units == "Bq/ml":
        raise InputError(
            f"{name} is in Bq/ml, as its header or sidecar says, not SUV.", _UNITS_HINT
        )
    if stated_units != "SUV":
        _refuse_activity(body, name)
    return _pet_suspicions(body, name)


def check_ct(image: sitk.Image, name: str) -> list[str]:
    """Refuses values that cannot be Hounsfield units; returns suspicions.

    Raises:
        InputError: nothing is below water: a PET, or a CT with an offset of 1000.
    """
    low, high = _range(image)
    if low > -20:
        guess = "a PET" if high < 500 else "a PET, or a CT without its offset of -1000"
        raise InputError(
            f"{name} is not in HU: its values run from {low:g} to {high:g}, nothing is air or fat "
            f"({guess}?).",
            "Check that PET and CT are not swapped, and export the CT in Hounsfield units.",
        )
    if low > HU_BELOW_TISSUE:
        return [f"{name} contains no air (lowest value {low:g} HU): check that it is a CT in HU."]
    return []


def check_overlap(pet: sitk.Image, ct: sitk.Image) -> list[str]:
    """How much of the body in the PET the CT covers, by physical position.

    Raises:
        InputError: less than a tenth: another patient or another bed position.
    """
    values = sitk.GetArrayViewFromImage(pet)
    inside = np.argwhere(values > _body_threshold(_sample(values)))  # (n, 3) k, j, i
    inside = inside[:: max(1, len(inside) // 20_000)]
    coverage = _share_inside(pet, ct, inside)
    if coverage < MIN_CT_COVERAGE:
        raise InputError(
            "The CT does not overlap the PET: "
            + (
                f"it covers {coverage:.1%} of the body in the PET."
                if coverage
                else "they lie apart."
            )
            + f" PET {_bounds(pet)}, CT {_bounds(ct)}.",
            "Give the CT of the same examination.",
        )
    if coverage < FULL_CT_COVERAGE:
        return [
            f"The CT covers {coverage:.0%} of the body in the PET; elsewhere it is taken as air."
        ]
    return []


def check_finite(values: Any, name: str) -> None:
    """Refuse voxels that are no numbers.

    Args:
        values: array of any shape.
        name: how the message calls it.

    Raises:
        InputError: some are NaN or infinite.
    """
    if values.dtype.kind != "f" or (np.isfinite(values.min()) and np.isfinite(values.max())):
        return
    bad = int(values.size - np.count_nonzero(np.isfinite(values)))
    raise InputError(
        f"{name} contains {bad} voxels that are NaN or infinite ({bad / values.size:.2%}).",
        "Export it again, or replace those voxels by a value that is true.",
    )


class BodyStatistics(NamedTuple):
    """Of a regular sample of the voxels; the body is what exceeds 5 % of the 99th percentile."""

    mean: float
    volume_ml: float
    low: float
    high: float
    share_below_tissue: float
    distinct: int


def body_statistics(image: sitk.Image) -> BodyStatistics:
    """Scale-free: the same body whatever the unit, so that the mean reveals the unit."""
    values = sitk.GetArrayViewFromImage(image)
    sample = _sample(values)
    body = sample[sample > _body_threshold(sample)]
    voxel_ml = float(np.prod(image.GetSpacing())) / 1000.0
    low, high = _range(image)
    return BodyStatistics(
        mean=float(body.mean()) if body.size else 0.0,
        volume_ml=body.size / sample.size * values.size * voxel_ml,
        low=low,
        high=high,
        share_below_tissue=float(np.mean(sample < HU_BELOW_TISSUE)),
        distinct=len(np.unique(sample[: _SAMPLES // 4])),
    )


def _refuse_activity(body: BodyStatistics, name: str) -> None:
    if body.mean > BODY_MEAN_BQML:
        raise InputError(
            f"{name} is not in SUV: the body's mean is {body.mean:.0f}, as in Bq/ml or counts (SUV "
            "would be near 1).",
            _UNITS_HINT,
        )
    if body.mean > MAX_BODY_MEAN_SUV and body.volume_ml > LARGE_PART_OF_BODY_ML:
        raise InputError(
            f"{name} is not in SUV: the mean over {body.volume_ml / 1000:.0f} l of body is "
            f"{body.mean:.1f}, as in kBq/ml (SUV would be near 1).",
            _UNITS_HINT,
        )


def _pet_suspicions(body: BodyStatistics, name: str) -> list[str]:
    warnings = []
    if body.mean > MAX_BODY_MEAN_SUV:
        warnings.append(
            f"{name} has a high mean SUV of {body.mean:.1f}: check units, weight and dose."
        )
    if body.mean < MIN_BODY_MEAN_SUV:
        warnings.append(
            f"{name} has a low mean SUV of {body.mean:.2g} in the body: check units, weight and "
            "dose."
        )
    if body.high > HIGH_SUV_MAX:
        warnings.append(f"{name} has a very high SUVmax of {body.high:.0f}.")
    if body.low < -0.1:
        warnings.append(f"{name} has negative values, down to {body.low:.2g}.")
    if body.distinct <= 2:
        warnings.append(f"{name} has two values only: is it a mask instead of a PET?")
    return warnings


def _range(image: sitk.Image) -> tuple[float, float]:
    values = sitk.GetArrayViewFromImage(image)
    return float(values.min()), float(values.max())


def _sample(values: Any) -> Any:
    """At most about `_SAMPLES` voxels at regular steps; the step is odd to the axes' lengths."""
    flat = values.reshape(-1)
    step = max(1, flat.size // _SAMPLES)
    return flat[:: step + (step > 1 and step % 2 == 0)]


def _body_threshold(sample: Any) -> float:
    return 0.05 * max(0.0, float(np.percentile(sample, 99)))


def _share_inside(pet: sitk.Image, ct: sitk.Image, voxels: Any) -> float:
    """Share of PET voxels, (n, 3) as k, j, i, whose centres lie within the CT's voxels."""
    if not len(voxels):
        return 0.0
    points = _matrix(pet) @ voxels[:, ::-1].T + np.array(pet.GetOrigin())[:, None]  # (3, n) mm
    index = np.linalg.solve(_matrix(ct), points - np.array(ct.GetOrigin())[:, None])
    upper = np.array(ct.GetSize())[:, None] - 0.5
    return float(np.mean(np.all((index >= -0.5) & (index <= upper), axis=0)))


def _matrix(image: sitk.Image) -> Any:
    """Index to mm without the origin: direction times spacing, (3, 3)."""
    return np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())


def _bounds(image: sitk.Image) -> str:
    last = [n - 1 for n in image.GetSize()]
    corners = np.array(
        [
            image.TransformIndexToPhysicalPoint([last[a] * (c >> a & 1) for a in range(3)])
            for c in range(8)
        ]
    )
    return (
        " x ".join(f"{low:.0f}..{high:.0f}" for low, high in zip(corners.min(0), corners.max(0)))
        + " mm (LPS)"
    )

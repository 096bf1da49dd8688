"""From a study's own grid to the model's frame and back, all in physical space (LPS, mm).

A model sees every patient on one grid: that of the bundle's template, a smooth mean PET. `align`
finds the rigid motion between the two; `to_model_frame` carries PET and CT there, `to_study_grid`
carries maps back onto the PET's own grid, and `scored_mask` says which of the PET's voxels the
model could see at all.

    alignment = align(pet, template)
    image = to_model_frame(pet, template, alignment, outside=0.0)
    ...                                             # heal and score on the template's grid
    score = to_study_grid(score, pet, alignment, outside=0.0)
    scored = scored_mask(pet, template, alignment)
    share, warnings = unscored_body(pet, scored)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage, signal

from PETAnomalyLib.engine.frame.masked_correlation import masked_correlation
from PETAnomalyLib.engine.runtime.errors import InputError

BODY_SUV = 0.15
"""SUV (g/ml) that tells a patient from the air around, after averaging over about a centimetre."""

_SEARCH_MM = 16.0
_REFINE_MM = 8.0
_CEILING_SUV = 8.0  # hotter uptake (bladder, brain, myocardium) varies most and must not decide
_NOT_MEASURED = -1.0

_LEAST_BODY_ML = 1000.0
_LARGEST_ROTATION_DEG = 25.0
# Measured: phantoms on a template of others 0.77 to 0.89, a real scan (arms up, head bent), well
# placed on that template, 0.64; noise at most 0.13, a ball 0.37, a CT 0.24, a plain cylinder 0.60.
_QUALITY_REFUSED, _QUALITY_DOUBTED = 0.5, 0.62
_COVERAGE_REFUSED, _COVERAGE_DOUBTED = 0.10, 0.5


@dataclass(frozen=True)
class Alignment:
    """Where a study lies in the model's frame.

    Attributes:
        transform: maps points of the model frame to points of the study (LPS, mm).
        quality: Pearson correlation of arcsinh(SUV) between study and template, on an 8 mm grid in
            and around the two bodies, where the study was measured; 0 to 1.
        warnings: what the user should know about the fit, in sentences.
    """

    transform: sitk.Euler3DTransform
    quality: float
    warnings: tuple[str, ...] = ()


def align(pet: sitk.Image, template: sitk.Image) -> Alignment:
    """Find the rigid motion that lays a PET onto the template.

    First the best of all whole-voxel translations of a coarse grid (masked normalised correlation:
    a study may show more or less of the body than the template), then mutual information over
    rotation and translation. The same input gives the same bytes on one machine.

    Args:
        pet: float image in SUV (g/ml), any grid.
        template: mean PET in SUV (g/ml) on the model's grid.

    Raises:
        InputError: there is no body in the PET, or it does not look like the template anywhere.

    References:
        D. Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE
        Transactions on Medical Imaging 22(1), 120-128 (2003): the mutual information used.
    """
    study, reference = _compressed(pet, _REFINE_MM), _compressed(template, _REFINE_MM)
    _require_body(study)
    start = _best_translation(
        _compressed(pet, _SEARCH_MM), _compressed(template, _SEARCH_MM), _centre(template)
    )
    transform = _maximum_mutual_information(study, reference, start)
    quality, start_quality = (_quality(study, reference, t) for t in (transform, start))
    # Between two good fits mutual information is the better judge (lung and liver come to lie more
    # alike); correlation tells when it has run away.
    if _rotation_deg(transform) > _LARGEST_ROTATION_DEG or quality < start_quality - 0.05:
        transform, quality = start, start_quality
    coverage = _coverage(study, reference, transform)
    _require_fit(quality, coverage)
    return Alignment(transform, quality, _doubts(quality, coverage))


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


def scored_mask(pet: sitk.Image, template: sitk.Image, alignment: Alignment) -> sitk.Image:
    """The PET's voxels whose centre lies in the model's field of view: uint8 on the PET's grid.

    The field of view reaches to the outer faces of the template's outermost voxels.
    """
    everywhere = sitk.Image(template.GetSize(), sitk.sitkUInt8) + 1
    everywhere.CopyInformation(template)
    return to_study_grid(everywhere, pet, alignment, outside=0, nearest=True)


def unscored_body(pet: sitk.Image, scored: sitk.Image) -> tuple[float, tuple[str, ...]]:
    """How much of the patient the model could not see.

    Args:
        pet: in SUV (g/ml).
        scored: from `scored_mask`, on the grid of `pet`.

    Returns:
        the share of the body's voxels (SUV above `BODY_SUV`) outside, 0 to 1; and warnings.

    Raises:
        InputError: (nearly) all of the body lies outside.
    """
    body = sitk.GetArrayViewFromImage(pet) > BODY_SUV
    total = int(np.count_nonzero(body))
    seen = int(np.count_nonzero(body & (sitk.GetArrayViewFromImage(scored) > 0)))
    share = 1.0 - seen / total if total else 1.0
    if share > 0.95:
        raise InputError(
            f"{100 * share:.0f} % of the body in the PET lies outside the model's field of view.",
            "Use a study that shows the part of the body that the model was made for.",
        )
    if share < 0.01:
        return share, ()
    return share, (
        f"{100 * share:.0f} % of the body (SUV > {BODY_SUV:g}) lies outside the model's field of "
        "view and is not scored: a lesion there is not found.",
    )


def _compressed(image: sitk.Image, spacing: float) -> sitk.Image:
    """arcsinh(SUV) on an isotropic grid along LPS that fills the image's bounding box.

    `_NOT_MEASURED` where an oblique study does not reach. Turning the axes to LPS first makes the
    result independent of the order in which a file stores its voxels.
    """
    oriented = sitk.DICOMOrient(sitk.Cast(image, sitk.sitkFloat32), "LPS")
    factors = [
        min(n, max(1, int(0.75 * spacing / s)))
        for n, s in zip(oriented.GetSize(), oriented.GetSpacing())
    ]
    coarse = sitk.BinShrink(oriented, factors)
    suv = sitk.Resample(
        coarse, _bounding_grid(coarse, spacing), sitk.Transform(), sitk.sitkLinear, _NOT_MEASURED
    )
    values = sitk.GetArrayFromImage(suv)
    compressed = np.arcsinh(np.clip(values, 0.0, _CEILING_SUV))
    compressed[values < _NOT_MEASURED / 2] = _NOT_MEASURED
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


def _centre(image: sitk.Image) -> tuple[float, ...]:
    middle = [(n - 1) / 2 for n in image.GetSize()]
    return tuple(image.TransformContinuousIndexToPhysicalPoint(middle))


def _body(compressed: NDArray[np.floating]) -> NDArray[np.bool_]:
    return compressed > math.asinh(BODY_SUV)


def _require_body(study: sitk.Image) -> None:
    body_ml = _body(sitk.GetArrayViewFromImage(study)).sum() * _REFINE_MM**3 / 1000
    if body_ml < _LEAST_BODY_ML:
        raise InputError(
            f"There is no patient in the PET: only {body_ml:.0f} ml lie above SUV {BODY_SUV:g}.",
            "Check that this is the attenuation-corrected PET, in SUV, and not an empty series.",
        )


def _best_translation(
    study: sitk.Image, template: sitk.Image, centre: tuple[float, ...]
) -> sitk.Euler3DTransform:
    """The whole-voxel translation at which the study correlates best with the template."""
    s, t = sitk.GetArrayFromImage(study), sitk.GetArrayFromImage(template)
    fit = masked_correlation(t, t >= 0, s, s >= 0)
    # A strip of skin fits nearly anywhere: at least half of the smaller body must lie on the other.
    shared = signal.correlate(_body(s).astype(float), _body(t).astype(float), method="fft")
    correlation = np.where(shared >= 0.5 * shared.max(), fit, -1.0)
    best = np.unravel_index(int(correlation.argmax()), correlation.shape)
    shift = (np.array(best) - np.array(t.shape) + 1)[::-1] * _SEARCH_MM
    translation = np.array(study.GetOrigin()) + shift - np.array(template.GetOrigin())
    start = sitk.Euler3DTransform()
    start.SetCenter(centre)
    start.SetTranslation([float(mm) for mm in translation])
    return start


def _maximum_mutual_information(
    study: sitk.Image, template: sitk.Image, start: sitk.Euler3DTransform
) -> sitk.Euler3DTransform:
    registration = sitk.ImageRegistrationMethod()
    registration.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    registration.SetMetricSamplingStrategy(registration.REGULAR)
    registration.SetMetricSamplingPercentagePerLevel([1.0, 0.1], seed=1)
    registration.SetInterpolator(sitk.sitkLinear)
    registration.SetOptimizerAsRegularStepGradientDescent(
        learningRate=8.0, minStep=0.02, numberOfIterations=60, relaxationFactor=0.7
    )
    registration.SetOptimizerScalesFromPhysicalShift()
    # The scales see the corners of the field of view; a slim body moves far less than those when it
    # turns about its long axis (third parameter), and descent would stop short of that turn.
    registration.SetOptimizerWeights([1.0, 1.0, 4.0, 1.0, 1.0, 1.0])
    registration.SetShrinkFactorsPerLevel([2, 1])
    registration.SetSmoothingSigmasPerLevel([8.0, 4.0])
    registration.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
    if sitk.GetArrayViewFromImage(study).min() < 0:
        registration.SetMetricMovingMask(study >= 0)
    moved = sitk.Euler3DTransform(start)
    registration.SetInitialTransform(moved, inPlace=True)
    try:
        with _one_thread():
            registration.Execute(template, sitk.Clamp(study, lowerBound=0.0))
    except RuntimeError:
        # ITK's way to say that the overlap is empty or one side is constant: the start remains, and
        # its quality is judged like any other.
        return start
    return moved


@contextmanager
def _one_thread() -> Iterator[None]:
    """ITK sums the metric in the order in which threads finish: only one thread repeats itself."""
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _rotation_deg(transform: sitk.Euler3DTransform) -> float:
    cosine = (np.trace(np.reshape(transform.GetMatrix(), (3, 3))) - 1) / 2
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def _quality(study: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform) -> float:
    s, t = _side_by_side(study, template, transform)
    compared = (s >= 0) & ndimage.binary_dilation(_body(s) | _body(t), iterations=2)
    if np.count_nonzero(compared) < 2 or np.ptp(s[compared]) == 0 or np.ptp(t[compared]) == 0:
        return 0.0
    return max(0.0, float(np.corrcoef(s[compared], t[compared])[0, 1]))


def _coverage(study: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform) -> float:
    """The share of the template's body that the study shows, 0 to 1."""
    s, t = _side_by_side(study, template, transform)
    body = _body(t)
    return int(np.count_nonzero(body & (s >= 0))) / max(1, int(np.count_nonzero(body)))


def _side_by_side(
    study: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    seen = sitk.Resample(study, template, transform, sitk.sitkLinear, _NOT_MEASURED)
    return sitk.GetArrayFromImage(seen), sitk.GetArrayFromImage(template)


def _require_fit(quality: float, coverage: float) -> None:
    hint = (
        "Use a whole-body PET in SUV (neck to upper thigh); check its orientation, voxel size and "
        "units, and that the model was made for this part of the body."
    )
    if quality < _QUALITY_REFUSED:
        raise InputError(
            "The PET could not be aligned with the model's template: their correlation is "
            f"{quality:.2f}, at least {_QUALITY_REFUSED:g} is needed.",
            hint,
        )
    if coverage < _COVERAGE_REFUSED:
        raise InputError(
            f"The PET shows only {100 * coverage:.0f} % of the body that the model expects; at "
            f"least {100 * _COVERAGE_REFUSED:.0f} % are needed to find its place.",
            hint,
        )


def _doubts(quality: float, coverage: float) -> tuple[str, ...]:
    doubts = []
    if quality < _QUALITY_DOUBTED:
        doubts.append(
            f"The alignment with the model's template is poor (correlation {quality:.2f}): look at "
            "the overview before trusting the findings."
        )
    if coverage < _COVERAGE_DOUBTED:
        doubts.append(
            f"The PET shows only {100 * coverage:.0f} % of the body that the model expects: its "
            "place along the body, and with it the scores, are less certain."
        )
    return tuple(doubts)


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

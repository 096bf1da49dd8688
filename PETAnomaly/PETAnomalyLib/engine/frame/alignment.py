"""Where a study lies in the model's frame, in physical space (LPS, mm).

A model sees every patient on one grid: that of the bundle's template, a smooth mean PET. `align`
finds the rigid motion between the two, `grids.py` carries images there and back, and
`field_of_view.py` says which of the PET's voxels the model could see at all.

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

from PETAnomalyLib.engine.frame.coarse_pet import (
    JUDGED_MM,
    body_of,
    compressed_pet,
    require_patient,
)
from PETAnomalyLib.engine.frame.doubt import spoken
from PETAnomalyLib.engine.frame.fit import body_coverage, fit_doubts, fit_quality
from PETAnomalyLib.engine.frame.masked_correlation import masked_correlation, shared_voxels

_SEARCH_MM = 16.0
_LARGEST_ROTATION_DEG = 25.0


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


def align(pet: sitk.Image, template: sitk.Image, anyway: bool = False) -> Alignment:
    """Find the rigid motion that lays a PET onto the template.

    First the best of all whole-voxel translations of a coarse grid (masked normalised correlation:
    a study may show more or less of the body than the template), then mutual information over
    rotation and translation. The same input gives the same bytes on one machine.

    Args:
        pet: float image in SUV (g/ml), any grid.
        template: mean PET in SUV (g/ml) on the model's grid.
        anyway: a fit that would be refused is a warning.

    Raises:
        InputError: there is no body in the PET, or it does not look like the template anywhere.

    References:
        D. Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE
        Transactions on Medical Imaging 22(1), 120-128 (2003): the mutual information used.
    """
    study, reference = compressed_pet(pet, JUDGED_MM), compressed_pet(template, JUDGED_MM)
    require_patient(study)
    start = _best_translation(
        compressed_pet(pet, _SEARCH_MM), compressed_pet(template, _SEARCH_MM), _centre(template)
    )
    transform = _maximum_mutual_information(study, reference, start)
    quality, start_quality = (fit_quality(study, reference, t) for t in (transform, start))
    # Between two good fits mutual information is the better judge (lung and liver come to lie more
    # alike); correlation tells when it has run away.
    if _rotation_deg(transform) > _LARGEST_ROTATION_DEG or quality < start_quality - 0.05:
        transform, quality = start, start_quality
    coverage = body_coverage(study, reference, transform)
    doubts = fit_doubts(quality, coverage, study)
    return Alignment(transform, quality, spoken(doubts, anyway))


def _centre(image: sitk.Image) -> tuple[float, ...]:
    middle = [(n - 1) / 2 for n in image.GetSize()]
    return tuple(image.TransformContinuousIndexToPhysicalPoint(middle))


def _best_translation(
    study: sitk.Image, template: sitk.Image, centre: tuple[float, ...]
) -> sitk.Euler3DTransform:
    """The whole-voxel translation at which the study correlates best with the template."""
    s, t = sitk.GetArrayFromImage(study), sitk.GetArrayFromImage(template)
    fit = masked_correlation(t, t >= 0, s, s >= 0)
    # A strip of skin fits nearly anywhere: at least half of the smaller body must lie on the other.
    shared = shared_voxels(body_of(t), body_of(s))
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
        with one_thread():
            registration.Execute(template, sitk.Clamp(study, lowerBound=0.0))
    except RuntimeError:
        # ITK's way to say that the overlap is empty or one side is constant: the start remains, and
        # its quality is judged like any other.
        return start
    return moved


@contextmanager
def one_thread() -> Iterator[None]:
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

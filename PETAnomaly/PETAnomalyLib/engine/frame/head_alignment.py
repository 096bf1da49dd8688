"""Where a head lies in the frame of a model of brain MR (LPS, mm), and which of it is brain.

The template is a mean of skull-stripped heads in the model's contrast and intensity, 0 outside its
mask. A head whose brain is known is laid onto it brain to brain; of one that still has its skull
only what comes to lie on the template's brain is looked at, and the brain is then the template's
mask, carried over by an affine transform.

    aligned = align_head(head, template, template_mask)
    image = to_model_frame(head.image, template, aligned.alignment, outside=0.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import Alignment, one_thread
from PETAnomalyLib.engine.frame.doubt import Doubt, spoken
from PETAnomalyLib.engine.frame.head_pose import (
    first_pose,
    sampled_at,
    scaled_image,
    with_rim,
)
from PETAnomalyLib.engine.study.head import Head

REGISTERED = "registered to the model's template"

_FINE_MM = 4.0

# Measured on synthetic phantoms: correlation in the brain 0.47 and more (with the skull once 0.27),
# with another contrast up to 0.7; in grey and white matter of the better half, FLAIR 0.12 and more
# (21 heads, 10 with masses), T1w taken for it 0.16 and less, T2w 0.14 to 0.40; T1w 0.38 and more,
# FLAIR taken for it 0.22 and less.
_REFUSED, _DOUBTED = 0.2, 0.4
_TISSUE_REFUSED, _TISSUE_DOUBTED = 0.05, 0.15
_TISSUE = 0.4  # of the template's brain the darkest 40 % are CSF, and voxels that it shares
# By how much another way round correlates better, measured on 16 synthetic phantoms, T1w and FLAIR:
# brains alone -0.07 and less, turned 0.05 and more. With the skull 0.04 and less, turned -0.01 and
# more: there it counts only where grey and white matter look wrong as well.
_TURNED_REFUSED, _TURNED_DOUBTED, _TURNED_WITH_SKULL = 0.02, -0.03, -0.02
_MOST_STRETCHED = 1.15  # in volume, by an affine transform beside the best similarity


Motion = TypeVar("Motion", sitk.Euler3DTransform, sitk.Similarity3DTransform, sitk.AffineTransform)


@dataclass(frozen=True)
class AlignedHead:
    """A head in the model's frame.

    Attributes:
        alignment: its `quality` is the Pearson correlation of intensity between head and template,
            in the template's brain.
        mask: uint8, 1 in the brain, on the head's grid.
        mask_from: see `Head`, or `REGISTERED`.
    """

    alignment: Alignment
    mask: sitk.Image
    mask_from: str


def align_head(
    head: Head, template: sitk.Image, template_mask: sitk.Image, anyway: bool = False
) -> AlignedHead:
    """Find the rigid motion that lays a head onto the template, and its brain.

    The best of all whole-voxel translations of a coarse grid, then mutual information over
    rotation and translation. The same input gives the same bytes on one machine.

    Args:
        head: of any grid.
        template: mean intensity, 0 to 1, on the model's grid.
        template_mask: 1 in the template's brain, on the same grid.
        anyway: a fit that would be refused is a warning.

    Raises:
        InputError: there is no brain in the image, or it lies the wrong way round, or it is of
            another contrast.
    """
    image = head.image
    if head.mask is not None:
        image = _brain_alone(image, head.mask)
    scaled = scaled_image(image)
    moving, fixed = sampled_at(scaled, _FINE_MM), sampled_at(template, _FINE_MM)
    fixed_mask = sampled_at(sitk.Cast(template_mask, sitk.sitkFloat32), _FINE_MM) > 0.5
    start, rival, lead = first_pose(scaled, head.mask is None, template, template_mask)
    looked_at = with_rim(fixed_mask) if head.mask is None else None
    rigid = _maximum_mutual_information(moving, fixed, looked_at, start)
    quality, of_start = (
        _correlation(moving, fixed, fixed_mask, motion) for motion in (rigid, start)
    )
    if quality < of_start:
        rigid, quality = start, of_start
    # A mass may turn a whole hemisphere's tissue round; another contrast does so with both.
    halves = _halves(_tissue(fixed, fixed_mask))
    tissue = max(_correlation(moving, fixed, half, rigid) for half in halves)
    doubts = _doubts(quality, tissue, rival, lead, head.mask is None)
    warnings = spoken(doubts, anyway)
    mask, mask_from = head.mask, head.mask_from
    if mask is None:
        mask, mask_from = _registered_mask(head, moving, fixed, looked_at, rigid, template_mask)
        warnings = (
            *warnings,
            "The brain mask was made by registration to the model's template: findings at the "
            "brain's surface may be skull or meninges. A mask can be given with --mask.",
        )
    return AlignedHead(Alignment(rigid, quality, warnings), mask, mask_from)


def _brain_alone(image: sitk.Image, mask: sitk.Image) -> sitk.Image:
    """Outside the brain as dark as can be: 0, or its least value where that is below 0."""
    inside = sitk.GetArrayViewFromImage(mask) > 0
    darkest = float(sitk.GetArrayViewFromImage(image)[inside].min())
    return sitk.Mask(image, sitk.Cast(mask, sitk.sitkUInt8), outsideValue=min(0.0, darkest))


def _doubts(
    quality: float, tissue: float, rival: str, lead: float, with_skull: bool
) -> list[Doubt]:
    """What speaks against the image, the plainest first."""
    doubts = []
    if quality < _DOUBTED:
        doubts.append(
            Doubt(
                "The image hardly looks like the brains that the model knows (correlation "
                f"{quality:.2f}).",
                "Check that it is an MR of a whole brain, in the contrast of the model.",
                quality < _REFUSED,
            )
        )
    if tissue < _TISSUE_DOUBTED:
        doubts.append(
            Doubt(
                "Grey and white matter do not look as in the contrast that the model knows "
                f"(correlation {tissue:.2f}).",
                "Check the contrast of the image.",
                tissue < _TISSUE_REFUSED,
            )
        )
    is_refused = lead > _TURNED_REFUSED
    is_doubted = lead > _TURNED_DOUBTED
    if with_skull:
        is_refused = is_doubted = tissue < _TISSUE_DOUBTED and lead > _TURNED_WITH_SKULL
    if is_doubted:
        words = "looks" if is_refused else "may be"
        hint = "Check how the image was exported: the axes' directions."
        doubts.insert(0, Doubt(f"The head {words} {rival}.", hint, is_refused))
    return sorted(doubts, key=lambda doubt: not doubt.refused)


def _tissue(fixed: sitk.Image, fixed_mask: sitk.Image) -> sitk.Image:
    """Grey and white matter of the template, without the brain's outermost voxels."""
    inner = sitk.BinaryErode(sitk.Cast(fixed_mask, sitk.sitkUInt8), [1, 1, 1])
    values = sitk.GetArrayViewFromImage(fixed)[sitk.GetArrayViewFromImage(inner) > 0]
    brighter = fixed > float(np.quantile(values, _TISSUE))
    return sitk.And(inner, sitk.Cast(brighter, sitk.sitkUInt8))


def _maximum_mutual_information(
    moving: sitk.Image,
    fixed: sitk.Image,
    looked_at: sitk.Image | None,
    start: Motion,
) -> Motion:
    """From `start`, of its own kind of transform."""
    registration = sitk.ImageRegistrationMethod()
    registration.SetMetricAsMattesMutualInformation(32)
    registration.SetInterpolator(sitk.sitkLinear)
    registration.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0, minStep=0.02, numberOfIterations=80, relaxationFactor=0.7
    )
    registration.SetOptimizerScalesFromPhysicalShift()
    registration.SetShrinkFactorsPerLevel([2, 1])
    registration.SetSmoothingSigmasPerLevel([4.0, 0.0])
    registration.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
    if looked_at is not None:
        registration.SetMetricFixedMask(looked_at)
    moved = type(start)(start)
    registration.SetInitialTransform(moved, inPlace=True)
    try:
        with one_thread():
            registration.Execute(fixed, moving)
    except RuntimeError:
        return start  # ITK's way to say that nothing overlaps; the start is judged like any other
    return moved


def _halves(mask: sitk.Image) -> list[sitk.Image]:
    """A mask's voxels on either side of its middle, along x."""
    inside = sitk.GetArrayFromImage(mask)
    middle = int(np.median(np.nonzero(inside)[2]))
    halves = []
    for part in (slice(None, middle), slice(middle, None)):
        half = np.zeros_like(inside)
        half[:, :, part] = inside[:, :, part]
        image = sitk.GetImageFromArray(half)
        image.CopyInformation(mask)
        halves.append(image)
    return halves


def _correlation(
    moving: sitk.Image, fixed: sitk.Image, inside: sitk.Image, transform: sitk.Transform
) -> float:
    """Pearson's, in the template's brain; -1 where there is nothing to compare."""
    seen = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, 0.0))
    where = sitk.GetArrayViewFromImage(inside) > 0
    a, b = sitk.GetArrayViewFromImage(fixed)[where], seen[where]
    if a.std() == 0 or b.std() < 1e-6:
        return -1.0
    return float(np.corrcoef(a, b)[0, 1])


def _registered_mask(
    head: Head,
    moving: sitk.Image,
    fixed: sitk.Image,
    looked_at: sitk.Image | None,
    rigid: sitk.Euler3DTransform,
    template_mask: sitk.Image,
) -> tuple[sitk.Image, str]:
    size = sitk.Similarity3DTransform()
    size.SetMatrix(rigid.GetMatrix())
    size.SetCenter(rigid.GetCenter())
    size.SetTranslation(rigid.GetTranslation())
    size = _maximum_mutual_information(moving, fixed, looked_at, size)
    start = sitk.AffineTransform(3)
    start.SetMatrix(size.GetMatrix())
    start.SetCenter(size.GetCenter())
    start.SetTranslation(size.GetTranslation())
    affine = _maximum_mutual_information(moving, fixed, looked_at, start)
    stretch = _volume(affine) / _volume(start)
    if not 1 / _MOST_STRETCHED < stretch < _MOST_STRETCHED:
        affine = start  # it ran away
    share = sitk.Resample(
        sitk.Cast(template_mask, sitk.sitkFloat32),
        head.image,
        affine.GetInverse(),
        sitk.sitkLinear,
        0.0,
    )
    return sitk.Cast(share > 0.5, sitk.sitkUInt8), REGISTERED


def _volume(transform: sitk.AffineTransform) -> float:
    return abs(float(np.linalg.det(np.reshape(transform.GetMatrix(), (3, 3)))))

"""The first guess of where a head lies on a template: shifted, nodding, or turned and mirrored.

Every way round is tried on a coarse grid, each at its best whole-voxel translation. Left and right
of a head differ too little to be told apart: that way round is not tried.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.frame.masked_correlation import masked_correlation, shared_voxels
from PETAnomalyLib.engine.runtime.errors import InputError

_SEARCH_MM = 8.0
_JUDGED_MM = 12.0  # 42 ways round are compared in a second
_RIM_MM = 8.0  # round the template's brain: what tells it from a skull
_LIKE_A_BRAIN = 0.35  # correlation; brain phantoms the right way round have 0.46 and more
_TURNS_DEG = (-20.0, 0.0, 20.0)  # of a nodding head


Array = NDArray[np.float32]
Way = tuple[str, NDArray[np.float64]]
"""How a head looks turned, in words, and the rotation (and reflection) that does so."""


def first_pose(
    scaled: sitk.Image, with_skull: bool, template: sitk.Image, template_mask: sitk.Image
) -> tuple[sitk.Euler3DTransform, str, float]:
    """From the template to the head, by the best whole-voxel translation, nodding or not.

    Args:
        scaled: the head, see `scaled_image`; where its brain is known, that alone.
        with_skull: whether what lies round the brain is there too.
        template: mean intensity, 0 to 1.
        template_mask: 1 in its brain.

    Returns:
        The motion; the likeliest of the other ways round, in words; and by how much that one
        correlates better than this, -1 where it shows no brain either.
    """
    search, judged = (
        _Coarse(scaled, template, template_mask, with_skull, step)
        for step in (_SEARCH_MM, _JUDGED_MM)
    )
    _, pose, _ = search.best_of(_upright())
    own, _, _ = judged.best_of(_upright())
    other, _, words = judged.best_of(_flipped())
    return pose, words, other - own if other > _LIKE_A_BRAIN else -1.0


class _Coarse:
    """A head and a template on coarse grids.

    Args:
        scaled: the head, 0 to 1.
        template, template_mask: what it is laid onto.
        with_skull: whether what lies round the brain is there too.
        step_mm: edge of the voxels.
    """

    def __init__(
        self,
        scaled: sitk.Image,
        template: sitk.Image,
        template_mask: sitk.Image,
        with_skull: bool,
        step_mm: float,
    ) -> None:
        self._head, self._step = scaled, step_mm
        self._centre = _middle(template)
        self._origin, self._template = self._of_template(template)
        _, share = self._of_template(sitk.Cast(template_mask, sitk.sitkFloat32))
        self._inside = share > 0.1
        if with_skull:
            around = max(1, round(_RIM_MM / step_mm))
            self._inside = ndimage.binary_dilation(share > 0.5, iterations=around)
        self._everywhere = sitk.Image(scaled.GetSize(), sitk.sitkFloat32) + 1.0
        self._everywhere.CopyInformation(scaled)

    def best_of(self, ways: Iterator[Way]) -> tuple[float, sitk.Euler3DTransform, str]:
        """Correlation, motion and words of the best way round, each at its best translation.

        The motion is that of a rotation; of a reflection only its translation.
        """
        best = (-2.0, sitk.Euler3DTransform(), "")
        for words, matrix in ways:
            correlation, shift = self._best_shift(matrix)
            if correlation > best[0]:
                motion = sitk.Euler3DTransform()
                motion.SetCenter(self._centre.tolist())
                if np.linalg.det(matrix) > 0:
                    motion.SetMatrix(matrix.ravel().tolist(), 1e-4)
                translation = _middle(self._head) - self._centre + matrix @ shift
                motion.SetTranslation(translation.tolist())
                best = (correlation, motion, words)
        return best

    def _best_shift(self, matrix: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Correlation at the best shift s (mm): p of the template lies on R(p + s - c) + middle."""
        turn = sitk.AffineTransform(3)
        turn.SetMatrix(matrix.ravel().tolist())
        turn.SetCenter(self._centre.tolist())
        turn.SetTranslation((_middle(self._head) - self._centre).tolist())
        origin, head = self._sampled(self._head, turn)
        _, known = self._sampled(self._everywhere, turn)
        measured = known > 0.5
        fit = masked_correlation(self._template, self._inside, head, measured)
        shared = shared_voxels(self._inside, measured)
        correlation = np.where(shared >= 0.6 * shared.max(), fit, -1.0)
        place = np.unravel_index(int(correlation.argmax()), correlation.shape)
        steps = (np.array(place) - np.array(self._template.shape) + 1)[::-1] * self._step
        return float(correlation[place]), origin + steps - self._origin

    def _of_template(self, image: sitk.Image) -> tuple[NDArray[np.float64], Array]:
        extent = [n * mm for n, mm in zip(image.GetSize(), image.GetSpacing())]
        return self._on_grid(sampled_at(image, self._step / 2), sitk.Transform(), extent)

    def _sampled(
        self, image: sitk.Image, transform: sitk.Transform
    ) -> tuple[NDArray[np.float64], Array]:
        """Round the template's centre, the whole image, however it is turned."""
        longest = max(n * mm for n, mm in zip(image.GetSize(), image.GetSpacing()))
        return self._on_grid(image, transform, [longest] * 3)

    def _on_grid(
        self, image: sitk.Image, transform: sitk.Transform, extent: list[float]
    ) -> tuple[NDArray[np.float64], Array]:
        """First voxel (LPS, mm) and values, D x H x W."""
        size = [math.ceil(mm / self._step) for mm in extent]
        first = self._centre - (np.array(size) - 1) / 2 * self._step
        grid = sitk.Image(size, sitk.sitkUInt8)
        grid.SetSpacing([self._step] * 3)
        grid.SetOrigin(first.tolist())
        values = sitk.Resample(image, grid, transform, sitk.sitkLinear, 0.0)
        return first, sitk.GetArrayFromImage(values)


def _middle(image: sitk.Image) -> NDArray[np.float64]:
    last = [(n - 1) / 2 for n in image.GetSize()]
    return np.array(image.TransformContinuousIndexToPhysicalPoint(last))


def _upright() -> Iterator[tuple[str, NDArray[np.float64]]]:
    for degrees in _TURNS_DEG:
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        yield "", np.array([[1.0, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def _flipped() -> Iterator[tuple[str, NDArray[np.float64]]]:
    """All ways to exchange and reverse axes, but those that leave head and face where they are."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if order == (0, 1, 2) and signs[1:] == (1.0, 1.0):
                continue  # left and right differ too little to be told apart
            words = []
            if order != (0, 1, 2):
                words.append("turned by a right angle")
            elif signs[2] < 0:
                words.append("upside down")
            if order == (0, 1, 2) and signs[1] < 0:
                words.append("back to front")
            yield " and ".join(words), matrix


def scaled_image(image: sitk.Image) -> sitk.Image:
    """Between 0 and 1: the darkest and the brightest hundredth cut off.

    Raises:
        InputError: the image is empty.
    """
    values = sitk.GetArrayFromImage(image)
    seen = values[values != values.min()]
    if seen.size == 0:
        raise InputError("The MR is empty in the brain mask.", "Check that they belong together.")
    low, high = np.percentile(seen[:: max(1, seen.size // 200_000)], [1.0, 99.0])
    scaled = np.clip((values - min(low, values.min())) / max(high - low, 1e-6), 0, 1.2)
    result = sitk.GetImageFromArray(scaled.astype(np.float32))
    result.CopyInformation(image)
    return result


def sampled_at(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """Smoothed and sampled at about a spacing; nothing is made finer."""
    spacing = image.GetSpacing()
    sigma = [max(0.0, math.sqrt(max(0.0, spacing_mm**2 - s**2)) / 2.355) for s in spacing]
    if max(sigma) > 0:
        image = sitk.SmoothingRecursiveGaussian(image, [max(one, 1e-3) for one in sigma])
    size = [max(1, round(n * s / spacing_mm)) for n, s in zip(image.GetSize(), spacing)]
    new = [n * s / m for n, s, m in zip(image.GetSize(), spacing, size)]
    grid = sitk.Image(size, sitk.sitkUInt8)
    grid.SetSpacing(new)
    grid.SetDirection(image.GetDirection())
    first = [0.5 * step / old - 0.5 for step, old in zip(new, spacing)]
    grid.SetOrigin(image.TransformContinuousIndexToPhysicalPoint(first))
    return sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, 0.0)


def with_rim(mask: sitk.Image) -> sitk.Image:
    """A mask and what lies within a few mm of it."""
    radius = [max(1, round(_RIM_MM / step)) for step in mask.GetSpacing()]
    return sitk.BinaryDilate(sitk.Cast(mask, sitk.sitkUInt8), radius)

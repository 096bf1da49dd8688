"""Whether a study lies the right way round: the template against its flipped and scaled versions.

How well a study correlates with the template says little about which way up it lies: a body is
nearly symmetric, and a foreign one fits badly whichever way it lies. So the template is compared
with a rival of itself (mirrored, upside down, 1.3 times as big, ...), each moved to where the study
fits it best. If the study were one of the two and Gaussian noise, the difference of the two
log-likelihoods would be <study - middle, template - rival> / sigma^2, middle halfway between them;
normalised, that is a correlation: 1 for a study that is the template, -1 for one that is the rival.

The flips about the axes speak of organs: heart and stomach left, liver right, spine behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import fft, ndimage

from PETAnomalyLib.engine.frame.coarse_pet import NOT_MEASURED, body_of, compressed_pet

SCALE = 1.3
"""A voxel size that is wrong by much less is within what people differ by. Too small is not looked
for: of 122 phantoms as they were 11 were more like the template in three quarters of its size."""

_SPACING_MM = 16.0
# Voxels along z, y, x that a rival may lie away from the template: a body upside down was aligned
# by what its wrong end looks like.
_REACH = (20, 8, 8)

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Rival:
    """Another way for the study to lie.

    Attributes:
        words: how a study looks that lies that way.
        evidence: for the template against it, -1 to 1; below 0 the study is more like the rival.
        is_scale: it is the template in another size, not the other way round.
    """

    words: str
    evidence: float
    is_scale: bool


def rivals(
    pet: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform
) -> tuple[Rival, ...]:
    """The ways for a study to lie other than the template's, the likeliest first.

    Args:
        pet: SUV (g/ml), any grid.
        template: mean PET, SUV (g/ml).
        transform: maps points of the template to points of the study (LPS, mm).
    """
    reference = compressed_pet(template, _SPACING_MM)
    own = sitk.GetArrayFromImage(reference)
    study = _Study(_around(compressed_pet(pet, _SPACING_MM), reference, transform))
    placed = study.best_place(own)
    found = [
        Rival(words, study.evidence(placed, study.best_place(rival)), is_scale)
        for words, rival, is_scale in _rival_templates(own)
    ]
    return tuple(sorted(found, key=lambda rival: rival.evidence))


def _around(study: sitk.Image, reference: sitk.Image, transform: sitk.Euler3DTransform) -> Array:
    """The study in the template's frame and `_REACH` around it, `NOT_MEASURED` beyond."""
    size = [n + 2 * reach for n, reach in zip(reference.GetSize(), reversed(_REACH))]
    grid = sitk.Image(size, sitk.sitkUInt8)
    grid.SetSpacing(reference.GetSpacing())
    grid.SetOrigin(
        [o - reach * _SPACING_MM for o, reach in zip(reference.GetOrigin(), reversed(_REACH))]
    )
    seen = sitk.Resample(study, grid, transform, sitk.sitkLinear, NOT_MEASURED)
    return sitk.GetArrayFromImage(seen).astype(np.float32)


def _rival_templates(own: Array) -> Iterator[tuple[str, Array, bool]]:
    for z, y, x in product((1, -1), repeat=3):
        if (z, y, x) != (1, 1, 1):
            yield flip_in_words(z < 0, y < 0, x < 0), own[::z, ::y, ::x], False
    yield f"{SCALE:g} times too big", _scaled(own, SCALE), True


def flip_in_words(head_feet: bool, front_back: bool, left_right: bool) -> str:
    """What a study looks like whose axes point the other way."""
    swapped = [
        pair
        for pair, is_swapped in (
            ("head and feet", head_feet),
            ("front and back", front_back),
            ("left and right", left_right),
        )
        if is_swapped
    ]
    if head_feet:
        look = "upside down"
    elif front_back and left_right:
        look = "turned by 180 degrees about its long axis"
    else:
        look = "mirrored"
    return f"{look}: {', '.join(swapped)} are exchanged"


def _scaled(own: Array, scale: float) -> Array:
    """The template `scale` times as big, not larger than the grid that the study lies on."""
    size = [min(round(n * scale), n + 2 * reach) for n, reach in zip(own.shape, _REACH)]
    offset = [(n - 1) / 2 - (m - 1) / 2 / scale for n, m in zip(own.shape, size)]
    return ndimage.affine_transform(
        own, [1 / scale] * 3, offset=offset, output_shape=size, order=1, mode="constant", cval=0.0
    )


class _Study:
    """A study on the padded grid, and its Fourier transforms, used by every rival."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.measured = values >= 0
        self._padded = [fft.next_fast_len(n, real=True) for n in values.shape]

    @cached_property
    def _transforms(self) -> tuple[NDArray[np.complexfloating], ...]:
        seen = self.values * self.measured
        return tuple(
            fft.rfftn(a.astype(np.float32), self._padded)
            for a in (self.measured, seen, seen * seen)
        )

    def best_place(self, template: Array) -> Array:
        """The template at the whole-voxel shift where the study correlates best with it.

        Masked normalised correlation as in `masked_correlation.py`, here with one study for many
        templates that are measured everywhere and lie wholly inside the grid.
        """
        ones, values, squares = self._transforms
        conjugates = [
            np.conj(fft.rfftn(a, self._padded))
            for a in (np.ones_like(template), template, template * template)
        ]
        spare = [n - m + 1 for n, m in zip(self.values.shape, template.shape)]

        def correlate(a: NDArray, b: NDArray) -> NDArray[np.floating]:
            full: NDArray[np.floating] = fft.irfftn(a * b, self._padded)
            return full[: spare[0], : spare[1], : spare[2]]

        overlap = correlate(ones, conjugates[0])
        count = np.maximum(overlap, 1.0)
        of_study, of_template = correlate(values, conjugates[0]), correlate(ones, conjugates[1])
        covariance = correlate(values, conjugates[1]) - of_study * of_template / count
        variance = (correlate(squares, conjugates[0]) - of_study**2 / count) * (
            correlate(ones, conjugates[2]) - of_template**2 / count
        )
        fit = covariance / np.sqrt(np.maximum(variance, 1e-3))
        fit[overlap < 0.5 * overlap.max()] = -1.0
        start = np.unravel_index(int(fit.argmax()), fit.shape)
        placed = np.full(self.values.shape, NOT_MEASURED, np.float32)
        placed[tuple(slice(s, s + n) for s, n in zip(start, template.shape))] = template
        return placed

    def evidence(self, template: Array, rival: Array) -> float:
        """Correlation of study - middle with template - rival, where all three are; -1 to 1."""
        compared = self.measured & (template >= 0) & (rival >= 0)
        compared &= body_of(self.values) | body_of(template) | body_of(rival)
        if np.count_nonzero(compared) < 2:
            return 0.0
        of_study = (self.values - (template + rival) / 2)[compared]
        between = (template - rival)[compared]
        if np.ptp(of_study) == 0 or np.ptp(between) == 0:
            return 0.0
        return float(np.corrcoef(of_study, between)[0, 1])

"""Whatever way the same voxels are stored, they come back where they were."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.lattice import on_voxels_of

ROTATION = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]


def pet(seed: int = 0) -> sitk.Image:
    image = sitk.GetImageFromArray(np.random.default_rng(seed).random((5, 6, 7), np.float32) + 0.1)
    image.SetSpacing((2.0, 3.0, 4.5))
    image.SetOrigin((-100.0, 33.3, -712.5))
    image.SetDirection((ROTATION * np.sign(np.linalg.det(ROTATION))).ravel().tolist())
    return image


@settings(max_examples=40, deadline=None)
@given(st.permutations([0, 1, 2]), st.tuples(*[st.booleans()] * 3))
def test_mirrored_and_turned_images_come_back_voxel_by_voxel(
    order: list[int], flips: tuple[bool, bool, bool]
) -> None:
    image = pet()
    stored = sitk.PermuteAxes(sitk.Flip(image, flips), order)
    back = on_voxels_of(stored, image, "it", whole=True)
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(image))
    assert back.GetOrigin() == image.GetOrigin()


def test_what_was_cut_out_gets_its_surroundings_back() -> None:
    image = pet()
    back = on_voxels_of(image[2:5, 1:4, 3:5], image, "it", whole=False)
    expected = np.zeros((5, 6, 7), np.float32)
    expected[3:5, 1:4, 2:5] = sitk.GetArrayFromImage(image)[3:5, 1:4, 2:5]
    assert np.array_equal(sitk.GetArrayFromImage(back), expected)


def test_what_reaches_beyond_the_pet_may_only_be_empty_there() -> None:
    image = pet()
    wide = sitk.ConstantPad(image, (1, 2, 0), (0, 1, 3), 0.0)
    back = on_voxels_of(wide, image, "it", whole=False)
    assert np.array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(image))
    wide[0, 0, 0] = 1.0
    with pytest.raises(InputError, match="does not lie on the voxels of the PET"):
        on_voxels_of(wide, image, "it", whole=False)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_other_voxels_are_refused(whole: bool, axis: int) -> None:
    image = pet()
    shifted = sitk.Image(image)
    step = np.zeros(3)
    step[axis] = 0.3
    shifted.SetOrigin(image.TransformContinuousIndexToPhysicalPoint(step.tolist()))
    coarse = sitk.Image(image)
    coarse.SetSpacing([s * (2.0 if n == axis else 1.0) for n, s in enumerate(image.GetSpacing())])
    for other in (shifted, coarse):
        with pytest.raises(InputError):
            on_voxels_of(other, image, "it", whole)


def test_a_map_that_does_not_cover_the_pet_is_refused() -> None:
    image = pet()
    for cut in itertools.product((0, 1), repeat=3):
        part = image[cut[0] :, cut[1] :, cut[2] :]
        if any(cut):
            with pytest.raises(InputError):
                on_voxels_of(part, image, "it", whole=True)

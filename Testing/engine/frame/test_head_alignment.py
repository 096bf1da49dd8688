"""Laying heads onto a template, and what is refused."""

import functools

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_heads import SHAPE, SPACING_MM, draw_head
from nilearn_template import needs_nilearn
from PETAnomalyLib.engine.frame.head_alignment import REGISTERED, align_head
from PETAnomalyLib.engine.frame.head_input import head_input, scaled_brain
from PETAnomalyLib.engine.phantom.brain.study import generate_brain
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.head import Head, stripped_mask

INTENSITY = {"mr": {"scaling": "percentiles", "low": 1.0, "high": 99.0}}


def image_of(values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing([SPACING_MM] * 3)
    image.SetOrigin([-(n - 1) * SPACING_MM / 2 for n in reversed(SHAPE)])
    return image


@pytest.fixture(scope="module")
def template() -> tuple[sitk.Image, sitk.Image]:
    """The mean of three heads that lie alike."""
    flairs = [draw_head("healthy", seed)[0].astype(np.float32) for seed in (11, 12, 13)]
    inside = np.mean([f > 0 for f in flairs], axis=0) > 0.5
    mean = np.mean([np.clip(f / np.percentile(f[f > 0], 99), 0, 1) for f in flairs], axis=0)
    return image_of(mean * inside), sitk.Cast(image_of(inside), sitk.sitkUInt8)


def head_of(image: sitk.Image) -> Head:
    mask = stripped_mask(image)
    return Head(image, mask, "" if mask is None else "skull-stripped", "FLAIR", {}, ())


def motion_of(degrees: float, shift: tuple[float, float, float]) -> sitk.Euler3DTransform:
    motion = sitk.Euler3DTransform()
    motion.SetRotation(np.deg2rad(degrees), 0.0, np.deg2rad(degrees / 2))
    motion.SetTranslation(shift)
    return motion


def moved(image: sitk.Image, degrees: float, shift: tuple[float, float, float]) -> sitk.Image:
    return sitk.Resample(image, image, motion_of(degrees, shift), sitk.sitkLinear, 0.0)


@pytest.mark.parametrize(("degrees", "shift"), [(12.0, (9.0, -14.0, 6.0)), (-10.0, (0, 4, -13))])
def test_a_motion_is_found_again(
    template: tuple[sitk.Image, sitk.Image], degrees: float, shift: tuple[float, float, float]
) -> None:
    straight = image_of(draw_head("healthy", 21)[0])
    still = align_head(head_of(straight), *template).alignment.transform
    found = align_head(head_of(moved(straight, degrees, shift)), *template).alignment.transform
    motion = motion_of(degrees, shift)
    for point in ((0.0, 0.0, 0.0), (40.0, 0.0, 0.0), (0.0, -50.0, 0.0), (0.0, 0.0, 40.0)):
        # resampling takes the value at motion(p): what lay at motion(p) lies at p
        there = motion.TransformPoint(found.TransformPoint(point))
        assert np.linalg.norm(np.subtract(there, still.TransformPoint(point))) < SPACING_MM


def test_intensities_that_were_made_to_have_a_mean_of_0_change_nothing(
    template: tuple[sitk.Image, sitk.Image],
) -> None:
    flair = draw_head("healthy", 21)[0].astype(np.float32)
    brain = flair > 0
    normal = np.where(brain, (flair - flair[brain].mean()) / flair[brain].std(), 0.0)
    own = align_head(head_of(image_of(flair)), *template)
    other = align_head(head_of(image_of(normal)), *template)
    assert np.array_equal(sitk.GetArrayFromImage(own.mask), sitk.GetArrayFromImage(other.mask))
    assert other.alignment.quality > own.alignment.quality - 0.02
    for point in ((0.0, 0.0, 0.0), (40.0, 0.0, 0.0), (0.0, -50.0, 0.0), (0.0, 0.0, 40.0)):
        places = [one.alignment.transform.TransformPoint(point) for one in (own, other)]
        assert np.linalg.norm(np.subtract(*places)) < SPACING_MM / 2


@needs_nilearn
@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ((0,), "upside down|turned by"),
        pytest.param((1,), "back to front", marks=pytest.mark.slow),
        pytest.param((0, 2), "upside down|turned by", marks=pytest.mark.slow),
    ],
)
def test_a_head_the_wrong_way_round_is_refused_in_words(axes: tuple[int, ...], words: str) -> None:
    """Of a synthetic phantom: an ellipsoid head is nearly the same upside down."""
    brain, mask = phantom()
    template = scaled_brain(brain, mask, INTENSITY)
    values = sitk.GetArrayFromImage(brain)
    wrong = sitk.GetImageFromArray(np.ascontiguousarray(np.flip(values, axes)))
    wrong.CopyInformation(brain)
    with pytest.raises(InputError, match=f"looks ({words})"):
        align_head(head_of(wrong), template, mask)
    assert align_head(head_of(brain), template, mask).alignment.quality > 0.95


@functools.cache
def phantom() -> tuple[sitk.Image, sitk.Image]:
    """The stripped FLAIR of a synthetic phantom, and its brain."""
    head = generate_brain(4, True, None, ("FLAIR",), 4.0, True)
    return sitk.Cast(head.images["FLAIR"], sitk.sitkFloat32), head.mask


def test_another_contrast_is_refused(template: tuple[sitk.Image, sitk.Image]) -> None:
    with pytest.raises(InputError, match=r"hardly looks|do not look"):
        align_head(head_of(image_of(draw_head("healthy", 32)[1])), *template)


def test_an_image_without_a_brain_is_refused(template: tuple[sitk.Image, sitk.Image]) -> None:
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    noise = np.random.default_rng(3).random(SHAPE)
    ball = noise * (sum(g**2 for g in grid) < 0.5) * 100
    with pytest.raises(InputError, match=r"looks|do not look"):
        align_head(head_of(image_of(ball)), *template)


def test_of_a_head_with_its_skull_the_brain_is_registered(
    template: tuple[sitk.Image, sitk.Image],
) -> None:
    flair, _, _ = draw_head("healthy", 33)
    grid = np.meshgrid(*((np.arange(n) - (n - 1) / 2) * SPACING_MM for n in SHAPE), indexing="ij")
    radius = sum((g / r) ** 2 for g, r in zip(grid, (76, 96, 80)))
    scalp = (radius < 1.0) & (radius > 0.84)
    noise = np.random.default_rng(4).uniform(1, 15, SHAPE)
    whole = np.where(flair > 0, flair, np.where(scalp, 380, noise))
    aligned = align_head(head_of(image_of(whole)), *template)
    assert aligned.mask_from == REGISTERED
    assert any("registration" in warning for warning in aligned.alignment.warnings)
    found = sitk.GetArrayFromImage(aligned.mask) > 0
    truth = flair > 0
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.9


def test_intensity_is_that_of_the_brain_alone(template: tuple[sitk.Image, sitk.Image]) -> None:
    flair, _, _ = draw_head("healthy", 34)
    mask = image_of(flair > 0)
    outside = np.where(flair > 0, flair, 30_000)
    same = sitk.GetArrayFromImage(scaled_brain(image_of(outside), mask, INTENSITY))
    alone = sitk.GetArrayFromImage(scaled_brain(image_of(flair), mask, INTENSITY))
    assert np.array_equal(same, alone)
    assert not alone[flair == 0].any()
    low, high = np.percentile(flair[flair > 0], [1, 99])
    inside = flair > 0
    assert np.allclose(
        alone[inside], np.clip((flair[inside] - low) / (high - low), 0, 1), atol=1e-6
    )
    twice = sitk.GetArrayFromImage(
        scaled_brain(image_of(2.5 * flair + 9 * inside), mask, INTENSITY)
    )
    assert np.allclose(twice, alone, atol=1e-4)
    head = head_of(image_of(flair))
    image, brain = head_input(head.image, align_head(head, *template), template[0], INTENSITY)
    assert image.shape == brain.shape == SHAPE
    assert not image[~brain].any()


def test_a_brain_of_one_value_is_refused() -> None:
    flat = image_of(np.full(SHAPE, 7.0))
    with pytest.raises(InputError, match="one value only"):
        scaled_brain(flat, image_of(np.ones(SHAPE)), INTENSITY)

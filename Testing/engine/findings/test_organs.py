"""Where a finding lies, against distances between all pairs of voxels."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.findings.organs import Organs, is_physiological, painted, places

SPACING = (2.0, 3.5, 5.0)
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def image(array: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(SPACING)
    made.SetOrigin((40.0, -20.0, 7.0))
    made.SetDirection(OBLIQUE)
    return made


def points(grid: sitk.Image, mask: np.ndarray) -> np.ndarray:
    """Physical points of a mask's voxels, (n, 3) mm."""
    return np.array(
        [grid.TransformIndexToPhysicalPoint([int(n) for n in at[::-1]]) for at in np.argwhere(mask)]
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_nearest_organ_and_its_distance_are_those_of_all_pairs_of_voxels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((14, 16, 18), np.uint16)
    for number in (1, 2, 3):
        k, j, i = rng.integers(0, 11, 3)
        labels[k : k + 3, j : j + 2, i : i + 4] = number
    organs = np.zeros_like(labels)
    for number in (1, 2, 3, 4):
        k, j, i = rng.integers(0, 12, 3)
        organs[k : k + 2, j : j + 4, i : i + 3] = number
    organs[rng.random(labels.shape) < 0.5] = 0
    names = ("spleen", "liver", "lung", "aorta")
    grid = image(labels)
    found = places(grid, Organs(organs, names))
    for finding, place in zip(np.unique(labels)[1:], found):
        inside = labels == finding
        shares = {n: np.count_nonzero(organs[inside] == n + 1) for n in range(4)}
        if max(shares.values()):
            assert place.distance_mm == 0
            assert shares[names.index(place.organ)] == max(shares.values())
            continue
        own = points(grid, inside)
        distances = {
            name: np.linalg.norm(own[:, None] - points(grid, organs == n + 1)[None], axis=2).min()
            for n, name in enumerate(names)
            if (organs == n + 1).any()
        }
        assert place.distance_mm == pytest.approx(min(distances.values()))
        assert distances[place.organ] == pytest.approx(place.distance_mm)


def test_without_a_voxel_of_any_organ_no_organ_is_named() -> None:
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[1, 1, 1] = 1
    (place,) = places(image(labels), Organs(np.zeros((4, 4, 4), np.uint16), ("liver",)))
    assert place.cells() == ("", "", "")


@pytest.mark.parametrize(("voxels", "suggestion"), [(2, ""), (3, "physiological")])
def test_what_lies_mostly_in_the_bladder_is_suggested_to_be_physiological(
    voxels: int, suggestion: str
) -> None:
    labels = np.zeros((3, 3, 6), np.uint8)
    labels[1, 1, :4] = 1
    organs = np.zeros(labels.shape, np.uint16)
    organs[1, 1, :voxels] = 1
    (place,) = places(image(labels), Organs(organs, ("urinary_bladder",)))
    assert (place.organ, place.distance_mm, place.suggestion) == ("urinary_bladder", 0, suggestion)


def test_a_voxel_of_several_masks_belongs_to_the_smallest() -> None:
    body, heart, clot = np.arange(27), np.arange(4, 20), np.arange(7, 9)
    organs = painted((3, 3, 3), [("clot", clot), ("body", body), ("heart", heart)])
    named = ["", *organs.names]
    flat = [named[label] for label in organs.labels.flat]
    assert flat[7:9] == ["clot"] * 2
    assert flat.count("heart") == 14
    assert flat.count("body") == 11


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("urinary_bladder", True), ("kidney_left", True), ("Left kidney", True), ("colon", True),
        ("small_bowel", True), ("heart_atrium_left", True), ("brain", True), ("ureter", True),
        ("gallbladder", False), ("gall_bladder", False), ("kidney_cyst_left", False),
        ("liver", False), ("heartland", False), ("ilium", False), ("", False),
    ],
)  # fmt: skip
def test_where_fdg_collects_without_disease(name: str, is_one: bool) -> None:
    assert is_physiological(name) == is_one


@pytest.mark.parametrize(
    ("name", "is_liver"),
    [
        ("liver", True),  # TotalSegmentator
        ("Liver", True),  # MOOSE, a person
        ("LIVER_1", True),
        ("CT_liver.nii.gz", True),
        ("Liver mask", True),
        ("liver_segment_4", False),
        ("liver tumor", False),
        ("Leber", False),
        ("", False),
    ],
)
def test_an_organ_is_known_by_its_word_however_it_is_written(name: str, is_liver: bool) -> None:
    labels = np.zeros((2, 2, 2), np.uint16)
    labels[0], labels[1, 0] = 1, 2
    mask = Organs(labels, ("spleen", name)).mask("liver")
    assert (mask is not None) == is_liver
    assert mask is None or np.array_equal(mask, labels == 2)


def test_the_best_of_several_names_counts_and_an_organ_without_voxels_does_not() -> None:
    labels = np.zeros((3, 1, 1), np.uint16)
    labels[1], labels[2] = 1, 3
    organs = Organs(labels, ("Aorta, descending", "aorta", "Thoracic_Aorta"))
    mask = organs.mask("aorta", "thoracic aorta", "descending aorta")
    assert mask is not None
    assert np.array_equal(mask, labels == 3)

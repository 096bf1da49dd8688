"""Sites of findings against a voxel-by-voxel count, in any grid and pose; left is the patient's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.frame.measured_regions import HIGHEST_CODE, REGIONS, SIDES
from PETAnomalyLib.engine.frame.region_atlas import RegionAtlas, code, site_of, sites, voted

WORDS = {"head": "head and neck", "limbs": "limb"}
NOWHERE = sitk.Euler3DTransform()


def spelled(number: int) -> tuple[str, str]:
    """Region and side of an atlas's value, counted through."""
    every = [(region, side) for region in REGIONS for side in SIDES]
    return every[number - 1]


def counted(codes: list[int]) -> str:
    """The site, by counting words."""
    inside = [spelled(number) for number in codes if number]
    if not inside:
        return ""
    of_region = Counter(region for region, _ in inside)
    region = max(REGIONS, key=lambda name: of_region[name])  # the first of those with most
    on = Counter(side for name, side in inside if name == region)
    sides = [side for side, n in on.items() if n > of_region[region] / 2]
    return " ".join([*(side for side in sides if side), WORDS.get(region, region)])


@given(st.lists(st.integers(0, HIGHEST_CODE), min_size=1, max_size=40))
def test_the_site_is_where_most_voxels_are_and_the_side_that_more_than_half_are_on(
    codes: list[int],
) -> None:
    assert site_of(np.array(codes, np.uint8)) == counted(codes)


def test_codes_are_told_apart() -> None:
    codes = [code(region, side) for region in range(len(REGIONS)) for side in range(len(SIDES))]
    assert codes == list(range(1, HIGHEST_CODE + 1))
    assert site_of(np.array([code(0, 2)], np.uint8)) == "left head and neck"
    assert site_of(np.array([code(4, 1)], np.uint8)) == "right limb"
    assert site_of(np.array([code(1, 0), code(1, 1), code(1, 2)], np.uint8)) == "thorax"


def atlas_of(values: np.ndarray) -> RegionAtlas:
    """On voxels of 10 x 12 x 8 mm, its middle at (5, -3, 200)."""
    image = sitk.GetImageFromArray(values.astype(np.uint8))
    image.SetSpacing((10.0, 12.0, 8.0))
    half = (np.array(image.GetSize()) - 1) / 2 * image.GetSpacing()
    image.SetOrigin([float(x) for x in (5, -3, 200) - half])
    return RegionAtlas(image)


def study_of(labels: np.ndarray, direction: np.ndarray) -> sitk.Image:
    """On voxels of 7 x 6 x 5 mm, its middle at (0, 10, 190)."""
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing((7.0, 6.0, 5.0))
    image.SetDirection(direction.ravel().tolist())
    half = direction @ ((np.array(image.GetSize()) - 1) / 2 * image.GetSpacing())
    image.SetOrigin([float(x) for x in (0, 10, 190) - half])
    return image


@pytest.mark.parametrize("seed", range(4))
def test_sites_are_those_of_every_voxel_taken_through_the_alignment(seed: int) -> None:
    """Against ITK, point by point, in a turned study."""
    rng = np.random.default_rng(seed)
    atlas = atlas_of(rng.integers(0, HIGHEST_CODE + 1, (6, 5, 7)))
    to_study = sitk.Euler3DTransform()
    to_study.SetCenter([float(x) for x in rng.uniform(-50, 50, 3)])
    to_study.SetRotation(*(float(x) for x in rng.uniform(-0.4, 0.4, 3)))
    to_study.SetTranslation([float(x) for x in rng.uniform(-20, 20, 3)])
    turned = sitk.Euler3DTransform()
    turned.SetRotation(*(float(x) for x in rng.uniform(-0.3, 0.3, 3)))
    labels = rng.integers(0, 6, (9, 10, 8)).astype(np.uint16)
    labels[labels == 3] = 0  # a finding that was deleted
    study = study_of(labels, np.reshape(turned.GetMatrix(), (3, 3)))
    expected = []
    for number in (1, 2, 4, 5):
        codes = []
        for k, j, i in np.argwhere(labels == number):
            point = study.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))
            place = atlas.labels.TransformPhysicalPointToContinuousIndex(
                to_study.GetInverse().TransformPoint(point)
            )
            edge = np.clip(np.rint(place), 0, np.array(atlas.labels.GetSize()) - 1)
            codes.append(atlas.labels[tuple(int(n) for n in edge)])
        expected.append(counted(codes))
    assert sites(study, atlas, to_study) == expected


def limbs_on_both_sides() -> RegionAtlas:
    values = np.full((4, 4, 9), code(REGIONS.index("thorax"), 0))
    values[..., :3] = code(REGIONS.index("limbs"), SIDES.index("right"))
    values[..., 6:] = code(REGIONS.index("limbs"), SIDES.index("left"))
    return atlas_of(values)


def test_left_is_the_patients_however_the_voxels_are_stored() -> None:
    atlas = limbs_on_both_sides()
    labels = np.zeros((9, 10, 12), np.uint16)
    labels[4, 5, 11], labels[4, 5, 5], labels[4, 5, 0] = 1, 2, 3  # x grows to the left
    study = study_of(labels, np.eye(3))
    assert sites(study, atlas, NOWHERE) == ["left limb", "thorax", "right limb"]
    stored_backwards = study[::-1]
    assert stored_backwards.GetDirection()[0] == -1
    assert sites(stored_backwards, atlas, NOWHERE) == ["left limb", "thorax", "right limb"]


def test_a_mirrored_persons_limbs_change_sides() -> None:
    atlas = limbs_on_both_sides()
    labels = np.zeros((9, 10, 12), np.uint16)
    labels[4, 5, 11], labels[4, 5, 0] = 1, 2
    mirrored = study_of(np.ascontiguousarray(labels[:, :, ::-1]), np.eye(3))
    assert sites(mirrored, atlas, NOWHERE) == ["right limb", "left limb"]


def test_voters_agree_on_a_region_and_nine_in_ten_of_them_on_a_side() -> None:
    rng = np.random.default_rng(1)
    regions, left = rng.integers(0, 6, (30, 5, 4, 3)), rng.random((30, 5, 4, 3)) < 0.9
    votes = np.stack([(regions == number).sum(0) for number in range(1, 6)])
    on_left = (left & (regions > 0)).sum(0)
    found = voted(votes, on_left)
    for place in np.ndindex(found.shape):
        said = [int(r) - 1 for r in regions[(slice(None), *place)] if r]
        of_left = [bool(s) for r, s in zip(regions[(slice(None), *place)],
                                           left[(slice(None), *place)]) if r]  # fmt: skip
        region = max(range(5), key=said.count)
        share = sum(of_left) / len(of_left)
        side = "left" if share >= 0.9 else "right" if share <= 0.1 else ""
        if REGIONS[region] == "limbs":
            side = "left" if share > 0.5 else "right"
        assert spelled(int(found[place])) == (REGIONS[region], side)
    assert not voted(np.zeros((5, 1, 1, 1), int), np.zeros((1, 1, 1), int)).any()


def test_an_atlas_is_read_as_it_was_written(tmp_path: Path) -> None:
    atlas = limbs_on_both_sides()
    sitk.WriteImage(atlas.labels, str(tmp_path / "regions.nii.gz"), useCompression=True)
    again = RegionAtlas.read(tmp_path / "regions.nii.gz").labels
    assert np.array_equal(
        sitk.GetArrayViewFromImage(again), sitk.GetArrayViewFromImage(atlas.labels)
    )
    assert again.GetOrigin() == pytest.approx(atlas.labels.GetOrigin(), abs=1e-4)

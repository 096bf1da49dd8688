"""Reference regions on a torso of simple shapes, and criteria against their published words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PETAnomalyLib.engine.findings.lean_body_mass import lean_body_mass_kg, sul_of_suv
from PETAnomalyLib.engine.findings.reference import (
    Uptake,
    blood_pool_place,
    blood_pool_uptake,
    liver_place,
    liver_uptake,
)
from PETAnomalyLib.engine.findings.response_criteria import deauville, measurable_from
from PETAnomalyLib.engine.runtime.errors import InputError

SHAPE = (60, 40, 50)  # k, j, i
AXES = {
    "LPS": np.diag([-4.0, -4.0, 5.0]),
    "RAS": np.diag([4.0, 4.0, 5.0]),
    "turned": np.array([[0, 0, 5.0], [0, -4.0, 0], [4.0, 0, 0]]),
    "oblique": np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1.0]])
    @ np.diag([4.0, 4.0, 5.0]),
}


def affine_of(axes: np.ndarray) -> np.ndarray:
    """The grid's middle lies at (0, 0, 0)."""
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = -axes @ ((np.array(SHAPE[::-1]) - 1) / 2)
    return affine


def centres(affine: np.ndarray) -> np.ndarray:
    """RAS mm of each voxel, by a matrix product a voxel: (k, j, i, 3)."""
    k, j, i = np.indices(SHAPE)
    homogeneous = np.stack([i, j, k, np.ones(SHAPE)], axis=-1)
    return np.einsum("ab,kjib->kjia", affine, homogeneous)[..., :3]


@pytest.fixture(params=AXES)
def affine(request: pytest.FixtureRequest) -> np.ndarray:
    return affine_of(AXES[request.param])


def test_the_liver_is_measured_deep_in_its_right_lobe(affine: np.ndarray) -> None:
    at = centres(affine)
    lobe = np.linalg.norm(at - (40, 0, 0), axis=-1) <= 30  # right, 30 mm
    other = np.linalg.norm(at - (-15, 10, 5), axis=-1) <= 34  # left, and thicker
    place = liver_place(lobe | other, affine)
    assert place[0] > 20
    assert np.linalg.norm(place - (40, 0, 0)) < 10
    suv = np.random.default_rng(0).gamma(2.0, 1.0, SHAPE).astype(np.float32)
    inside = suv[np.linalg.norm(at - place, axis=-1) <= 15].astype(float)
    found = liver_uptake(suv, affine, place)
    assert found.voxels == len(inside)
    smaller = suv[np.linalg.norm(at - place, axis=-1) <= 7].astype(float)
    assert liver_uptake(suv, affine, place, 7.0).mean == pytest.approx(smaller.mean())
    with pytest.raises(InputError, match="does not fit into the right lobe"):
        liver_place(lobe | other, affine, 40.0)
    assert found.mean == pytest.approx(inside.mean())
    assert found.sd == pytest.approx(math.sqrt(((inside - inside.mean()) ** 2).mean()))
    assert found.maximum == inside.max()


def aorta_of(affine: np.ndarray) -> np.ndarray:
    """Arch at the top, ascending in front and thicker, descending behind to the bottom."""
    right, front, up = np.moveaxis(centres(affine), -1, 0)
    descending = (np.hypot(right + 10, front + 30) <= 11) & (up <= 60) & (up >= -90)
    ascending = (np.hypot(right, front - 20) <= 16) & (up <= 60) & (up >= -20)
    arch = (np.hypot(right, up - 60) <= 12) & (np.abs(front + 5) <= 35)
    return descending | ascending | arch


def test_the_blood_pool_is_measured_in_the_descending_aorta(affine: np.ndarray) -> None:
    at = centres(affine)
    place = blood_pool_place(aorta_of(affine), affine)
    assert np.hypot(place[0] + 10, place[1] + 30) <= 5  # its axis
    suv = np.random.default_rng(1).gamma(2.0, 1.0, SHAPE).astype(np.float32)
    away = at - place
    inside = suv[(np.hypot(away[..., 0], away[..., 1]) <= 5) & (np.abs(away[..., 2]) <= 10)]
    found = blood_pool_uptake(suv, affine, place)
    assert found.voxels == inside.size > 10
    assert found.mean == pytest.approx(inside.mean(dtype=float))
    assert found.sd == pytest.approx(inside.std(dtype=float))


def test_what_is_too_small_or_not_there_is_refused_in_words() -> None:
    affine = affine_of(AXES["LPS"])
    at = centres(affine)
    small = np.linalg.norm(at, axis=-1) <= 10
    with pytest.raises(InputError, match="right lobe of the liver"):
        liver_place(small, affine)
    for aorta in (small, np.zeros(SHAPE, bool)):
        with pytest.raises(InputError, match="descending thoracic aorta"):
            blood_pool_place(aorta, affine)
    with pytest.raises(InputError, match="right lobe"):
        liver_place(np.zeros(SHAPE, bool), affine)
    with pytest.raises(InputError, match="outside the PET"):
        liver_uptake(np.ones(SHAPE, np.float32), affine, np.array([900.0, 0, 0]))


def test_a_sphere_at_the_border_counts_what_is_inside_the_image() -> None:
    affine = affine_of(AXES["oblique"])
    at = centres(affine)
    corner = at[0, 0, 0] - 2.0
    expected = np.count_nonzero(np.linalg.norm(at - corner, axis=-1) <= 15)
    assert liver_uptake(np.ones(SHAPE, np.float32), affine, corner).voxels == expected


def test_lean_body_mass_is_the_published_one() -> None:
    # By hand, 60 kg and 165 cm: BMI 22.039; 556200 / (8780 + 5377.4) = 39.29 kg.
    assert lean_body_mass_kg(175, 70, "M") == pytest.approx(648900 / (6680 + 216 * 70 / 1.75**2))
    assert lean_body_mass_kg(175, 70, "M") == pytest.approx(55.86, abs=0.01)
    assert lean_body_mass_kg(165, 60, "F") == pytest.approx(39.29, abs=0.01)
    assert sul_of_suv(165, 60, "F") * 60 == pytest.approx(39.29, abs=0.01)


@pytest.mark.parametrize("sex", ["F", "M"])
def test_lean_body_mass_is_less_than_the_body_and_grows_with_both(sex: str) -> None:
    rng = np.random.default_rng(2)
    for height, bmi in zip(rng.uniform(140, 210, 200), rng.uniform(16, 60, 200)):
        weight = bmi * (height / 100) ** 2
        lean = lean_body_mass_kg(height, weight, sex)
        assert 0.2 * weight < lean < weight
        assert lean_body_mass_kg(height + 1, weight, sex) > lean
        assert lean_body_mass_kg(height, weight + 1, sex) > lean


@pytest.mark.parametrize(
    ("height", "weight", "sex"), [(1.75, 70, "M"), (175, 70000, "F"), (175, 70, ""), (175, 0, "M")]
)
def test_other_units_and_no_sex_are_refused(height: float, weight: float, sex: str) -> None:
    with pytest.raises(InputError):
        lean_body_mass_kg(height, weight, sex)


LIVER, POOL = Uptake(2.0, 0.3, 3.0, 100), Uptake(1.4, 0.2, 1.9, 20)


@pytest.mark.parametrize(
    ("suv", "score"), [(1.0, 2), (1.9, 2), (1.91, 3), (3.0, 3), (3.01, 4), (6.0, 4), (6.01, 5)]
)
def test_deauvilles_steps(suv: float, score: int) -> None:
    assert deauville(suv, LIVER, POOL) == score


def test_deauville_never_falls_with_uptake_even_where_the_blood_exceeds_the_liver() -> None:
    hot = Uptake(4.0, 0.1, 4.5, 20)
    scores = [deauville(suv, LIVER, hot) for suv in np.linspace(0.5, 12, 200)]
    assert scores == sorted(scores)


def test_what_percist_can_measure() -> None:
    assert measurable_from(LIVER, POOL, 0.8) == pytest.approx(1.5 * (2 * 0.8) + 2 * (0.3 * 0.8))
    assert measurable_from(None, POOL, 0.8) == pytest.approx(2 * (1.4 * 0.8) + 2 * (0.2 * 0.8))

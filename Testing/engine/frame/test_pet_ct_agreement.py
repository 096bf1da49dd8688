"""A CT that is not the PET's is told from the one that is."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_patient import ORGANS, filled, grid, motion, patient_on, points_of
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.doubt import spoken
from PETAnomalyLib.engine.frame.pet_ct_agreement import agreement
from PETAnomalyLib.engine.frame.study_fit import study_fit
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import Study

GRID = grid((52, 36, 110), (8, 8, 10), (0, 0, 130))
TEMPLATE = patient_on(grid((40, 30, 90), (12, 12, 12), (0, 0, 130)))
HU = (-10, 30, 40, 45, 45, -780, -780, 55, 70, 45, 45, 10)  # of each organ


def ct_of_patient(scale: float = 1.0) -> np.ndarray:
    """HU on `GRID` of the ellipsoid patient, `scale` times as big."""
    points = points_of(GRID) / scale
    hu = np.full(points.shape[:-1], -1000.0)
    for (centre, half_axes, _), value in zip(ORGANS, HU):
        hu[(((points - np.array(centre)) / np.array(half_axes)) ** 2).sum(-1) < 1] = value
    return hu


PET, CT = patient_on(GRID), ct_of_patient()


def judged(ct: np.ndarray, anyway: bool = False) -> tuple[str, ...]:
    study = Study(PET, filled(GRID, ct), {}, ())
    fit = study_fit(study, TEMPLATE, Alignment(motion(), 1.0))
    assert "pet_ct" in fit.report()
    return spoken(fit.doubts, anyway)


def test_the_own_ct_agrees() -> None:
    found = agreement(PET, filled(GRID, CT))
    assert found.overlap > 0.85
    assert found.information > 1.3 * found.flip_information
    assert judged(CT) == ()


def test_a_ct_stored_another_way_agrees_as_well() -> None:
    own, stored = filled(GRID, CT), sitk.Flip(filled(GRID, CT), (True, False, True))
    assert agreement(PET, stored).information == pytest.approx(agreement(PET, own).information)


@pytest.mark.parametrize(
    ("axes", "words"),
    [((0,), "upside down"), ((2,), "left and right")],  # front and back are nearly alike
)
def test_a_flipped_ct_is_refused_by_name(axes: tuple[int, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        judged(np.flip(CT, axes))


def test_a_ct_that_cuts_a_side_off_tells_as_much_upside_down_once_it_is_turned_back() -> None:
    """Its outline is not the PET's, whose middle it must not be laid on."""
    cut = CT.copy()
    cut[:, :, :14] = -1000
    own = agreement(PET, filled(GRID, cut))
    flipped = agreement(PET, filled(GRID, np.flip(cut, 0)))
    assert flipped.flip.startswith("upside down")
    assert flipped.flip_information == pytest.approx(own.information, rel=0.1)


@pytest.mark.parametrize("offset", [1024, -1024])
def test_a_ct_off_by_1024_is_not_in_hu(offset: int) -> None:
    with pytest.raises(InputError, match="HU where the PET shows the body"):
        judged(CT + offset)


@pytest.mark.parametrize(
    "ct",
    [ct_of_patient(0.5), np.random.default_rng(0).normal(0, 500, CT.shape)],
    ids=["half as big", "noise"],
)
def test_a_ct_of_something_else_is_refused(ct: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"same body|around the body"):
        judged(ct)


def test_what_is_refused_is_a_warning_for_who_goes_on_anyway() -> None:
    [first, *_] = judged(np.flip(CT, 0), anyway=True)
    assert "upside down" in first

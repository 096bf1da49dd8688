"""Kidneys, ureters and bladder: volumes, places, and urine that is hotter than all else."""

from __future__ import annotations

import numpy as np
import pytest
from belly import Belly, belly
from PETAnomalyLib.engine.phantom.abdomen.bladder import draw_bladder
from PETAnomalyLib.engine.phantom.abdomen.urine import draw_urine
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import draw_patient
from scipy import ndimage


@pytest.fixture(scope="module", params=[1, 12, 13])
def healthy(request: pytest.FixtureRequest) -> Belly:
    return belly(request.param)


def test_bladder_and_wall_have_the_drawn_volume(healthy: Belly) -> None:
    wanted = draw_bladder(healthy.patient, draw_urine(healthy.patient)).urine_ml
    assert healthy.ml(Organ.URINE) >= wanted - VOXEL_ML
    low = healthy.mask(Organ.URINE) & (healthy.canvas.z < 150)
    assert low.sum() * VOXEL_ML < wanted + 30  # ureters, diverticulum, urethra
    wall = healthy.patient.volume_ml(Organ.BLADDER_WALL)
    assert healthy.ml(Organ.BLADDER_WALL) == pytest.approx(wall, rel=0.02)


def test_the_wall_lies_round_the_urine(healthy: Belly) -> None:
    labels, count = ndimage.label(healthy.mask(Organ.URINE) & (healthy.canvas.z < 200))
    largest = labels == 1 + int(np.argmax(ndimage.sum(labels > 0, labels, range(1, count + 1))))
    near = ndimage.binary_dilation(largest, iterations=4)
    assert healthy.mask(Organ.BLADDER_WALL)[near].sum() > 0.9 * (
        healthy.mask(Organ.BLADDER_WALL).sum()
    )


def test_urine_is_hotter_than_the_kidneys(healthy: Belly) -> None:
    suv = healthy.canvas.suv
    assert suv[healthy.mask(Organ.URINE)].max() > healthy.mean(suv, Organ.KIDNEY)


def test_each_side_has_a_kidney_of_half_the_volume(healthy: Belly) -> None:
    left = healthy.mask(Organ.KIDNEY) & (healthy.canvas.x > 0)
    share = left.sum() / healthy.mask(Organ.KIDNEY).sum()
    assert 0.43 < share < 0.57


@pytest.mark.parametrize("side", [-1, 1])
def test_a_kidney_alone_is_larger_than_half_of_both(side: int) -> None:
    made = belly(4, missing_kidney=side)
    there = made.mask(Organ.KIDNEY)
    assert (made.canvas.x[there] * side < 0).all()
    assert made.ml(Organ.KIDNEY) == pytest.approx(0.7 * made.patient.volume_ml(Organ.KIDNEY), 0.02)
    assert "single kidney" in made.patient.variants


@pytest.mark.parametrize("side", [-1, 1])
def test_a_transplant_lies_in_its_iliac_fossa_above_shrunken_kidneys(side: int) -> None:
    made = belly(4, transplant=side)
    kidney, z = made.mask(Organ.KIDNEY), made.canvas.z
    graft = kidney & (z < 170)
    assert (made.canvas.x[graft] * side).mean() > 30
    assert graft.sum() > 1.5 * (kidney & ~graft).sum()
    assert "transplant kidney" in made.patient.variants


def test_contrast_medium_in_urine_lies_behind() -> None:
    seed = next(s for s in range(300) if draw_urine(draw_patient(s)).excreted)
    made = belly(seed)
    urine = made.mask(Organ.URINE) & (made.canvas.z < 60) & (np.abs(made.canvas.x) < 30)
    dense = urine & (made.canvas.hu > 150)
    assert made.mean(made.canvas.hu, Organ.URINE) > 20
    assert made.canvas.y[dense].mean() > made.canvas.y[urine & ~dense].mean()


def test_urine_is_fresh_earlier_and_hotter() -> None:
    urines = [draw_urine(patient) for patient in map(draw_patient, range(200))]
    fresh = np.array([urine.fresh for urine in urines])
    assert 7 < np.median(fresh) < 15
    assert np.quantile(fresh, 0.05) > 2
    early = np.array([draw_patient(seed).uptake.minutes < 65 for seed in range(200)])
    assert np.median(fresh[early]) > np.median(fresh[~early])

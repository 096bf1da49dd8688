"""Stomach, bowel, stoma and ascites."""

from __future__ import annotations

import numpy as np
import pytest
from belly import Belly, belly
from PETAnomalyLib.engine.phantom.abdomen.gut import ALL_GAS, Contents, paint_gut
from PETAnomalyLib.engine.phantom.abdomen.hernia import UMBILICAL_SHARE
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import draw_patient
from scipy import ndimage

HOLLOW = (Organ.STOMACH, Organ.SMALL_BOWEL, Organ.COLON)


@pytest.fixture(scope="module", params=[1, 4, 13])
def healthy(request: pytest.FixtureRequest) -> Belly:
    return belly(request.param)


def test_hollow_organs_have_the_drawn_volume(healthy: Belly) -> None:
    for organ in HOLLOW:
        wanted = healthy.patient.volume_ml(organ)
        assert healthy.ml(organ) == pytest.approx(wanted, rel=0.02, abs=1), organ.name


def test_gas_lies_before_fluid(healthy: Belly) -> None:
    stomach, hu = healthy.mask(Organ.STOMACH), healthy.canvas.hu
    gas = stomach & (hu < -500)
    fluid = stomach & (hu > -500) & (np.abs(hu - healthy.patient.hu(Organ.STOMACH)) > 0.5)
    both = gas.any((1, 2)) & fluid.any((1, 2))
    assert both.any()
    for k in np.flatnonzero(both):
        y = healthy.canvas.y[k]
        assert np.median(y[gas[k]]) < np.median(y[fluid[k]])


def test_a_gut_of_gas_keeps_its_mean_uptake_and_its_wall(healthy: Belly) -> None:
    canvas = healthy.canvas
    line = smooth_line([(-40, -30, 260, 20), (40, -30, 260, 20)], 8.0)
    canvas.organ[canvas.organ == Organ.LIVER] = Organ.VISCERAL_FAT
    shape = tube(canvas, line, reach=1.5)
    count = shape.count
    inside = paint_gut(
        canvas, line, shape, Organ.COLON, 1.4, 40.0,
        Contents(np.full(count, 10.0), np.full(count, ALL_GAS)), np.ones(count), np.zeros(count),
        60.0,
    )  # fmt: skip
    assert inside.sum() == round(60.0 / VOXEL_ML)
    assert canvas.suv[shape.box][inside].mean() == pytest.approx(1.4, rel=1e-3)
    hu = canvas.hu[shape.box][inside]
    assert set(np.unique(hu)) == {-900.0, 40.0}


def test_metformin_makes_the_bowel_intense() -> None:
    usual, treated = belly(4), belly(4, metformin=True)
    for organ, factor in ((Organ.COLON, 2.0), (Organ.SMALL_BOWEL, 1.15)):
        hot = treated.mean(treated.canvas.suv, organ)
        assert hot > factor * usual.mean(usual.canvas.suv, organ)
    assert "metformin bowel" in treated.patient.variants


@pytest.mark.parametrize("side", [-1, 1])
def test_a_stoma_leads_from_the_belly_through_the_skin_on_its_side(side: int) -> None:
    made = belly(4, stoma=side)
    stoma = made.mask(Organ.STOMA)
    assert (made.canvas.x[stoma] * side > 0).mean() > 0.95
    before = made.before[stoma]
    for layer in (Organ.MUSCLE, Organ.FAT, Organ.AIR):
        assert (before == layer).any(), layer.name
    hot = stoma & (made.canvas.suv > 1)
    assert ndimage.label(hot, np.ones((3, 3, 3)))[1] == 1
    assert {"colostomy", "ileostomy"} & set(made.patient.variants)


def test_after_a_colostomy_there_is_no_sigmoid() -> None:
    usual, made = belly(4), belly(4, stoma=1)
    assert made.ml(Organ.COLON) < 0.95 * usual.ml(Organ.COLON)


@pytest.mark.parametrize("wanted", [300.0, 900.0])
def test_ascites_has_its_volume_where_the_belly_is_deepest(wanted: float) -> None:
    made = belly(1, ascites_ml=wanted)
    fluid, z = made.mask(Organ.ASCITES), made.canvas.z
    assert made.ml(Organ.ASCITES) == pytest.approx(wanted, rel=0.02)
    assert np.abs(made.mean(made.canvas.hu, Organ.ASCITES) - 9) < 10
    fat = made.mask(Organ.VISCERAL_FAT) & (z < 380)
    assert made.canvas.y[fluid & (z < 90)].size > 0
    front = made.canvas.y < -60
    assert front[fluid].mean() < front[fat].mean()


def test_more_ascites_than_room_fills_most_of_the_fat() -> None:
    made = belly(4, ascites_ml=9000.0)
    assert made.ml(Organ.ASCITES) > 500
    assert made.mask(Organ.VISCERAL_FAT).any()


def test_an_umbilical_hernia_brings_the_bellys_fat_under_the_skin() -> None:
    drawn = (draw_patient(seed).stream("hernia").random() for seed in range(200))
    made = belly(next(seed for seed, share in enumerate(drawn) if share < UMBILICAL_SHARE))
    assert "umbilical hernia" in made.patient.variants
    sac = made.mask(Organ.VISCERAL_FAT, Organ.SMALL_BOWEL) & (made.before == Organ.FAT)
    assert sac.any()
    assert np.abs(made.canvas.x[sac]).max() < 30
    assert made.canvas.y[sac].max() < 0

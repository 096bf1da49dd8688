"""The upper abdomen: organs have the drawn volumes and uptake, lie right and take from nobody."""

from __future__ import annotations

import numpy as np
import pytest
from belly import Belly, belly
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML
from PETAnomalyLib.engine.phantom.organs import Organ
from scipy import ndimage

SOLID = (Organ.LIVER, Organ.PANCREAS, Organ.ADRENAL, Organ.KIDNEY)


@pytest.fixture(scope="module", params=[1, 4, 12])
def healthy(request: pytest.FixtureRequest) -> Belly:
    return belly(request.param)


def test_solid_organs_have_the_drawn_volume_and_mean_uptake(healthy: Belly) -> None:
    for organ in SOLID:
        wanted = healthy.patient.volume_ml(organ)
        assert healthy.ml(organ) == pytest.approx(wanted, abs=2 * VOXEL_ML + 1e-6), organ.name
    for organ in (Organ.LIVER, Organ.PANCREAS, Organ.KIDNEY):
        found = healthy.mean(healthy.canvas.suv, organ)
        assert found == pytest.approx(healthy.patient.suv(organ), rel=0.02), organ.name
    assert healthy.ml(Organ.SPLEEN) >= healthy.patient.volume_ml(Organ.SPLEEN) - VOXEL_ML
    gallbladder = healthy.patient.volume_ml(Organ.GALLBLADDER)
    assert healthy.ml(Organ.GALLBLADDER) == pytest.approx(gallbladder, abs=VOXEL_ML)


def test_bones_vessels_and_lungs_keep_their_voxels(healthy: Belly) -> None:
    for organ in (Organ.MARROW, Organ.BLOOD, Organ.LUNG):
        kept = healthy.canvas.organ[healthy.before == organ]
        assert (kept == organ).all(), organ.name


def test_the_liver_is_right_the_spleen_left_and_both_below_the_diaphragm(healthy: Belly) -> None:
    x, z = healthy.canvas.x, healthy.canvas.z
    assert healthy.mean(x, Organ.LIVER) < -30
    assert healthy.mean(x, Organ.SPLEEN) > 50
    assert healthy.mean(x, Organ.GALLBLADDER) < -25
    for organ in (Organ.LIVER, Organ.SPLEEN):
        there = healthy.mask(organ)
        assert (z[there] < healthy.envelope.diaphragm[there]).all()


def test_the_liver_touches_the_diaphragm(healthy: Belly) -> None:
    there = healthy.mask(Organ.LIVER)
    gap = (healthy.envelope.diaphragm - healthy.canvas.z)[there]
    assert gap.min() < 6


def test_what_was_taken_out_is_not_there() -> None:
    made = belly(4, no_gallbladder=True, no_spleen=True)
    assert made.ml(Organ.GALLBLADDER) == 0
    assert {"cholecystectomy", "splenectomy"} <= set(made.patient.variants)
    left = made.ml(Organ.SPLEEN)
    assert left < 25
    assert (left > 0) == ("splenosis" in made.patient.variants)


def test_the_spleen_follows_the_stimulated_marrow() -> None:
    calm, stimulated = belly(4), belly(4, stimulated_marrow=2.4)
    ratio = stimulated.mean(stimulated.canvas.suv, Organ.SPLEEN) / calm.mean(
        calm.canvas.suv, Organ.SPLEEN
    )
    assert ratio == pytest.approx(1.7, rel=0.02)


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = belly(1), belly(1)
    assert one.canvas.suv.tobytes() == two.canvas.suv.tobytes()
    assert one.canvas.hu.tobytes() == two.canvas.hu.tobytes()
    assert one.canvas.organ.tobytes() == two.canvas.organ.tobytes()


@pytest.mark.parametrize("ends", [(300.0, 800.0), (-400.0, 60.0), (20.0, 320.0)])
def test_scans_may_end_in_the_middle_of_an_organ(ends: tuple[float, float]) -> None:
    for seed in (1, 13):
        made = belly(seed, ends)
        assert np.isfinite(made.canvas.suv).all()
        assert made.canvas.suv.min() >= 0
        for organ in (Organ.LIVER, Organ.COLON, Organ.SMALL_BOWEL, Organ.STOMACH, Organ.KIDNEY):
            assert made.ml(organ) < 1.3 * made.patient.volume_ml(organ) + 3, organ.name


@pytest.mark.parametrize("ends", [(-870.0, -400.0), (560.0, 860.0)])
def test_scans_without_a_belly_stay_as_they_are(ends: tuple[float, float]) -> None:
    made = belly(2, ends)
    assert (made.canvas.organ == made.before).all()
    assert not made.patient.variants


def test_the_portal_vein_reaches_the_liver(healthy: Belly) -> None:
    veins = healthy.mask(Organ.BLOOD) & (healthy.before != Organ.BLOOD)
    assert ndimage.binary_dilation(healthy.mask(Organ.LIVER))[veins].any()
    assert healthy.mean(healthy.canvas.suv, Organ.BLOOD) > 0.5 * healthy.patient.suv(Organ.BLOOD)

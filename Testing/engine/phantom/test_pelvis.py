"""The organs of reproduction: there by sex, of the drawn volume, and following the cycle."""

from __future__ import annotations

import numpy as np
import pytest
from belly import Belly, belly, seed_of
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import draw_patient

FEMALE, MALE = (Organ.UTERUS, Organ.OVARY), (Organ.PROSTATE, Organ.TESTIS, Organ.PENIS)
YOUNG_WOMAN = seed_of("F", 22, 34)


@pytest.fixture(scope="module", params=[seed_of("M", 18, 44), seed_of("M", 60, 89)])
def man(request: pytest.FixtureRequest) -> Belly:
    return belly(request.param, (-170.0, 300.0))


@pytest.fixture(scope="module")
def woman() -> Belly:
    return belly(YOUNG_WOMAN, (-130.0, 300.0), cycle="follicular")


def test_a_man_has_a_mans_organs(man: Belly) -> None:
    for organ in MALE:
        wanted = man.patient.volume_ml(organ)
        assert man.ml(organ) == pytest.approx(wanted, rel=0.03, abs=0.3), organ.name
    assert man.ml(*FEMALE) == 0


def test_testes_lie_below_the_perineum_one_on_each_side(man: Belly) -> None:
    testes = man.mask(Organ.TESTIS)
    assert man.canvas.z[testes].max() < -38
    left = (testes & (man.canvas.x > 0)).sum() / testes.sum()
    assert 0.4 < left < 0.6


def test_the_prostate_lies_below_the_bladder_and_before_the_rectum(man: Belly) -> None:
    y, z = man.canvas.y, man.canvas.z
    assert man.mean(z, Organ.PROSTATE) < man.mean(z, Organ.BLADDER_WALL)
    rectum = man.mask(Organ.COLON) & (np.abs(z + 5) < 15)
    assert man.mean(y, Organ.PROSTATE) < y[rectum].mean()


def test_a_woman_has_a_womans_organs(woman: Belly) -> None:
    assert woman.ml(Organ.UTERUS) == pytest.approx(woman.patient.volume_ml(Organ.UTERUS), rel=0.02)
    assert woman.ml(Organ.OVARY) == pytest.approx(woman.patient.volume_ml(Organ.OVARY), rel=0.05)
    assert woman.ml(*MALE) == 0
    ovaries = woman.mask(Organ.OVARY)
    assert 0.2 < (woman.canvas.x[ovaries] > 0).mean() < 0.8


def test_the_menstrual_endometrium_is_a_hot_core_that_keeps_the_uterus_mean() -> None:
    made = belly(YOUNG_WOMAN, (-130.0, 300.0), cycle="menstrual")
    uterus = made.canvas.suv[made.mask(Organ.UTERUS)]
    mean = made.patient.suv(Organ.UTERUS)
    assert uterus.mean() == pytest.approx(mean, rel=0.1)
    assert np.quantile(uterus, 0.97) > 1.2 * mean


def test_one_ovary_is_hot_about_ovulation() -> None:
    young = (seed for seed in range(200) if _is_young_woman(seed))
    made = next(
        found
        for seed in young
        if "ovary" in (found := belly(seed, (-60.0, 440.0), cycle="ovulatory")).patient.variants
    )
    ovaries = made.mask(Organ.OVARY)
    hot = ovaries & (made.canvas.suv > 2.5)
    sides = made.canvas.x[hot] > made.canvas.x[ovaries].mean()
    assert hot.any()
    assert sides.all() or not sides.any()


def _is_young_woman(seed: int) -> bool:
    build = draw_patient(seed).build
    return build.female and build.age < 45

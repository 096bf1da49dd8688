"""Head and neck of a phantom: volumes, sides, conditions, and scans that end within them."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML, Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import paint_envelope
from PETAnomalyLib.engine.phantom.head.brain import cranial_cavity
from PETAnomalyLib.engine.phantom.head.head import paint_head
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from scipy.ndimage import binary_erosion
from seen_patient import seen_patient

PAIRED = (Organ.EYE, Organ.EYE_MUSCLE, Organ.PAROTID, Organ.SUBMANDIBULAR_GLAND)
BY_VOLUME = (
    *PAIRED, Organ.BRAIN, Organ.CEREBELLUM, Organ.LACRIMAL_GLAND, Organ.SUBLINGUAL_GLAND,
    Organ.TONSIL, Organ.TONGUE, Organ.FLOOR_OF_MOUTH, Organ.VOCAL_CORDS,
)  # fmt: skip


def painted(patient: Patient) -> Canvas:
    canvas = Canvas(patient.pose, (150, 160), patient.seed)
    paint_head(canvas, patient, paint_envelope(canvas, patient))
    return canvas


@pytest.fixture(scope="module")
def heads() -> list[tuple[Patient, Canvas]]:
    patients = [seen_patient(seed, 500, 870, thyroiditis=0.0) for seed in (3, 4, 5)]
    return [(patient, painted(patient)) for patient in patients]


def test_organs_have_the_drawn_volume_and_uptake(heads: list[tuple[Patient, Canvas]]) -> None:
    for patient, canvas in heads:
        for organ in BY_VOLUME:
            there = canvas.organ == organ
            wanted = patient.volume_ml(organ)
            # The brain gives way where the skull is too small for it.
            within = 0.12 * wanted if organ in (Organ.BRAIN, Organ.CEREBELLUM) else 4.5 * VOXEL_ML
            assert there.sum() * VOXEL_ML == pytest.approx(wanted, abs=within), organ
            assert canvas.suv[there].mean() == pytest.approx(patient.suv(organ), rel=0.6), organ


def test_the_brain_lies_in_the_skull_and_its_cortex_is_hotter(
    heads: list[tuple[Patient, Canvas]],
) -> None:
    for patient, canvas in heads:
        brain = canvas.organ == Organ.BRAIN
        cavity = cranial_cavity(canvas)
        inside = np.zeros(canvas.shape, bool)
        inside[cavity.box] = cavity.level < 1
        assert (brain & ~inside).sum() < 0.01 * brain.sum()  # the lowest medulla
        assert canvas.suv[brain].mean() == pytest.approx(patient.suv(Organ.BRAIN), rel=0.03)
        above = brain & (canvas.z > 780)
        surface = above & ~binary_erosion(brain)
        white = above & (np.abs(np.abs(canvas.x) - 24) < 8) & (np.abs(canvas.y) < 25)
        white &= canvas.z < 795
        assert canvas.suv[surface].mean() > 1.5 * canvas.suv[white].mean()


def test_pairs_lie_on_both_sides(heads: list[tuple[Patient, Canvas]]) -> None:
    for _, canvas in heads:
        for organ in PAIRED:
            x = canvas.x[canvas.organ == organ]
            assert 0.35 < (x > 0).mean() < 0.65, organ


def test_air_reaches_from_nose_to_chest_and_never_the_skin(
    heads: list[tuple[Patient, Canvas]],
) -> None:
    for _, canvas in heads:
        air = canvas.organ == Organ.AIRWAY
        z = canvas.z[air & (np.abs(canvas.x) < 12)]
        counts, _ = np.histogram(z, np.arange(550, 700, 10))
        assert (counts > 0).all()
        assert canvas.hu[air].max() < -900


def test_thyroiditis_is_seen_in_pet_and_makes_the_gland_larger() -> None:
    ill, well = (
        seen_patient(4, 520, 700, thyroiditis=6.0),
        seen_patient(4, 520, 700, thyroiditis=0.0),
    )
    hot, cold = painted(ill), painted(well)
    glands = [canvas.organ == Organ.THYROID for canvas in (hot, cold)]
    assert hot.suv[glands[0]].mean() == pytest.approx(6.0, rel=0.02)
    assert cold.suv[glands[1]].mean() == pytest.approx(well.suv(Organ.THYROID), rel=0.02)
    assert glands[0].sum() > 1.05 * glands[1].sum()
    assert hot.hu[glands[0]].mean() < cold.hu[glands[1]].mean()
    assert "thyroiditis" in ill.variants
    assert "thyroiditis" not in well.variants


@pytest.mark.parametrize("ends", [(300, 535), (400, 600), (400, 665), (500, 715), (740, 860)])
def test_scans_may_end_anywhere(ends: tuple[float, float]) -> None:
    patient = seen_patient(2, *ends)
    canvas = painted(patient)
    assert np.isfinite(canvas.suv).all()
    assert (canvas.organ == Organ.BRAIN).any() == (ends[1] > 700)


def test_what_is_seen_of_the_brain_does_not_depend_on_where_the_scan_ends() -> None:
    whole, part = (painted(seen_patient(7, 600, top)) for top in (870, 760))
    slices = part.shape[0] - 3
    seen = [(canvas.organ[:slices] == Organ.BRAIN).sum() for canvas in (whole, part)]
    assert seen[1] == pytest.approx(seen[0], rel=0.15)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (painted(seen_patient(6, 560, 800)) for _ in range(2))
    for name in ("organ", "suv", "hu"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


def test_nothing_is_taken_from_organs_that_were_painted_before() -> None:
    patient = seen_patient(5, 560, 800)
    canvas = Canvas(patient.pose, (150, 160), patient.seed)
    envelope = paint_envelope(canvas, patient)
    bone = (np.indices(canvas.shape).sum(0) % 7 == 0) & (canvas.organ == Organ.MUSCLE)
    canvas.organ[bone] = Organ.CORTEX
    paint_head(canvas, patient, envelope)
    assert (canvas.organ[bone] == Organ.CORTEX).all()


def test_the_face_is_warmer_than_other_muscle(heads: list[tuple[Patient, Canvas]]) -> None:
    for _, canvas in heads:
        muscle = canvas.organ == Organ.MUSCLE
        face = muscle & (canvas.y < -60) & (canvas.z > 645) & (canvas.z < 700)
        neck = muscle & (canvas.y > 20) & (canvas.z > 590) & (canvas.z < 640)
        assert canvas.suv[face].mean() > 1.1 * canvas.suv[neck].mean()

"""Skin, fat, muscle and limbs of a phantom: what makes a body a body."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML, Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import VERTEX_MM, Envelope, paint_envelope, spine_y
from PETAnomalyLib.engine.phantom.frame.limbs import limbs_mask, paint_limbs
from PETAnomalyLib.engine.phantom.frame.posture import draw_arms, draw_legs, half_widths_mm
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient

SOFT_TISSUE = {Organ.AIR, Organ.FAT, Organ.MUSCLE, Organ.VISCERAL_FAT, Organ.SOFT, Organ.LUNG,
               Organ.BREAST}  # fmt: skip


def whole_body(seed: int, **build: Any) -> Patient:
    patient = draw_patient(seed)
    patient.build = replace(patient.build, **build)
    scale = patient.pose.scale[2]
    patient.pose = replace(patient.pose, bottom_mm=-900.0, length_mm=float(1790 * scale))
    return patient


def painted(patient: Patient) -> tuple[Canvas, Envelope]:
    canvas = Canvas(patient.pose, half_widths_mm(patient.build), patient.seed)
    envelope = paint_envelope(canvas, patient)
    paint_limbs(canvas, patient, envelope)
    return canvas, envelope


@pytest.fixture(scope="module", params=["up", "down", "crossed"])
def body(request: pytest.FixtureRequest) -> tuple[Patient, Canvas, Envelope]:
    patient = whole_body(5, arms=request.param, sex="F")
    return patient, *painted(patient)


def test_body_is_of_soft_tissue_with_the_drawn_attenuation(
    body: tuple[Patient, Canvas, Envelope],
) -> None:
    patient, canvas, _ = body
    assert set(np.unique(canvas.organ)) == {int(organ) for organ in SOFT_TISSUE}
    for organ in (Organ.MUSCLE, Organ.VISCERAL_FAT, Organ.LUNG, Organ.BREAST):
        there = canvas.organ == organ
        assert canvas.hu[there].mean() == pytest.approx(patient.hu(organ), abs=5)
        assert canvas.suv[there].mean() == pytest.approx(patient.suv(organ), rel=0.06)
    outside = canvas.organ == Organ.AIR
    assert (canvas.suv[outside] == 0).all()
    assert (canvas.hu[outside] == -1000).all()


def test_nothing_stands_above_the_vertex_but_raised_arms(
    body: tuple[Patient, Canvas, Envelope],
) -> None:
    _, canvas, envelope = body
    above = (canvas.z > VERTEX_MM + 1) & (canvas.organ != Organ.AIR)
    assert not (above & ~envelope.arms).any()


def test_breasts_have_the_drawn_glandular_volume(body: tuple[Patient, Canvas, Envelope]) -> None:
    patient, canvas, _ = body
    glands = canvas.organ == Organ.BREAST
    assert glands.sum() * VOXEL_ML == pytest.approx(patient.volume_ml(Organ.BREAST), rel=0.02)
    assert 0.3 < (glands & (canvas.x > 0)).sum() / glands.sum() < 0.7


def test_limbs_hold_their_joints(body: tuple[Patient, Canvas, Envelope]) -> None:
    patient, canvas, envelope = body
    limbs = limbs_mask(canvas, envelope)
    arms = draw_arms(patient, envelope)
    points = [point for arm in arms for point in (arm.elbow, 0.5 * (arm.elbow + arm.wrist))]
    points += [point for leg in draw_legs(patient) for point in (leg.knee, leg.ankle)]
    for point in points:
        box = canvas.box(point, 2.0)
        assert limbs[box].mean() > 0.5
        assert (np.sign(canvas.x[box]) == np.sign(point[0])).all()
    assert not limbs[canvas.box((0, 0, 300), 20.0)].any()


def test_nodes_lie_in_the_fat_of_axillae_and_groins(
    body: tuple[Patient, Canvas, Envelope],
) -> None:
    _, canvas, _ = body
    for centre in ((124, 2, 494), (-68, -76, -4)):
        box = canvas.box(centre, 24.0)
        nodes = canvas.organ[box] == Organ.SOFT
        assert 0 < nodes.mean() < 0.1
        assert canvas.suv[box][nodes].max() < 4


def test_muscles_of_a_thigh_are_parted_by_fat(body: tuple[Patient, Canvas, Envelope]) -> None:
    patient, canvas, _ = body
    leg = draw_legs(patient)[1]
    thigh = canvas.box((leg.line[2, 0], leg.line[2, 1], -150), 25.0)
    fat = (canvas.organ[thigh] == Organ.FAT).mean()
    assert 0.03 < fat < 0.4


def test_grid_is_wide_enough_for_every_posture_and_build() -> None:
    for seed, arms in ((0, "up"), (3, "crossed")):
        canvas, _ = painted(whole_body(seed, arms=arms))
        organ = canvas.organ
        faces = (organ[:, 0], organ[:, -1], organ[..., 0], organ[..., -1])
        cut = sum(int((face != Organ.AIR).sum()) for face in faces)
        assert cut < 0.002 * (organ != Organ.AIR).sum()


def test_obese_belly_has_an_apron_of_fat() -> None:
    patient = draw_patient(5)
    depths = []
    for fat_mm in (12.0, 45.0):
        patient.build = replace(patient.build, fat_mm=fat_mm)
        canvas = Canvas(patient.pose, (280, 240), 5)
        envelope = paint_envelope(canvas, patient)
        fat = (canvas.organ == Organ.FAT) & (np.abs(canvas.z - 70) < 6) & (np.abs(canvas.x) < 8)
        depths.append(int((fat & (canvas.y < envelope.spine)).sum()))
    assert depths[1] > 2.5 * depths[0]


def test_refined_layers_are_those_of_every_voxel() -> None:
    """Found at every second voxel, the layers differ from the exact ones by less than a voxel."""
    patient = draw_patient(2)
    canvas = Canvas(patient.pose, half_widths_mm(patient.build), 2)
    envelope = paint_envelope(canvas, patient)
    trunk = (canvas.z > 0) & (canvas.z < 500)
    exact = np.array([spine_y(z) for z in (50.0, 200.0, 400.0)])
    for z, y in zip((50.0, 200.0, 400.0), exact):
        near = trunk & (np.abs(canvas.z - z) < 0.5)
        assert envelope.spine[near].mean() == pytest.approx(y, abs=1.0)


def test_same_seed_paints_the_same_bytes() -> None:
    first, second = (painted(draw_patient(4))[0] for _ in range(2))
    for one, other in ((first.organ, second.organ), (first.suv, second.suv), (first.hu, second.hu)):
        assert one.tobytes() == other.tobytes()

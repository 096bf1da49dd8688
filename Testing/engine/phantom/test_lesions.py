"""Lesions: in their organ, apart from each other, and by disease where a clinician looks."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.diseases import DISEASES, PLEURA, draw_disease
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.lesions import paint_lesions
from PETAnomalyLib.engine.phantom.mass import BONE, LIVER, LUNG, NODE, draw_mass
from PETAnomalyLib.engine.phantom.nodes import STATIONS, reached_stations
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.scanner.image_grid import image_grid
from PETAnomalyLib.engine.phantom.scanner.scanners import draw_scanner
from PETAnomalyLib.engine.phantom.study import paint_patient

SEED = 12
Painted = tuple[Canvas, Envelope, Patient]


@pytest.fixture(scope="module")
def painted() -> Painted:
    patient = draw_patient(SEED)
    canvas, envelope = paint_patient(patient)
    return canvas, envelope, patient


@pytest.mark.parametrize("site", [LUNG, LIVER, BONE, PLEURA], ids=lambda site: site.name)
def test_a_mass_lies_within_the_organs_of_its_site(painted: Painted, site) -> None:  # type: ignore[no-untyped-def]
    canvas, envelope, _ = painted
    rng = np.random.default_rng(1)
    found = [mass for _ in range(40) if (mass := draw_mass(canvas, envelope, rng, site))]
    assert len(found) >= 3
    for mass in found:
        assert mass.name == site.name
        low, _, high = site.diameter_mm
        assert low <= mass.diameter_mm <= high
        organs = canvas.organ[mass.shape.box][mass.shape.inside]
        assert np.isin(organs, site.within).mean() > 0.4
        assert not np.isin(organs, (Organ.AIR, Organ.BRAIN, Organ.URINE, Organ.METAL)).any()


def test_a_spherical_mass_has_the_volume_of_its_diameter(painted: Painted) -> None:
    canvas, envelope, _ = painted
    rng = np.random.default_rng(2)
    ratios = []
    for _ in range(60):
        mass = draw_mass(canvas, envelope, rng, LIVER)
        if mass is not None:
            ratios.append(mass.shape.share.sum() * 64 / (np.pi / 6 * mass.diameter_mm**3))
    assert len(ratios) >= 5
    assert 0.7 < np.median(ratios) < 1.4


def test_nodes_lie_at_the_stations_that_were_reached(painted: Painted) -> None:
    canvas, envelope, _ = painted
    rng = np.random.default_rng(3)
    reached = reached_stations(rng, ("pelvis",))
    pelvis = {one.name for one in STATIONS if one.region == "pelvis"}
    assert {one.station.name for one in reached} <= pelvis
    found = [mass for _ in range(60) if (mass := draw_mass(canvas, envelope, rng, NODE, reached))]
    assert len(found) >= 3
    for mass in found:
        name = mass.name.removeprefix("node: ")
        (one,) = [one for one in reached if one.station.name == name]
        x = canvas.x[mass.shape.box][mass.shape.inside].mean()
        assert x * one.side > 0  # left is left


def test_cancers_reach_stations_of_their_regions_only() -> None:
    rng = np.random.default_rng(5)
    for regions in (("neck",), ("chest", "chest", "neck"), ()):
        for _ in range(20):
            reached = reached_stations(rng, regions)
            names = [one.station.name for one in reached]
            assert 1 <= len(names) == len(set(names))
            assert not regions or {one.station.region for one in reached} <= set(regions)


def test_lesions_are_hot_on_the_canvas_and_labelled_on_the_grid() -> None:
    patient = draw_patient(SEED)
    canvas, envelope = paint_patient(patient)
    scanner = draw_scanner(patient)
    grid = image_grid(canvas, patient, scanner)
    lesions = paint_lesions(canvas, patient, envelope, scanner, grid)
    assert len(lesions.found) >= 4
    assert lesions.labels.shape == tuple(s.stop - s.start for s in grid.box)
    seen = grid.nearest(canvas.organ)[grid.box]
    for lesion in lesions.found:
        inside = lesions.labels == lesion["label"]
        assert inside.sum() >= 4
        assert (seen[inside] == Organ.LESION).any()
    assert canvas.suv[canvas.organ == Organ.LESION].max() > 2.5


def test_womens_and_mens_cancers_are_theirs() -> None:
    rng = np.random.default_rng(4)
    for seed in (0, 3, 4, 22):
        build = draw_patient(seed).build
        drawn = {draw_disease(rng, build).sex for _ in range(150)}
        assert drawn <= {"", build.sex}
    assert sum(one.share for one in DISEASES) == pytest.approx(1, abs=0.25)

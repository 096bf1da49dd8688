"""Benign findings: masses that CT shows and that take up no more than their surroundings.

Cysts, haemangiomas, granulomas, lipomas, bone islands, adenomas, nodes of no account. Without them
a mass on CT would give a lesion away, and a model that looks at CT would learn nothing of masses
from patients without lesions: it then takes the CT of a lesion for an explanation of its uptake.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.mass import (
    BONE,
    LIVER,
    LUNG,
    NODE,
    SOFT_TISSUE,
    Shape,
    Site,
    blended,
    draw_attenuation,
    draw_mass,
)
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def _sized(site: Site, diameter_mm: tuple[float, float, float]) -> Site:
    return Site(site.name, diameter_mm, site.begins, site.within, site.share)


SITES = {
    _sized(NODE, (7, 11, 25)): 0.24,
    _sized(LUNG, (7, 14, 45)): 0.19,
    _sized(LIVER, (9, 20, 55)): 0.14,
    Site("kidney", (9, 22, 55), (Organ.KIDNEY,), (Organ.KIDNEY, Organ.VISCERAL_FAT), 0.85): 0.12,
    _sized(BONE, (7, 15, 36)): 0.14,
    _sized(SOFT_TISSUE, (9, 22, 55)): 0.11,
    Site("adrenal", (12, 20, 40), (Organ.ADRENAL,), (Organ.ADRENAL, Organ.VISCERAL_FAT), 0.7): 0.03,
    Site("thyroid", (8, 14, 35), (Organ.THYROID,), (Organ.THYROID, Organ.SOFT, Organ.MUSCLE),
         0.6): 0.03,
}  # fmt: skip
TRIES = 14
WATER_HU = 8.0


def paint_benign_findings(
    canvas: Canvas, patient: Patient, envelope: Envelope
) -> list[dict[str, Any]]:
    """Paint this patient's benign findings onto the canvas: older patients have more.

    Returns:
        What each is: site and diameter in mm.
    """
    rng = patient.stream("benign findings")
    sites, weights = list(SITES), np.array(list(SITES.values()))
    found = []
    for _ in range(int(rng.poisson(1.5 + patient.build.age / 18))):
        site = sites[int(rng.choice(len(sites), p=weights / weights.sum()))]
        for _attempt in range(TRIES):
            mass = draw_mass(canvas, envelope, rng, site)
            if mass is not None:
                _paint(canvas, patient, rng, site, mass.shape)
                found.append({"site": mass.name, "diameter_mm": round(mass.diameter_mm, 2)})
                break
    return found


def _paint(canvas: Canvas, patient: Patient, rng: Generator, site: Site, shape: Shape) -> None:
    """Uptake and density: none takes up more than a reader passes over (SUV 1.8, marrow, liver)."""
    background = float(np.median(canvas.suv[shape.box][shape.near]))
    hu = draw_attenuation(canvas, rng, site, shape, patient.conditions.contrast)
    drawn = rng.random()
    if site.name == "node":
        suv = rng.uniform(0.7, 1.8)
    elif site.name == "lung":
        suv = rng.uniform(0.5, 1.3)
        if drawn < 0.25:
            hu[:] = rng.uniform(150, 450)  # calcified granuloma
    elif site.name == "liver":
        suv = background * rng.uniform(0.85, 1.0)  # haemangioma
        if drawn < 0.6:
            suv, hu[:] = rng.uniform(0.3, 0.8), WATER_HU
    elif site.name == "kidney":
        suv, hu[:] = rng.uniform(0.3, 0.8), WATER_HU
    elif site.name == "bone":
        suv = background * rng.uniform(0.6, 1.1)
    elif site.name == "adrenal":
        suv, hu[:] = rng.uniform(1.0, 1.8), rng.uniform(-12, 25)  # adenoma, rich in fat
    elif site.name == "thyroid":
        suv, hu[:] = rng.uniform(0.6, 1.4), rng.uniform(10, 60)  # colloid nodule
    else:
        suv = rng.uniform(0.5, 1.4)
        if drawn < 0.4:
            suv, hu[:] = patient.suv(Organ.FAT), patient.hu(Organ.FAT)  # lipoma
    mottle = 1 + 0.08 * canvas.rough[2][shape.box]
    box, inside = shape.box, shape.inside
    canvas.suv[box] = blended(canvas.suv[box], suv * mottle, shape.share)
    canvas.hu[box] = blended(canvas.hu[box], hu, shape.share)
    canvas.organ[box][inside] = Organ.BENIGN

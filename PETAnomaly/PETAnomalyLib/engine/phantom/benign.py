"""Benign findings: masses that CT shows in nearly every adult and that take up little FDG.

Cysts, haemangiomas, granulomas, lipomas, bone islands, nodes of no account. Without them a mass
on CT would give a lesion away, and a model that looks at CT would learn nothing of masses from
patients without lesions: it then takes the CT of a lesion for an explanation of its uptake.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas import Canvas
from PETAnomalyLib.engine.phantom.mass import Shape, Site, draw_attenuation, draw_mass
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

SITES = (
    Site("node", 0.26, (7, 11, 25),
         (Tissue.FAT, Tissue.VISCERAL_FAT, Tissue.SOFT, Tissue.MUSCLE, Tissue.BLOOD), 0.8),
    Site("lung", 0.2, (7, 14, 45), (Tissue.LUNG, Tissue.BLOOD), 0.75),
    Site("liver", 0.15, (9, 20, 55), (Tissue.LIVER,), 0.85),
    Site("kidney", 0.12, (9, 22, 55), (Tissue.KIDNEY, Tissue.VISCERAL_FAT), 0.85),
    Site("bone", 0.15, (7, 15, 36), (Tissue.MARROW, Tissue.CORTEX, Tissue.SOFT), 0.55),
    Site("soft tissue", 0.12, (9, 22, 55), (Tissue.MUSCLE, Tissue.FAT, Tissue.BREAST), 0.85),
)  # fmt: skip
WATER_HU = 8.0
FAT_HU = -100.0


def paint_benign_findings(canvas: Canvas, patient: Patient) -> list[dict[str, Any]]:
    """Paint this patient's benign findings onto the canvas: older patients have more.

    Returns:
        What each is: site and diameter in mm.
    """
    rng = patient.stream("benign findings")
    weights = np.array([site.weight for site in SITES])
    found = []
    for _ in range(int(rng.poisson(1.5 + patient.build.age / 18))):
        site = SITES[int(rng.choice(len(SITES), p=weights))]
        for _attempt in range(14):
            mass = draw_mass(canvas, rng, site)
            if mass is not None:
                _paint(canvas, patient, rng, site, mass.shape)
                found.append({"site": mass.name, "diameter_mm": round(mass.diameter_mm, 2)})
                break
    return found


def _paint(canvas: Canvas, patient: Patient, rng: Generator, site: Site, shape: Shape) -> None:
    """Uptake and density: none takes up more than a reader passes over (SUV 1.8, marrow, liver)."""
    background = float(np.median(canvas.suv[shape.box][shape.near]))
    hu = draw_attenuation(canvas, rng, site, shape)
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
    else:
        suv = rng.uniform(0.5, 1.4)
        if drawn < 0.4:
            suv, hu[:] = patient.uptake.fat, FAT_HU  # lipoma
    mottle = 1 + 0.08 * canvas.rough[2][shape.box]
    canvas.fill(shape.box, shape.inside, Tissue.BENIGN, (suv * mottle).astype(np.float32), hu)

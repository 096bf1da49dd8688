"""Malignant lesions: nodes, lung, liver, bone and soft tissue, with what PET and CT show of them.

The truth of a lesion is where its own blurred contribution to the image exceeds 41 % of the
contribution's maximum, as a reader's isocontour would have it; for lesions larger than the
point-spread this is their sharp shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from PETAnomalyLib.engine.phantom.canvas import SPACING_MM, Array, Canvas, Mask
from PETAnomalyLib.engine.phantom.mass import Shape, Site, draw_attenuation, draw_mass
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

MAXIMUM = 15
TRUTH_FRACTION = 0.41
DIAMETER_MM = (8.0, 50.0)
SUV_RANGE = (2.5, 20.0)


SITES = (
    Site("node", 0.42, (8, 15, 38),
         (Tissue.FAT, Tissue.VISCERAL_FAT, Tissue.SOFT, Tissue.MUSCLE, Tissue.BLOOD), 0.8),
    Site("lung", 0.17, (8, 18, 50), (Tissue.LUNG, Tissue.BLOOD), 0.75),
    Site("liver", 0.12, (10, 20, 45), (Tissue.LIVER,), 0.85),
    Site("bone", 0.18, (8, 18, 40), (Tissue.MARROW, Tissue.CORTEX, Tissue.SOFT), 0.55),
    Site("soft tissue", 0.11, (9, 22, 50), (Tissue.MUSCLE, Tissue.FAT, Tissue.BREAST), 0.85),
)  # fmt: skip


def paint_lesions(
    canvas: Canvas, patient: Patient, psf_voxels: tuple[float, float, float]
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Paint this patient's lesions onto the canvas.

    Args:
        canvas: the healthy patient.
        patient: whose random numbers decide.
        psf_voxels: standard deviation of the point-spread along k, j, i.

    Returns:
        Labels 1..n on the canvas (uint16, (k, j, i)) and what each lesion is.
    """
    rng = patient.stream("lesions")
    labels = np.zeros(canvas.shape, np.uint16)
    found: list[dict[str, Any]] = []
    if rng.random() < 0.15:
        return labels, found
    number = int(np.clip(np.ceil(rng.exponential(4.2)), 1, MAXIMUM))
    weights = np.array([site.weight for site in SITES]) * rng.gamma(1.2, size=len(SITES))
    weights /= weights.sum()
    avidity = float(np.exp(rng.normal(np.log(6.8), 0.35)))  # one tumour: similar uptake everywhere
    for _ in range(number):
        site = SITES[int(rng.choice(len(SITES), p=weights))]
        for _attempt in range(14):
            lesion = _try_lesion(canvas, rng, site, avidity, labels, psf_voxels, len(found) + 1)
            if lesion is not None:
                found.append(lesion)
                break
    return labels, found


def _try_lesion(
    canvas: Canvas,
    rng: Generator,
    site: Site,
    avidity: float,
    labels: np.ndarray,
    psf_voxels: tuple[float, float, float],
    label: int,
) -> dict[str, Any] | None:
    mass = draw_mass(canvas, rng, site)
    if mass is None:
        return None
    shape = mass.shape
    background = float(np.median(canvas.suv[shape.box][shape.near]))
    suv = float(np.clip(avidity * np.exp(rng.normal(0, 0.3)), *SUV_RANGE))
    # Most lesions stand well clear of their surroundings, some barely.
    suv = max(suv, (1.9 if rng.random() < 0.15 else 3.0) * background)
    grid = _blurred(shape.inside, psf_voxels)
    # A lesion too small and faint to be told from noise is nobody's truth: make it visible.
    visible = 1.4 + 0.7 * background
    suv = max(suv, background + visible / max(float(grid.max()), 1e-3))
    hottest = float(np.percentile(canvas.suv[shape.box][shape.near], 98))
    if suv > SUV_RANGE[1] or hottest > 0.65 * background + 0.45 * float(grid.max()) * suv:
        return None
    truth = (grid > TRUTH_FRACTION * grid.max()) & (labels[shape.box] == 0)
    truth &= canvas.tissue[shape.box] != Tissue.AIR
    if truth.sum() < 4:
        return None
    _paint(canvas, rng, site, shape, suv, mass.diameter_mm)
    labels[shape.box][truth] = label
    return {
        "label": label,
        "site": mass.name,
        "suv": round(suv, 3),
        "diameter_mm": round(mass.diameter_mm, 2),
    }


def _blurred(inside: Mask, psf_voxels: tuple[float, float, float]) -> Array:
    return ndimage.gaussian_filter(inside.astype(np.float32), psf_voxels, mode="constant")


def _paint(
    canvas: Canvas, rng: Generator, site: Site, shape: Shape, suv: float, diameter: float
) -> None:
    """Uptake and density: what PET and CT show of a lesion of this kind."""
    box, inside = shape.box, shape.inside
    mottle = 1 + 0.08 * canvas.rough[2][box]
    uptake = np.clip(suv * mottle, 0, 1.15 * suv).astype(np.float32)
    hu = draw_attenuation(canvas, rng, site, shape)
    necrotic = (shape.level < rng.uniform(0.15, 0.5)) & (diameter > 28) & (rng.random() < 0.45)
    uptake = np.where(necrotic, np.float32(0.25 * suv), uptake)
    if site.name != "bone":
        hu = np.where(necrotic, hu - np.float32(22), hu)
    canvas.fill(box, inside, Tissue.LESION, uptake, hu)


def describe(
    labels: np.ndarray, lesions: list[dict[str, Any]], origin_lps: tuple[float, float, float]
) -> None:
    """Add the centre (LPS mm) and volume (ml) of the truth to each lesion's description."""
    voxel_ml = float(np.prod(SPACING_MM)) / 1000
    for lesion, box in zip(lesions, ndimage.find_objects(labels, len(lesions))):
        where = np.argwhere(labels[box] == lesion["label"])
        middle = where.mean(0) + [s.start for s in box]
        lesion["volume_ml"] = round(len(where) * voxel_ml, 4)
        lesion["centre_lps_mm"] = [
            round(float(origin_lps[axis] + middle[2 - axis] * SPACING_MM[axis]), 2)
            for axis in range(3)
        ]

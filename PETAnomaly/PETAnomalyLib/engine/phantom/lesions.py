"""Malignant lesions: nodes, lung, liver, bone and soft tissue, with what PET and CT show of them.

The truth of a lesion is where its own blurred contribution to the image exceeds 41 % of the
contribution's maximum, as a reader's isocontour would have it; for lesions larger than the
point-spread this is their sharp shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from PETAnomalyLib.engine.phantom.body import spine_y
from PETAnomalyLib.engine.phantom.canvas import (
    EMPTY,
    SPACING_MM,
    Array,
    Box,
    Canvas,
    Mask,
    Vector,
    rotation_matrix,
)
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

MAXIMUM = 15
TRUTH_FRACTION = 0.41
DIAMETER_MM = (8.0, 50.0)
SUV_RANGE = (2.5, 20.0)


@dataclass(frozen=True)
class Site:
    """Where lesions of one kind sit: how often, how large, within which tissues."""

    name: str
    weight: float
    diameter_mm: tuple[float, float, float]  # smallest, median, largest
    tissues: tuple[int, ...]
    share: float  # of the shape that must lie within `tissues`


SITES = (
    Site("node", 0.42, (8, 15, 38),
         (Tissue.FAT, Tissue.VISCERAL_FAT, Tissue.SOFT, Tissue.MUSCLE, Tissue.BLOOD), 0.8),
    Site("lung", 0.17, (8, 18, 50), (Tissue.LUNG, Tissue.BLOOD), 0.75),
    Site("liver", 0.12, (10, 20, 45), (Tissue.LIVER,), 0.85),
    Site("bone", 0.18, (8, 18, 40), (Tissue.MARROW, Tissue.CORTEX, Tissue.SOFT), 0.55),
    Site("soft tissue", 0.11, (9, 22, 50), (Tissue.MUSCLE, Tissue.FAT, Tissue.BREAST), 0.85),
)  # fmt: skip

# Node stations: name, body coordinates on the left and their spread, mm.
STATIONS = (
    ("neck", (42, 2, 622), (8, 8, 16)),
    ("lower neck", (44, 0, 585), (8, 8, 10)),
    ("supraclavicular", (50, -8, 560), (10, 8, 6)),
    ("axilla", (126, 2, 490), (8, 12, 18)),
    ("upper mediastinum", (14, -18, 508), (10, 12, 10)),
    ("lower mediastinum", (12, 14, 462), (12, 8, 16)),
    ("hilum", (38, 14, 455), (6, 8, 10)),
    ("internal mammary", (22, -76, 450), (4, 4, 25)),
    ("liver hilum", (-18, -26, 282), (10, 8, 10)),
    ("retroperitoneum", (24, 0, 215), (8, 8, 40)),
    ("mesentery", (22, -40, 180), (25, 14, 35)),
    ("common iliac", (40, 14, 110), (6, 6, 14)),
    ("external iliac", (68, -24, 55), (6, 8, 14)),
    ("internal iliac", (52, 22, 55), (5, 10, 14)),
    ("inguinal", (74, -72, 4), (8, 6, 16)),
)
NOT_REPLACED = (
    Tissue.AIR,
    Tissue.AIRWAY,
    Tissue.URINE,
    Tissue.KIDNEY,
    Tissue.MYOCARDIUM,
    Tissue.BRAIN,
)


@dataclass(frozen=True)
class _Shape:
    """A lesion's shape in a box: which voxels, its surroundings, relative squared depth."""

    box: Box
    inside: Mask
    near: Mask
    level: Array


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
    low, median, high = site.diameter_mm
    diameter = float(np.clip(np.exp(rng.normal(np.log(median), 0.42)), low, high))
    place, centre = _place(canvas, rng, site)
    if centre is None:
        return None
    shape = _shape(canvas, rng, centre, diameter)
    if shape is None or not _fits(canvas, site, shape):
        return None
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
    _paint(canvas, rng, site, shape, suv, diameter)
    labels[shape.box][truth] = label
    return {
        "label": label,
        "site": site.name if not place else f"{site.name}: {place}",
        "suv": round(suv, 3),
        "diameter_mm": round(diameter, 2),
    }


def _place(canvas: Canvas, rng: Generator, site: Site) -> tuple[str, Vector | None]:
    """A name and the body coordinates of a voxel to put a lesion at."""
    if site.name == "node":
        name, centre, spread = STATIONS[int(rng.integers(len(STATIONS)))]
        place = np.array(centre) + rng.normal(0, 0.6, 3) * spread
        place[0] *= rng.choice([-1, 1])
        if name == "retroperitoneum":
            place[1] = spine_y(place[2]) - 30 + rng.normal(0, 6)
        return name, place
    wanted = site.tissues[:1] if site.name != "soft tissue" else site.tissues
    if site.name == "bone":
        wanted = (Tissue.MARROW,)
    inside = np.isin(canvas.tissue[::2, ::2, ::2], wanted)
    places = np.flatnonzero(inside)
    if not len(places):
        return "", None
    k, j, i = np.unravel_index(int(places[rng.integers(len(places))]), inside.shape)
    at = (2 * k, 2 * j, 2 * i)
    return "", np.array([canvas.x[at], canvas.y[at], canvas.z[at]], float)


def _shape(canvas: Canvas, rng: Generator, centre: Vector, diameter: float) -> _Shape | None:
    """One to three overlapping ellipsoids, roughened: irregular and lobulated."""
    scale = canvas.pose.scale
    stretch = np.exp(rng.normal(0, 0.16, 3))
    stretch /= stretch.prod() ** (1 / 3)
    box = canvas.box(centre, diameter * 1.2 + 14)
    if box == EMPTY:
        return None
    offset = np.stack([canvas.x[box], canvas.y[box], canvas.z[box]]) - centre[:, None, None, None]
    offset *= scale[:, None, None, None]
    level = np.full(offset.shape[1:], np.inf, np.float32)
    radius = diameter / 2
    lobes = 1 if diameter < 14 else int(rng.integers(1, 4))
    for lobe in range(lobes):
        shift = np.zeros(3) if lobe == 0 else rng.normal(0, 0.36 * radius, 3)
        size = radius * (
            0.92 if lobe == 0 and lobes > 1 else 1.0 if lobe == 0 else rng.uniform(0.5, 0.75)
        )
        axes = rotation_matrix(rng.uniform(0, 180, 3)) / (size * stretch)[:, None]
        dx, dy, dz = (offset[axis] - shift[axis] for axis in range(3))
        lobe_level = sum((row[0] * dx + row[1] * dy + row[2] * dz) ** 2 for row in axes)
        level = np.minimum(level, lobe_level)
    level = (level * (1 + np.clip(0.22 * canvas.rough[2][box], -0.45, 0.45))).astype(np.float32)
    inside = (level < 1) & ~np.isin(canvas.tissue[box], NOT_REPLACED)
    if inside.sum() < 3:
        return None
    near = (level < (1 + 9 / radius) ** 2) & (level > (1 + 2 / radius) ** 2)
    return _Shape(box, inside, near, level) if near.any() else None


def _fits(canvas: Canvas, site: Site, shape: _Shape) -> bool:
    """Whether the shape lies in the right tissue, in the field of view, clear of other lesions."""
    edges = [s.start == 0 or s.stop == n for s, n in zip(shape.box, canvas.shape)]
    if edges[0]:
        return False
    tissue = canvas.tissue[shape.box]
    if np.isin(tissue[shape.level < 1], site.tissues).mean() < site.share:
        return False
    around = shape.inside | shape.near
    return not (tissue[around] == Tissue.LESION).any()


def _blurred(inside: Mask, psf_voxels: tuple[float, float, float]) -> Array:
    return ndimage.gaussian_filter(inside.astype(np.float32), psf_voxels, mode="constant")


def _paint(
    canvas: Canvas, rng: Generator, site: Site, shape: _Shape, suv: float, diameter: float
) -> None:
    """Uptake and density: what PET and CT show of a lesion of this kind."""
    box, inside = shape.box, shape.inside
    mottle = 1 + 0.08 * canvas.rough[2][box]
    uptake = np.clip(suv * mottle, 0, 1.15 * suv).astype(np.float32)
    contrast = rng.uniform(0, 25)
    hu: Array = np.full(inside.shape, 42.0 + contrast, np.float32)
    if site.name == "liver":
        hu = canvas.hu[box] - np.float32(rng.uniform(18, 40))
    elif site.name == "bone":
        drawn = rng.random()
        if drawn < 0.45:
            hu[:] = rng.uniform(40, 110)  # lytic
        elif drawn < 0.85:
            hu[:] = rng.uniform(550, 950)  # sclerotic
        else:
            hu = canvas.hu[box].copy()  # marrow infiltration, nothing on CT
    elif site.name == "lung":
        hu[:] = rng.uniform(15, 45)
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

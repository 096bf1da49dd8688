"""Malignant lesions, primary and metastatic, with what PET and CT show of them.

The truth of a lesion is where its own blurred contribution to the image exceeds 41 % of the
contribution's maximum, as a reader's isocontour would have it; for lesions larger than the
point-spread this is their sharp shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.diseases import draw_disease
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.mass import Mass, Site, blended, draw_attenuation, draw_mass
from PETAnomalyLib.engine.phantom.nodes import Reached, reached_stations
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.image_grid import ImageGrid
from PETAnomalyLib.engine.phantom.scanner.sampling import SUV_STEPS, blurring, sampled
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner

MAXIMUM = 15
WITHOUT = 0.15  # share of patients who have no lesion
UNTREATED = 0.7  # share of patients in whom the primary tumour is still there
TRIES = 14
TRUTH_FRACTION = 0.41
FEWEST_VOXELS = 4
SUV_RANGE = (2.5, 25.0)


@dataclass
class Lesions:
    """A patient's lesions.

    Attributes:
        labels: 1..n on the image grid's `box`, 0 elsewhere, uint16 (k, j, i).
        found: what each is.
    """

    labels: NDArray[np.uint16]
    found: list[dict[str, Any]] = field(default_factory=list)


def paint_lesions(
    canvas: Canvas, patient: Patient, envelope: Envelope, scanner: Scanner, grid: ImageGrid
) -> Lesions:
    """Paint this patient's lesions onto the canvas.

    Args:
        canvas: the healthy patient.
        patient: whose random numbers decide.
        envelope: the body's layers on the canvas.
        scanner: whose resolution decides what is seen of each.
        grid: of the images.
    """
    rng = patient.stream("lesions")
    lesions = Lesions(np.zeros([s.stop - s.start for s in grid.box], np.uint16))
    if rng.random() < WITHOUT:
        return lesions
    disease = draw_disease(rng, patient.build)
    number = int(np.clip(np.ceil(rng.exponential(disease.mean_number)), 1, MAXIMUM))
    spread = list(disease.spread)
    weights = np.array([disease.spread[site] for site in spread])
    weights = weights * rng.gamma(1.2, size=len(spread))
    weights /= weights.sum()
    # One tumour: similar uptake everywhere.
    avidity = float(disease.suv * patient.uptake.tumours * np.exp(rng.normal(0, 0.35)))
    reached = reached_stations(rng, disease.regions)
    see = _Seen(canvas, patient, envelope, scanner, grid, lesions)
    if disease.primary is not None and rng.random() < UNTREATED:
        _add(see, rng, disease.primary, avidity, reached)
    while len(lesions.found) < number:
        site = spread[int(rng.choice(len(spread), p=weights))]
        if not _add(see, rng, site, avidity, reached):
            number -= 1
    return lesions


@dataclass(frozen=True)
class _Seen:
    """What lesions are painted on and seen with."""

    canvas: Canvas
    patient: Patient
    envelope: Envelope
    scanner: Scanner
    grid: ImageGrid
    lesions: Lesions


def _add(
    see: _Seen, rng: Generator, site: Site, avidity: float, reached: tuple[Reached, ...]
) -> bool:
    """Paint one lesion; False where there is no room for it."""
    for _ in range(TRIES):
        mass = draw_mass(see.canvas, see.envelope, rng, site, reached)
        if mass is not None and _try(see, rng, site, avidity, mass):
            return True
    return False


def _try(see: _Seen, rng: Generator, site: Site, avidity: float, mass: Mass) -> bool:
    canvas, shape, labels = see.canvas, mass.shape, see.lesions.labels
    around = canvas.suv[shape.box][shape.near]
    background, hottest = float(np.median(around)), float(np.percentile(around, 98))
    suv = float(np.clip(avidity * np.exp(rng.normal(0, 0.3)), *SUV_RANGE))
    # Most lesions stand well clear of their surroundings, some barely.
    suv = max(suv, (1.9 if rng.random() < 0.15 else 3.0) * background)
    box, contribution, body = _seen_of(see, mass)
    peak = float(contribution.max(initial=0))
    # A lesion too small and faint to be told from noise is nobody's truth: make it visible.
    suv = max(suv, background + (1.4 + 0.7 * background) / max(peak, 1e-3))
    if suv > SUV_RANGE[1] or hottest > 0.65 * background + 0.45 * peak * suv:
        return False
    truth = (contribution > TRUTH_FRACTION * peak) & body & (labels[box] == 0)
    if truth.sum() < FEWEST_VOXELS or ndimage.label(truth, np.ones((3, 3, 3)))[1] != 1:
        return False
    _paint(see, rng, site, mass, suv)
    label = len(see.lesions.found) + 1
    labels[box][truth] = label
    see.lesions.found.append(
        {
            "label": label,
            "site": mass.name,
            "suv": round(suv, 3),
            "diameter_mm": round(mass.diameter_mm, 2),
        }
    )
    return True


def _seen_of(see: _Seen, mass: Mass) -> tuple[Box, Array, Mask]:
    """What the image shows of a mass of SUV 1: its box in `grid.box`, the blurred share of each
    voxel there, and which of them are body."""
    canvas, shape = see.canvas, mass.shape
    box, weights, nearest = [], [], []
    for axis, extent in enumerate(shape.box):
        voxels, cells = see.grid.axis(axis), canvas.axes[axis]
        low, high = cells[extent.start], cells[extent.stop - 1]
        first, last = np.searchsorted(voxels, [low, high])
        box.append(slice(int(first), int(last)))
        weights.append(
            blurring(voxels[box[-1]], cells[extent], see.scanner.fwhm_mm, see.scanner.overshoot)
        )
        nearest.append(np.rint((voxels[box[-1]] - cells[0]) / STEP_MM).astype(np.intp))
    body: Mask = canvas.organ[np.ix_(*nearest)] != Organ.AIR
    return (box[0], box[1], box[2]), sampled(shape.share, weights, SUV_STEPS), body


def _paint(see: _Seen, rng: Generator, site: Site, mass: Mass, suv: float) -> None:
    """Uptake and density: what PET and CT show of a lesion of this kind."""
    canvas, shape = see.canvas, mass.shape
    box = shape.box
    mottle = 1 + 0.08 * canvas.rough[2][box]
    uptake = np.clip(suv * mottle, 0, 1.15 * suv).astype(np.float32)
    hu = draw_attenuation(canvas, rng, site, shape, see.patient.conditions.contrast)
    large = mass.diameter_mm > 28 and not site.flat
    necrotic = (shape.level < rng.uniform(0.15, 0.5)) & large & bool(rng.random() < 0.45)
    uptake = np.where(necrotic, np.float32(rng.uniform(0.12, 0.35) * suv), uptake)
    cavity = site.name == "lung" and rng.random() < 0.3
    if site.name != "bone":
        hu = np.where(necrotic, np.float32(-850) if cavity else hu - np.float32(22), hu)
    canvas.suv[box] = blended(canvas.suv[box], uptake, shape.share)
    canvas.hu[box] = blended(canvas.hu[box], hu, shape.share)
    canvas.organ[box][shape.inside] = Organ.LESION


def describe(labels: NDArray[np.uint16], found: list[dict[str, Any]], grid: ImageGrid) -> None:
    """Add the centre (LPS mm) and volume (ml) of the truth to each lesion's description.

    Args:
        labels: on the whole of `grid`.
        found: from `paint_lesions`.
        grid: of the images.
    """
    spacing, origin = grid.spacing_mm, grid.origin_lps_mm
    voxel_ml = float(np.prod(spacing)) / 1000
    if not found:
        return
    seen = labels[grid.box]
    first = np.array([extent.start for extent in grid.box])
    for lesion, box in zip(found, ndimage.find_objects(seen, len(found))):
        where = np.argwhere(seen[box] == lesion["label"])
        middle = where.mean(0) + ([s.start for s in box] + first)
        lesion["volume_ml"] = round(len(where) * voxel_ml, 4)
        lesion["centre_lps_mm"] = [
            round(float(origin[axis] + middle[2 - axis] * spacing[axis]), 2) for axis in range(3)
        ]

"""One kidney: parenchyma round a sinus of fat, with calyces and pelvis that hold urine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.abdomen.urine import Urine
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, rotation_matrix
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

RADII_MM = np.array([23.0, 28.0, 53.0])
RADII_ML = 4 / 3 * np.pi * RADII_MM.prod() / 1000
CYST_SHARE = {40: 0.08, 60: 0.2, 100: 0.35}  # of kidneys, by age up to
CYST_SUV = 0.35
EMPTY_SHARE = 0.25  # of kidneys whose urine has just left
WIDE_SHARE = 0.08


@dataclass(frozen=True)
class Place:
    """Where one kidney lies.

    Attributes:
        side: of the body its hilum faces away from, +1 left.
        centre: body mm.
        tilt: degrees about x, y, z.
        volume_ml: of its parenchyma.
    """

    side: int
    centre: Vector
    tilt: tuple[float, float, float]
    volume_ml: float

    @property
    def size(self) -> float:
        """Its radii over those of the reference kidney."""
        return float((self.volume_ml / RADII_ML) ** (1 / 3)) * 1.04

    @property
    def medial(self) -> Vector:
        """Unit vector to its hilum."""
        return rotation_matrix(self.tilt).T @ np.array([-self.side * 1.0, 0, 0])

    @property
    def axis(self) -> Vector:
        """Unit vector to its upper pole."""
        return rotation_matrix(self.tilt).T @ np.array([0, 0, 1.0])


def paint_kidney(
    canvas: Canvas,
    patient: Patient,
    rng: Generator,
    place: Place,
    urine: Urine,
    wide: bool | None = None,
) -> Vector:
    """Paint one kidney by volume; returns the body point where its ureter leaves.

    `wide`: whether the pelvis is wide; None: drawn.
    """
    size, medial = place.size, place.medial
    hilum = place.centre + medial * 9 * size
    exit_point = hilum + medial * 20 * size - place.axis * 8
    _cysts(canvas, patient, rng, place)
    shape = ellipsoid(canvas, place.centre, RADII_MM * size, place.tilt, 0.07, reach=1.5)
    wide = bool(rng.random() < WIDE_SHARE) if wide is None else wide
    pelvis, calyces = _collecting_system(canvas, rng, place, hilum, wide)
    if shape.empty:
        return exit_point
    if wide:
        patient.variants.append("wide renal pelvis")
    sinus = ellipsoid(canvas, hilum, np.array([11, 11, 25]) * size, place.tilt, 0.12)
    closed = np.ones(shape.level.shape, bool)
    for one in (sinus, pelvis, *calyces):
        _cut(shape, one, closed)
    # Papillae, next to the calyces, are hotter than the cortex; in the portal venous phase the
    # cortex is a little denser.
    pattern = (1.12 - 0.16 * np.clip(shape.level, 0, 1)).astype(np.float32)
    hu = np.full(shape.level.shape, patient.hu(Organ.KIDNEY), np.float32)
    if patient.conditions.contrast:
        hu += 24 * (np.clip(shape.level, 0, 1.2) - 0.75)
    paint_parenchyma(
        canvas, shape, Organ.KIDNEY, patient.suv(Organ.KIDNEY), hu, place.volume_ml, only=closed,
        mottle=0.22, pattern=pattern,
    )  # fmt: skip
    if rng.random() > EMPTY_SHARE or wide:
        paint(canvas, pelvis, Organ.URINE, urine.fresh, urine.hu, OPEN_BELLY)
        for calyx in calyces:
            paint(canvas, calyx, Organ.URINE, urine.fresh * rng.uniform(0.4, 1.0), urine.hu,
                  OPEN_BELLY)  # fmt: skip
    return exit_point


def _collecting_system(
    canvas: Canvas, rng: Generator, place: Place, hilum: Vector, wide: bool
) -> tuple[Shape, list[Shape]]:
    """Renal pelvis, and two to five calyces from it into the kidney."""
    size, medial, axis = place.size, place.medial, place.axis
    radius = rng.uniform(10, 16) if wide else rng.uniform(4.5, 7.5)
    pelvis = ellipsoid(
        canvas, hilum + medial * 7 * size, (radius, radius, 1.4 * radius), place.tilt
    )
    calyces = []
    for offset in rng.uniform(-31, 31, int(rng.integers(2, 6))):
        tip = hilum + axis * offset * size - medial * rng.uniform(1, 8)
        end = rng.uniform(6, 9) if wide else rng.uniform(3.5, 5.5)
        calyces.append(tube(canvas, [(*hilum, 3.2), (*tip, end)], reach=1.0))
    return pelvis, calyces


def _cut(whole: Shape, part: Shape, closed: np.ndarray) -> None:
    """Take what lies inside `part` out of `closed`, a mask over the box of `whole`."""
    low = [max(p.start, w.start) for p, w in zip(part.box, whole.box)]
    high = [min(p.stop, w.stop) for p, w in zip(part.box, whole.box)]
    if any(a >= b for a, b in zip(low, high)):
        return
    there = tuple(slice(a - w.start, b - w.start) for a, b, w in zip(low, high, whole.box))
    here = tuple(slice(a - p.start, b - p.start) for a, b, p in zip(low, high, part.box))
    closed[there] &= part.level[here] >= 1


def _cysts(canvas: Canvas, patient: Patient, rng: Generator, place: Place) -> None:
    """Cysts bulge out of the cortex; painted before it, they push it aside."""
    share = next(value for age, value in CYST_SHARE.items() if patient.build.age < age)
    count = min(1 + int(rng.poisson(patient.build.age / 100)), 4) if rng.random() < share else 0
    seen = False
    for _ in range(count):
        outwards = rng.normal(size=3) * [1, 1, 0.4] - place.medial
        outwards /= np.linalg.norm(outwards)
        centre = place.centre + outwards * 24 * place.size + place.axis * rng.uniform(-38, 38)
        ball = ellipsoid(canvas, centre, np.full(3, rng.uniform(6, 22)), roughness=0.03)
        hu = float(rng.uniform(0, 14))
        seen |= bool(paint(canvas, ball, Organ.SOFT, CYST_SUV, hu, OPEN_BELLY).any())
    if seen and "renal cyst" not in patient.variants:
        patient.variants.append("renal cyst")

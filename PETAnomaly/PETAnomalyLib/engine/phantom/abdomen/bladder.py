"""Bladder and urethra, catheter, diverticulum, and the drop on the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.abdomen.urine import Urine
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

FLOOR_MM = 2.0  # body z of the bladder's neck
VOIDED_ML, FULL_ML, CATHETER_ML = (40.0, 220.0), (120.0, 500.0), (8.0, 30.0)
CATHETER_SHARE = 0.05
DIVERTICULUM_SHARE = 0.06
URETHRA_SHARE = 0.12  # with urine in it
DROP_SHARE = 0.05  # urine on the skin
LAYERING = 0.12  # relative uptake from front to back, one standard deviation
EXCRETED_HU = 300.0  # of contrast medium at the bladder's back


@dataclass(frozen=True)
class Bladder:
    """Where a bladder lies: body mm, degrees, and the urine in it, patient ml."""

    centre: Vector
    radii: Vector
    tilt: tuple[float, float, float]
    urine_ml: float
    catheter: bool

    def inlet(self, side: int) -> Vector:
        """Body point where the ureter of a side ends."""
        return self.centre + self.radii * [side * 0.7, 0.6, -0.35]


def draw_bladder(patient: Patient, urine: Urine) -> Bladder:
    """The bladder of a patient; a full one rises out of the pelvis."""
    rng = patient.stream("bladder")
    catheter = bool(rng.random() < CATHETER_SHARE)
    low, high = CATHETER_ML if catheter else VOIDED_ML if urine.voided else FULL_ML
    volume = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    aspect = np.array([rng.uniform(1.0, 1.35), rng.uniform(0.8, 1.0), rng.uniform(0.62, 1.0)])
    # Of the patient's ml to the reference body's.
    reference = volume * 1000 / float(patient.pose.scale.prod())
    radii = aspect * (reference / (4 / 3 * np.pi) / aspect.prod()) ** (1 / 3)
    prostate = 0.0 if patient.build.female else 8.0
    centre = np.array([rng.normal(0, 6), -16 + rng.normal(0, 4), FLOOR_MM + prostate + radii[2]])
    tilt = (float(rng.normal(0, 10)), float(rng.normal(0, 7)), float(rng.normal(0, 8)))
    return Bladder(centre, radii, tilt, volume, catheter)


def paint_bladder(canvas: Canvas, patient: Patient, urine: Urine, bladder: Bladder) -> None:
    """Paint urine, then the wall round it, both by volume."""
    rng = patient.stream("bladder urine")
    shape = ellipsoid(canvas, bladder.centre, bladder.radii, bladder.tilt, 0.08, 0.15, 1.5)
    if not shape.empty:
        _urine(canvas, rng, shape, urine, bladder)
        _wall(canvas, patient, bladder)
    if rng.random() < DIVERTICULUM_SHARE:
        side = int(rng.choice([-1, 1]))
        place = bladder.centre + (bladder.radii + 12) * [side * 1.0, 0.35, 0.1]
        ball = ellipsoid(canvas, place, np.full(3, rng.uniform(8, 18)))
        hot = urine.bladder * rng.uniform(0.3, 1.0)
        if paint(canvas, ball, Organ.URINE, hot, urine.bladder_hu, OPEN_BELLY).any():
            patient.variants.append("bladder diverticulum")
    if bladder.catheter:
        _catheter(canvas, patient, bladder)


def _wall(canvas: Canvas, patient: Patient, bladder: Bladder) -> None:
    """The wall: what lies next to the urine; of an empty bladder it is thick."""
    wall_ml = patient.volume_ml(Organ.BLADDER_WALL)
    wider = ((bladder.urine_ml + wall_ml) / bladder.urine_ml) ** (1 / 3)
    around = ellipsoid(
        canvas, bladder.centre, bladder.radii, bladder.tilt, 0.08, 0.15, 1.4 * wider
    )  # fmt: skip
    # Where the scan ends in it, level 1 is the outside of the wall.
    around.level /= np.float32(((bladder.urine_ml + wall_ml) / around.nominal_ml) ** around.power)
    around.nominal_ml = wall_ml
    paint_parenchyma(
        canvas, around, Organ.BLADDER_WALL, patient.suv(Organ.BLADDER_WALL),
        patient.hu(Organ.BLADDER_WALL), wall_ml, mottle=0.08,
    )  # fmt: skip


def _urine(canvas: Canvas, rng: Generator, shape: Shape, urine: Urine, bladder: Bladder) -> None:
    """Urine layers when the patient rests on the back: the heavier lies behind."""
    deep = (canvas.y[shape.box] - bladder.centre[1]) / bladder.radii[1]
    hot = np.clip(urine.bladder * (1 + rng.normal(0, LAYERING) * deep), 1.0, None)
    hu = np.full(shape.level.shape, urine.bladder_hu, np.float32)
    if urine.excreted:
        hu[deep > rng.uniform(-0.2, 0.5)] = EXCRETED_HU
    paint(canvas, shape, Organ.URINE, hot.astype(np.float32), hu, OPEN_BELLY, bladder.urine_ml)


def _catheter(canvas: Canvas, patient: Patient, bladder: Bladder) -> None:
    """A balloon in the bladder and a tube out of it, over everything in their way."""
    seen = False
    neck = bladder.centre - [0, 0, 0.5 * bladder.radii[2]]
    for shape in (
        ellipsoid(canvas, neck, (9, 9, 9), roughness=0.0),
        tube(canvas, smooth_line(_urethra(patient, bladder), 10.0), reach=1.0),
    ):
        if not shape.empty:
            canvas.fill(shape.box, shape.level < 1, Organ.CATHETER, 0.4, 30.0)
            seen = True
    if seen:
        patient.variants.append("bladder catheter")


def _urethra(patient: Patient, bladder: Bladder) -> list[tuple[float, float, float, float]]:
    """Its line from the bladder's neck to the skin: x, y, z, radius."""
    neck = bladder.centre - [0, 0, bladder.radii[2]]
    first = [(float(neck[0]), float(neck[1]), float(neck[2]), 2.4)]
    if patient.build.female:
        return [*first, (0, -22, -20, 2.4), (0, -30, -42, 2.4)]
    return [*first, (0, -12, -22, 2.4), (0, -34, -40, 2.4), (0, -84, -38, 2.4), (0, -108, -62, 2.4)]


def paint_urethra(canvas: Canvas, patient: Patient, urine: Urine, bladder: Bladder) -> None:
    """Urine on its way out, after all that it goes through; now and then a drop on the skin."""
    rng = patient.stream("urethra")
    if rng.random() < URETHRA_SHARE and not bladder.catheter:
        line = smooth_line(_urethra(patient, bladder), 6.0)
        end = int(rng.integers(len(line) // 2, len(line) + 1))
        shape = tube(canvas, line[:end], reach=1.0)
        through = (Organ.PROSTATE, Organ.PENIS, Organ.MUSCLE, Organ.FAT, Organ.SOFT,
                   Organ.VISCERAL_FAT)  # fmt: skip
        if not shape.empty:
            way = canvas.where(shape.box, through) & (shape.level < 1)
            canvas.fill(shape.box, way, Organ.URINE, urine.bladder * rng.uniform(0.2, 0.7), 10.0)
            if way.any():
                patient.variants.append("urethra")
    if rng.random() < DROP_SHARE:
        front = -112 if not patient.build.female else -60
        place = (rng.normal(0, 12), front + rng.normal(0, 8), -62 + rng.normal(0, 10))
        drop = ellipsoid(canvas, place, rng.uniform(4, 9, 3))
        if paint(canvas, drop, Organ.URINE, urine.bladder * rng.uniform(0.2, 0.8), 0.0,
                 (Organ.AIR, Organ.FAT)).any():  # fmt: skip
            patient.variants.append("urine on the skin")

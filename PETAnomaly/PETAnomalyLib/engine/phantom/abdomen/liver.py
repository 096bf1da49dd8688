"""Liver, and its veins in CT."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, tube, united
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

FATTY_SHARE = 0.2  # of adults with hepatic steatosis that CT shows
FATTY_HU = (-50.0, -18.0)  # over a healthy liver
RIEDEL_SHARE = 0.1
NOMINAL_ML = 2300.0  # of the reference body's liver that fills its three lobes of size 1
OWN_SHARE = 0.66  # of the lobes' volumes: they overlap, and the diaphragm cuts them
VEIN_NATIVE_HU = -14.0  # of a vein over its liver without contrast medium; in fatty livers above
VEIN_ENHANCED_HU = 45.0


def paint_liver(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the liver under the diaphragm, by volume, with its vessels in CT."""
    rng = patient.stream("liver")
    hu = patient.hu(Organ.LIVER)
    fatty = rng.random() < FATTY_SHARE
    if fatty:
        hu += float(rng.uniform(*FATTY_HU))
    down = float(rng.normal(0, 7)) + envelope.dome_right - 388
    long_lobe = float(rng.uniform(22, 42)) if rng.random() < RIEDEL_SHARE else 0.0
    shape = _below(_shape(canvas, patient, rng, down, long_lobe), canvas, envelope)
    if shape.empty:
        return
    # Clear of the heart's bed and the ribs; the left lobe ends before the spleen.
    room = (canvas.z[shape.box] < envelope.diaphragm[shape.box] - 1) & (canvas.x[shape.box] < 88)
    room &= envelope.cavity[shape.box] < 0.985
    inside = paint_parenchyma(
        canvas, shape, Organ.LIVER, patient.suv(Organ.LIVER), hu,
        patient.volume_ml(Organ.LIVER), only=room, mottle=0.05,
    )  # fmt: skip
    if inside.any():
        patient.variants += ["fatty liver"] * fatty + ["Riedel's lobe"] * (long_lobe > 0)
        step = VEIN_ENHANCED_HU if patient.conditions.contrast else VEIN_NATIVE_HU
        _veins(canvas, rng, down, hu + (25 if fatty else 0) + step)


def _shape(
    canvas: Canvas, patient: Patient, rng: Generator, down: float, long_lobe: float
) -> Shape:
    """Right lobe, its lower tip, left lobe."""
    reference_ml = patient.volume_ml(Organ.LIVER) / float(patient.pose.scale.prod())
    size = (reference_ml / NOMINAL_ML) ** (1 / 3) * rng.normal(1.0, 0.05, 3)
    spread = 14 * patient.build.visceral
    left = float(rng.uniform(56, 90))
    parts = [
        ((-66 - spread, 6, 322 + down), size * [72, 84, 82], (0, 0, 0)),
        (
            (-90 - spread, 4, 276 + down - long_lobe),
            size * [36, 58, 58 + 0.5 * long_lobe],
            (0, 8, 0),
        ),
        ((0, -46 - 0.6 * spread, 340 + 0.4 * down), size * [left, 42, 40], (0, -14, 0)),
    ]
    shapes = [
        ellipsoid(canvas, centre, radii, tilt, 0.06, 0.25, 1.4) for centre, radii, tilt in parts
    ]
    return united(shapes)


def _below(shape: Shape, canvas: Canvas, envelope: Envelope) -> Shape:
    """The slices of a shape that have something below the diaphragm."""
    slices = np.flatnonzero((canvas.z[shape.box] < envelope.diaphragm[shape.box]).any((1, 2)))
    if not slices.size:
        return Shape(EMPTY, shape.level[:0], shape.nominal_ml, shape.power)
    first, last = int(slices[0]), int(slices[-1]) + 1
    start = shape.box[0].start
    box = (slice(start + first, start + last), *shape.box[1:])
    return Shape(box, shape.level[first:last], OWN_SHARE * shape.nominal_ml, shape.power)


def _veins(canvas: Canvas, rng: Generator, down: float, hu: float) -> None:
    """Three hepatic veins to the cava and the branches of the portal vein."""
    cava, hilum = np.array([-20, 22, 358 + down]), np.array([-34, -6, 300 + down])
    ends = [(-115, 14, 320), (-68, -58, 318), (14, -58, 342)]
    branches = [(-105, -24, 288), (-100, 40, 300), (-80, 30, 345), (22, -60, 328)]
    for start, radius, tips in ((cava, 5.5, ends), (hilum, 5.0, branches)):
        for tip in tips:
            far = np.array(tip) + rng.normal((0, 0, down), 7)
            middle = 0.5 * (start + far) + rng.normal(0, 5, 3)
            line = [(*start, radius), (*middle, 0.75 * radius), (*far, 2.2)]
            shape = tube(canvas, line, reach=1.0)
            if not shape.empty:
                liver = canvas.where(shape.box, (Organ.LIVER,)) & (shape.level < 1)
                canvas.fill(shape.box, liver, None, None, hu)

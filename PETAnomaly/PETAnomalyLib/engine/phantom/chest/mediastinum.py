"""Mediastinal fat, thymus, oesophagus, and hilar nodes of people who breathed dust."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint, tube, united
from PETAnomalyLib.engine.phantom.inlet import OESOPHAGUS
from PETAnomalyLib.engine.phantom.organs import OPEN_CHEST, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

INTO_GULLET = (*OPEN_CHEST, Organ.MUSCLE, Organ.FAT)
REFLUX, REFLUX_SUV = 0.12, (2.6, 5.0)  # share of patients, uptake of the lowest part
OESOPHAGITIS, OESOPHAGITIS_FACTOR = 0.04, (1.5, 2.3)  # the whole length
REBOUND_YEARS, REBOUND_FACTOR = 38, (1.4, 2.4)  # thymus that grows again after chemotherapy
NODES_YEARS, NODES = 50, 0.22  # age from which, share of patients with hilar uptake
NODE_SUV = (1.9, 3.4)
NODE_CALCIUM, NODE_CALCIUM_HU = 0.35, 450.0


def paint_mediastinal_fat(canvas: Canvas, patient: Patient) -> None:
    """What no organ will take is fat: little of it in the lean and young."""
    box = canvas.box([(0, -60, 335), (0, 20, 548)], 44)
    if box == EMPTY:
        return
    lean = 0.35 - 0.9 * patient.build.visceral - (patient.build.age - 50) / 60
    fatty = canvas.where(box, (Organ.SOFT,)) & (canvas.rough[1][box] > lean)
    fatty &= canvas.z[box] > 400
    suv = canvas.mottled(patient.suv(Organ.VISCERAL_FAT), box, 0.15)
    canvas.fill(box, fatty, Organ.VISCERAL_FAT, suv, patient.hu(Organ.VISCERAL_FAT))


def paint_thymus(canvas: Canvas, patient: Patient) -> None:
    """Two lobes behind the sternum, the left one mostly lower."""
    rng = patient.stream("thymus")
    lobes = [
        ellipsoid(canvas, (side * 9 + rng.normal(1, 2), -58, 476 - 4 * side + rng.normal(0, 4)),
                  (11, 7, 29), (rng.normal(8, 4), side * 10, 0), 0.12, reach=1.8)
        for side in (-1, 1)
    ]  # fmt: skip
    shape = united(lobes)
    if shape.empty:
        return
    rebound = patient.build.age < REBOUND_YEARS and patient.conditions.stimulated_marrow > 1
    factor = rng.uniform(*REBOUND_FACTOR) if rebound else 1.0
    suv = canvas.mottled(factor * patient.suv(Organ.THYMUS), shape.box, 0.1)
    hu = patient.hu(Organ.THYMUS) + 10 * canvas.rough[2][shape.box]
    ml = patient.volume_ml(Organ.THYMUS) * (factor if rebound else 1.0)
    if paint(canvas, shape, Organ.THYMUS, suv, hu, OPEN_CHEST, ml).any() and rebound:
        patient.variants.append("thymic rebound")


def paint_oesophagus(canvas: Canvas, patient: Patient) -> None:
    """From the larynx to the stomach; inflamed by reflux in some."""
    rng = patient.stream("oesophagus")
    aside = rng.normal(0, 2)
    x, y, z, radius = OESOPHAGUS
    line = [(2, 4, 590, 4.5), (x + 0.5 * aside, y, z, radius), (3 + aside, 23, 500, 6),
            (6 + aside, 31, 450, 6.5), (12, 28, 398, 7.5), (26, 6, 370, 8)]  # fmt: skip
    knots = smooth_line(np.array(line), 10.0)
    shape = tube(canvas, knots, roughness=0.12, reach=2.0)
    along = np.full(shape.count + 1, patient.suv(Organ.OESOPHAGUS))
    along *= 1 + 0.12 * np.sin(np.arange(shape.count + 1) * rng.uniform(0.3, 0.9))
    drawn = rng.random()
    name = ""
    if drawn < REFLUX:
        name = "reflux oesophagitis"
        share = np.clip((np.arange(shape.count + 1) / shape.count - rng.uniform(0.68, 0.82)) / 0.1,
                        0, 1)  # fmt: skip
        along += share * (rng.uniform(*REFLUX_SUV) - along)
    elif drawn < REFLUX + OESOPHAGITIS:
        name = "oesophagitis"
        along *= rng.uniform(*OESOPHAGITIS_FACTOR)
    if shape.empty or shape.segment is None:
        return
    suv = along[shape.segment].astype(np.float32) * canvas.mottled(1.0, shape.box, 0.08)
    painted = paint(canvas, shape, Organ.OESOPHAGUS, suv, patient.hu(Organ.OESOPHAGUS),
                    INTO_GULLET, patient.volume_ml(Organ.OESOPHAGUS))  # fmt: skip
    if name and painted.any():
        patient.variants.append(name)
    if rng.random() < 0.3:  # a bubble of swallowed air
        bubble = int(rng.integers(0, shape.count))
        air = painted & (shape.level < 0.55) & (np.abs(shape.segment - bubble) < 2)
        canvas.fill(shape.box, air, None, None, -700.0)


def paint_hilar_nodes(canvas: Canvas, patient: Patient) -> None:
    """Symmetrical nodes of both hila and below the carina, mildly hot, often calcified."""
    rng = patient.stream("hilar nodes")
    present = patient.build.age > NODES_YEARS and rng.random() < NODES
    value, hard = rng.uniform(*NODE_SUV), rng.random() < NODE_CALCIUM
    places = [(side * 40, 14, 452) for side in (-1, 1)] + [(side * 44, 22, 436) for side in (-1, 1)]
    places += [(4, 16, 456), (-14, 4, 488)]
    if not present:
        return
    seen = False
    for place in places:
        centre = np.array(place) + rng.normal(0, 3, 3)
        shape = ellipsoid(canvas, centre, rng.uniform(4, 7.5, 3), rng.normal(0, 25, 3), 0.1)
        relative = rng.uniform(0.7, 1.1)
        if shape.empty:
            continue
        hu = 45.0 + (NODE_CALCIUM_HU if hard else 0.0) * (shape.level < 0.4)
        suv = canvas.mottled(value * relative, shape.box, 0.06)
        into = (*OPEN_CHEST, Organ.LUNG)
        seen |= bool(paint(canvas, shape, Organ.BENIGN, suv, hu.astype(np.float32), into).any())
    if seen:
        patient.variants.append("hilar nodes")

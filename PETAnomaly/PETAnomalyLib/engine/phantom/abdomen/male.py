"""Prostate, seminal vesicles, testes in the scrotum, penis."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.bladder import Bladder
from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint, tube, united
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

HOT_TESTES_SHARE, HOT_TESTES = 0.2, (1.5, 2.2)  # of the young; times the drawn uptake
PROSTATE_FOCUS_SHARE, PROSTATE_FOCUS = 0.06, (1.5, 2.2)  # prostatitis; times the drawn uptake
PROSTATE_STONES_SHARE = 0.2  # calcified, of those over 50
HYDROCELE_SHARE = 0.06
OUTSIDE = (Organ.AIR, Organ.FAT)


def paint_prostate(canvas: Canvas, patient: Patient, bladder: Bladder) -> None:
    """Paint prostate and seminal vesicles, before the bladder that sits on them."""
    rng = patient.stream("prostate")
    place = np.array([0.5 * bladder.centre[0], -6, -12]) + rng.normal(0, 2, 3)
    suv, hu = patient.suv(Organ.PROSTATE), patient.hu(Organ.PROSTATE)
    shape = ellipsoid(canvas, place, (21, 15, 17), (0, 0, rng.normal(0, 5)), 0.06, reach=2.0)
    inside = paint_parenchyma(
        canvas, shape, Organ.PROSTATE, suv, hu, patient.volume_ml(Organ.PROSTATE), mottle=0.1
    )
    if inside.any():
        if rng.random() < PROSTATE_FOCUS_SHARE:
            patient.variants.append("prostate focus")
            aside = (int(rng.choice([-1, 1])) * 10, 7, rng.uniform(-7, 7))
            focus = ellipsoid(canvas, place + aside, np.full(3, rng.uniform(5, 8)))
            hot = canvas.where(focus.box, (Organ.PROSTATE,)) & (focus.level < 1)
            canvas.fill(focus.box, hot, None, suv * rng.uniform(*PROSTATE_FOCUS))
        if patient.build.age > 50 and rng.random() < PROSTATE_STONES_SHARE:
            stones = inside & (shape.level < 0.15) & (canvas.rough[2][shape.box] > 0)
            canvas.fill(shape.box, stones, None, None, 260.0)
    for side in (-1, 1):
        line = [(side * 6, 10, 6, 5), (side * 26, 16, 16, 5.5)]
        vesicle = tube(canvas, np.array(line), 0.1)
        paint_parenchyma(canvas, vesicle, Organ.SOFT, patient.suv(Organ.SOFT), 30.0)


def paint_scrotum(canvas: Canvas, patient: Patient) -> None:
    """Paint scrotum, testes and penis below the perineum, between and before the thighs."""
    rng = patient.stream("scrotum")
    soft, hu = patient.suv(Organ.SOFT), 22.0
    _penis(canvas, patient, rng)
    low = float(rng.normal(0, 6))
    total = patient.volume_ml(Organ.TESTIS)
    room = np.array([23, 23, 30]) * max(1.0, (total / 36) ** (1 / 3))
    bags = [ellipsoid(canvas, (side * 19, -92, -80 + low), room) for side in (-1, 1)]
    bag = united(canvas, bags)
    if bag.empty:
        return
    paint_parenchyma(canvas, bag, Organ.SOFT, soft, hu, into=OUTSIDE)
    suv = patient.suv(Organ.TESTIS)
    if patient.build.age < 45 and rng.random() < HOT_TESTES_SHARE:
        suv *= float(rng.uniform(*HOT_TESTES))
        patient.variants.append("testes")
    uneven = float(np.clip(rng.normal(0, 0.05), -0.12, 0.12))
    hydrocele = int(rng.choice([-1, 1])) if rng.random() < HYDROCELE_SHARE else 0
    for side in (-1, 1):
        place = (side * 19 + rng.normal(0, 2), -91 + rng.normal(0, 3), -82 + low + rng.normal(0, 5))
        shape = ellipsoid(
            canvas, place, (12, 13, 19), (rng.normal(10, 8), side * 8, 0), 0.04, reach=1.9
        )
        painted = paint_parenchyma(
            canvas, shape, Organ.TESTIS, suv, patient.hu(Organ.TESTIS),
            0.5 * total * (1 + side * uneven), (Organ.SOFT,), mottle=0.06,
        )  # fmt: skip
        if side == hydrocele and painted.any():
            patient.variants.append("hydrocele")
            paint(canvas, shape, Organ.SOFT, 0.5, 8.0, (Organ.SOFT,), 0.8 * total)


def _penis(canvas: Canvas, patient: Patient, rng: Generator) -> None:
    """Root in the perineum, then free, lying on the scrotum."""
    aside = float(rng.normal(0, 10))
    line = smooth_line(
        [(0, -24, -40, 9), (0, -60, -40, 10), (0.3 * aside, -98, -38, 11), (aside, -116, -66, 12),
         (1.2 * aside, -116, -88, 11)],
        9.0,
    )  # fmt: skip
    paint_parenchyma(
        canvas, tube(canvas, line, reach=1.6), Organ.PENIS, patient.suv(Organ.PENIS),
        patient.hu(Organ.PENIS), patient.volume_ml(Organ.PENIS),
        (Organ.AIR, Organ.FAT, Organ.SOFT, Organ.MUSCLE), mottle=0.08,
    )  # fmt: skip

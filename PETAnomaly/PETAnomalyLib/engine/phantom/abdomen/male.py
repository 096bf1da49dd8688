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
BAG_MM = (22, 23, 30)  # half of the scrotum, of testes of a usual size
BEFORE_THIGHS_MM = (-76.0, -56.0)  # body y between which the fat of both thighs ends in front
SUNK_MM = 4.0  # the middle of the scrotum lies so far behind that
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
    """Paint scrotum and testes between the thighs, the penis on the scrotum."""
    rng = patient.stream("scrotum")
    soft, hu = patient.suv(Organ.SOFT), 22.0
    middle = _front_of_thighs(canvas) + SUNK_MM
    _penis(canvas, patient, rng, middle - BAG_MM[1])
    low = float(rng.normal(0, 6))
    total = patient.volume_ml(Organ.TESTIS)
    room = np.array(BAG_MM) * max(1.0, (total / 36) ** (1 / 3))
    bags = [ellipsoid(canvas, (side * 18, middle, -76 + low), room) for side in (-1, 1)]
    bag = united(bags)
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
        place = np.array([side * 18, middle - 1, -78 + low]) + rng.normal(0, (2, 2, 5))
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


def _front_of_thighs(canvas: Canvas) -> float:
    """Body y of the front of what is between the thighs."""
    box = canvas.box((0, -60, -75), 40.0)
    there = (canvas.organ[box] != Organ.AIR) & (np.abs(canvas.x[box]) < 15)
    there &= np.abs(canvas.z[box] + 75) < 12
    front = float(canvas.y[box][there].min()) if there.any() else BEFORE_THIGHS_MM[1]
    return float(np.clip(front, *BEFORE_THIGHS_MM))


def _penis(canvas: Canvas, patient: Patient, rng: Generator, front: float) -> None:
    """Root in the perineum under the symphysis, then free, hanging down before the scrotum, whose
    front is at body y = `front`."""
    aside = float(rng.normal(0, 8))
    line = smooth_line(
        [(0, -22, -43, 9), (0, -50, -39, 11), (0.2 * aside, 0.5 * (front - 66), -41, 11.5),
         (0.7 * aside, front - 7, -56, 12), (aside, front - 9, -74, 12),
         (1.1 * aside, front - 7, -88, 11)],
        9.0,
    )  # fmt: skip
    paint_parenchyma(
        canvas, tube(canvas, line, reach=1.6), Organ.PENIS, patient.suv(Organ.PENIS),
        patient.hu(Organ.PENIS), patient.volume_ml(Organ.PENIS),
        (Organ.AIR, Organ.FAT, Organ.SOFT, Organ.MUSCLE), mottle=0.08,
    )  # fmt: skip

"""Uterus, ovaries and vagina, with what the cycle does to them."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.bladder import Bladder
from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma, settle
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

# SUV (mean, standard deviation) of the endometrium, and of an ovary with a ripe follicle or a
# corpus luteum: Lerman et al., J Nucl Med 2004;45:266-271.
ENDOMETRIUM_SUV = {"menstrual": (5.0, 2.0), "follicular": (2.6, 0.9), "ovulatory": (3.7, 0.9),
                   "luteal": (2.5, 0.9)}  # fmt: skip
ENDOMETRIUM_SHARE = {
    "menstrual": 0.08,
    "follicular": 0.1,
    "ovulatory": 0.13,
    "luteal": 0.15,
    "": 0.03,
}
HOT_ENDOMETRIUM = 2.5
LEAST_MYOMETRIUM = 0.6  # of the uterus' mean
OVARY_SUV = (5.7, 1.5)
OVARY_SHARE = {"menstrual": 0.05, "follicular": 0.1, "ovulatory": 0.7, "luteal": 0.5}
FIBROID_SHARE, FIBROID_SUV = 0.18, (1.0, 4.5)  # of women over 35
LEIOMYOMA_CALCIFIED_SHARE = 0.25


def paint_uterus(canvas: Canvas, patient: Patient, bladder: Bladder) -> None:
    """Paint uterus, ovaries and vagina, on and behind the bladder."""
    rng = patient.stream("uterus")
    volume = patient.volume_ml(Organ.UTERUS)
    size = float((volume / 75) ** (1 / 3))
    # The fundus leans over the bladder (anteversion), or back to the sacrum.
    back = rng.random() < 0.2
    lean = -rng.uniform(20, 50) if back else rng.uniform(15, 70)
    top = bladder.centre[2] + bladder.radii[2]
    behind = bladder.centre[1] + bladder.radii[1] + 12
    place = np.array(
        [rng.normal(0, 9), np.clip(0.4 * behind + 12 * back, -20, 18), max(44.0, 0.55 * top + 24)]
    ) + rng.normal(0, 4, 3)
    tilt = (float(lean), float(rng.normal(0, 12)), float(rng.normal(0, 10)))
    shape = ellipsoid(canvas, place, np.array([23, 19, 33]) * size, tilt, 0.07, reach=1.9)
    suv, hu = patient.suv(Organ.UTERUS), patient.hu(Organ.UTERUS)
    inside = paint_parenchyma(canvas, shape, Organ.UTERUS, suv, hu, volume, mottle=0.08)
    if inside.any():
        _endometrium(canvas, patient, rng, shape, inside)
    if patient.build.age > 35 and rng.random() < FIBROID_SHARE:
        _fibroids(canvas, patient, rng, place)
    vagina = [(0, 2, 18, 7), (0, -4, -6, 7), (0, -14, -34, 6)]
    paint_parenchyma(
        canvas, tube(canvas, vagina), Organ.SOFT, patient.suv(Organ.SOFT), patient.hu(Organ.SOFT),
        into=(Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.FAT),
    )  # fmt: skip
    _ovaries(canvas, patient, rng, place)


def _endometrium(
    canvas: Canvas, patient: Patient, rng: Generator, shape: Shape, uterus: Mask
) -> None:
    """The core of the uterus; the rest of it keeps the organ's mean uptake."""
    cycle = patient.conditions.cycle
    share = ENDOMETRIUM_SHARE[cycle]
    core = uterus & (shape.level <= np.quantile(shape.level[uterus], share))
    canvas.fill(shape.box, core, None, None, patient.hu(Organ.UTERUS) - 18)
    if not cycle:
        return
    mean, sd = ENDOMETRIUM_SUV[cycle]
    whole = patient.suv(Organ.UTERUS)
    hot = max(mean + sd * float(np.clip(rng.normal(), -2, 2)), whole)
    settle(canvas, shape, core, hot, 0.1)
    rest = (whole - share * hot) / (1 - share)
    settle(canvas, shape, uterus & ~core, max(rest, LEAST_MYOMETRIUM * whole), 0.08)
    if hot > HOT_ENDOMETRIUM:
        patient.variants.append("endometrium")


def _fibroids(canvas: Canvas, patient: Patient, rng: Generator, place: Vector) -> None:
    """Leiomyomas: mostly as avid as the uterus, some hotter, some calcified."""
    seen = False
    for _ in range(int(rng.integers(1, 4))):
        ball = ellipsoid(
            canvas, place + rng.normal(0, 22, 3) + [0, 0, 14], np.full(3, rng.uniform(8, 19))
        )
        value = float(
            rng.uniform(*FIBROID_SUV) if rng.random() < 0.5 else patient.suv(Organ.UTERUS)
        )
        hu = patient.hu(Organ.UTERUS) + 6
        painted = paint_parenchyma(canvas, ball, Organ.UTERUS, value, hu, mottle=0.1)
        seen |= bool(painted.any())
        if rng.random() < LEIOMYOMA_CALCIFIED_SHARE:
            shell = painted & (canvas.rough[2][ball.box] > 0.8)
            canvas.fill(ball.box, shell, None, None, 420.0)
    if seen:
        patient.variants.append("fibroid uterus")


def _ovaries(canvas: Canvas, patient: Patient, rng: Generator, place: Vector) -> None:
    """Beside the uterus; a ripe follicle or a corpus luteum is hot, a simple cyst cold."""
    cycle = patient.conditions.cycle
    active = (
        int(rng.choice([-1, 1])) if cycle and rng.random() < OVARY_SHARE[cycle] else 0
    )  # fmt: skip
    total, uneven = patient.volume_ml(Organ.OVARY), float(np.clip(rng.normal(0, 0.15), -0.4, 0.4))
    for side in (-1, 1):
        aside = (side * rng.uniform(38, 52), rng.normal(6, 7), rng.normal(2, 8))
        centre = place * [0.5, 1, 1] + aside
        centre[0] = np.clip(centre[0], -54, 54)
        half = 0.5 * total * (1 + side * uneven)
        shape = ellipsoid(canvas, centre, (9, 11, 14), rng.normal(0, 25, 3), 0.08, reach=2.2)
        inside = paint_parenchyma(
            canvas, shape, Organ.OVARY, patient.suv(Organ.OVARY), patient.hu(Organ.OVARY), half,
            mottle=0.08,
        )  # fmt: skip
        if side == active and inside.any():
            patient.variants.append("ovary")
            mean, sd = OVARY_SUV
            hot = float(mean + sd * np.clip(rng.normal(), -2, 2))
            ring = inside & (shape.level > 0.15 * shape.level[inside].max())
            canvas.fill(shape.box, ring, None, hot)
            canvas.fill(shape.box, inside & ~ring, None, 1.0, 12.0)
        elif rng.random() < 0.08:
            cyst = ellipsoid(canvas, centre + rng.normal(0, 8, 3), np.full(3, rng.uniform(9, 22)))
            if paint(canvas, cyst, Organ.SOFT, 0.5, 8.0, OPEN_BELLY).any():
                patient.variants.append("ovarian cyst")

"""Both kidneys where they lie, healthy, misplaced, missing or transplanted, and their ureters."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.bladder import Bladder
from PETAnomalyLib.engine.phantom.abdomen.kidney import Place, paint_kidney
from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.abdomen.ureters import paint_ureter
from PETAnomalyLib.engine.phantom.abdomen.urine import Urine
from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.envelope import spine_y
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

HORSESHOE_SHARE, PTOTIC_SHARE, MALROTATED_SHARE = 0.03, 0.05, 0.03
GROWN = 0.7  # of both kidneys' volume, of one that is alone
ATROPHIED, GRAFT = 0.32, 0.62  # of both kidneys' volume: both own kidneys, and a transplant
ISTHMUS = 0.07  # of both kidneys' volume, of a horseshoe kidney
DUPLEX_SHARE = 0.02


def paint_urinary(canvas: Canvas, patient: Patient, urine: Urine, bladder: Bladder) -> None:
    """Paint kidneys and ureters."""
    rng = patient.stream("kidneys")
    conditions = patient.conditions
    total = patient.volume_ml(Organ.KIDNEY)
    drawn = rng.random()
    low = {-1: 0.0, 1: 0.0}
    turn = {-1: rng.normal(35, 9), 1: rng.normal(35, 9)}
    usual = not conditions.missing_kidney and not conditions.transplant
    horseshoe = usual and drawn < HORSESHOE_SHARE
    odd = int(rng.choice([-1, 1]))
    name = "single kidney" if conditions.missing_kidney else ""
    if horseshoe:
        name = "horseshoe kidney"
        low = {-1: 58.0, 1: 56.0}
    elif usual and drawn < HORSESHOE_SHARE + PTOTIC_SHARE:
        name = "ptotic kidney"
        low[odd] = rng.uniform(55, 130)
        turn[odd] = rng.uniform(-40, 90)
    elif usual and drawn < HORSESHOE_SHARE + PTOTIC_SHARE + MALROTATED_SHARE:
        name = "malrotated kidney"
        turn[odd] = rng.uniform(80, 130)
    share = _shares(patient, rng, horseshoe)
    places, seen = [], False
    for side, part in share.items():
        z = (248 if side > 0 else 238) + rng.normal(0, 9) - low[side]
        place = _place(rng, side, z, low[side], turn[side], horseshoe, part * total)
        places.append(place)
        seen |= _paint_with_ureter(canvas, patient, rng, place, urine, bladder)
    if seen and name:
        patient.variants.append(name)
    if horseshoe:
        _isthmus(canvas, patient, places, ISTHMUS * total)
    if conditions.transplant:
        side = conditions.transplant
        centre = np.array([side * 62, -36, 108.0]) + rng.normal(0, 5, 3)
        place = Place(side, centre, (10, side * 22, side * 40), GRAFT * total)
        if _paint_with_ureter(canvas, patient, rng, place, urine, bladder):
            patient.variants.append("transplant kidney")


def _shares(patient: Patient, rng: Generator, horseshoe: bool) -> dict[int, float]:
    """Volume of each kidney there is, of that of both."""
    if patient.conditions.missing_kidney:
        alone = 0.5 * ATROPHIED if patient.conditions.transplant else GROWN
        return {-patient.conditions.missing_kidney: alone}
    both = (
        1 - ISTHMUS if horseshoe
        else ATROPHIED if patient.conditions.transplant
        else 1.0
    )  # fmt: skip
    uneven = float(np.clip(rng.normal(0, 0.05), -0.12, 0.12))
    return {side: 0.5 * both * (1 + side * uneven) for side in (-1, 1)}


def _place(
    rng: Generator, side: int, z: float, low: float, turn: float, horseshoe: bool, volume_ml: float
) -> Place:
    x = side * (62 + rng.normal(0, 3) - (20 if horseshoe else 0) - 0.06 * low)
    y = spine_y(max(z, 90)) + 9 + rng.normal(0, 3) - (24 if horseshoe else 0)
    y -= 0.0 if horseshoe else 0.3 * low
    lean = side * (-30 if horseshoe else 12 + rng.normal(0, 4))
    return Place(side, np.array([x, y, z]), (8 + rng.normal(0, 4), lean, side * turn), volume_ml)


def _paint_with_ureter(
    canvas: Canvas,
    patient: Patient,
    rng: Generator,
    place: Place,
    urine: Urine,
    bladder: Bladder,
) -> bool:
    """Paint one kidney and its ureters; returns whether the scan has the kidney's middle."""
    start = paint_kidney(canvas, patient, rng, place, urine)
    paint_ureter(canvas, patient, rng, place.side, start, urine, bladder)
    seen = canvas.box(place.centre, 1.0) != EMPTY
    if rng.random() < DUPLEX_SHARE and seen:
        patient.variants.append("duplex ureter")
        paint_ureter(canvas, patient, rng, place.side, start + place.axis * 28, urine, bladder)
    return seen


def _isthmus(canvas: Canvas, patient: Patient, places: list[Place], volume_ml: float) -> None:
    """The bridge of a horseshoe kidney, before aorta and cava."""
    poles = [place.centre - place.axis * 44 * place.size for place in places]
    z = float(np.mean([pole[2] for pole in poles]))
    front = spine_y(z) - 52
    line = [(*poles[0], 13), (-16, front, z, 10), (16, front, z, 10), (*poles[1], 13)]
    shape = tube(canvas, smooth_line(line, 10.0), reach=2.0)
    paint_parenchyma(
        canvas, shape, Organ.KIDNEY, patient.suv(Organ.KIDNEY), patient.hu(Organ.KIDNEY),
        volume_ml, mottle=0.1,
    )  # fmt: skip

"""Muscles that worked before or after injection, and insulin that drives FDG into all of them."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.posture import SIDES, draw_legs
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

WORKED_SUV = (1.6, 5.0)
"""Jackson et al., Am J Roentgenol 2006: muscles that worked reach SUVs of 2 to 6."""
INSULIN_FACTOR = (2.0, 4.5)
"""Of all muscles' uptake, after a meal or insulin; the liver has less then."""

Line = list[tuple[float, ...]]
# Left muscles as lines (x, y, z, radius).
NECK: dict[str, Line] = {
    "sternocleidomastoid": [
        (20, -50, 530, 6),
        (34, -26, 585, 9),
        (50, 2, 640, 9),
        (56, 18, 680, 7),
    ],
    "scalene": [(24, 14, 640, 6), (34, 8, 590, 9), (46, -4, 556, 8)],
    "trapezius": [(12, 62, 650, 7), (24, 62, 600, 9), (70, 58, 560, 10), (112, 40, 552, 9)],
    "longus colli": [(9, 2, 640, 6), (9, 10, 600, 6), (9, 18, 560, 6)],
    "levator scapulae": [(20, 40, 660, 7), (36, 44, 600, 9), (66, 66, 540, 8)],
}
SHOULDERS: dict[str, Line] = {
    "deltoid": [(146, -8, 556, 12), (172, 4, 520, 15), (172, 6, 470, 9)],
    "pectoral": [(40, -96, 480, 10), (90, -86, 490, 12), (136, -30, 510, 10)],
    "latissimus": [(128, 30, 490, 10), (126, 60, 420, 11), (110, 76, 340, 9)],
    "rhomboid": [(20, 88, 520, 7), (52, 88, 470, 9)],
}
TRUNK: dict[str, Line] = {
    "erector spinae": [(34, 62, 120, 16), (38, 62, 190, 20), (36, 68, 270, 18)],
    "gluteus maximus": [(50, 84, 70, 18), (84, 66, 20, 26), (112, 40, -30, 16)],
    "gluteus medius": [(110, 30, 140, 14), (128, 20, 80, 20), (130, 8, 20, 12)],
    "rectus abdominis": [(34, -92, 40, 9), (38, -94, 180, 10), (42, -98, 320, 9)],
}
# Of a leg, (to the outside, backwards, body z, radius), from its line.
LEGS: dict[str, Line] = {
    "vastus": [(24, -30, -40, 20), (24, -32, -150, 28), (18, -26, -300, 20)],
    "adductors": [(-30, 4, -30, 22), (-32, 2, -130, 24), (-26, 4, -260, 12)],
    "hamstrings": [(-2, 40, -40, 20), (0, 42, -170, 24), (6, 34, -330, 14)],
    "gastrocnemius": [(-14, 26, -430, 14), (-14, 30, -500, 18), (-6, 26, -600, 10)],
    "tibialis anterior": [(18, -18, -440, 10), (16, -18, -540, 13), (8, -16, -680, 7)],
}
CHEWING: dict[str, Line] = {
    "masseter": [(56, -30, 694, 7), (54, -22, 664, 10), (50, -10, 644, 7)],
    "pterygoid": [(24, -14, 700, 6), (36, -8, 672, 8), (42, 0, 652, 6)],
    "temporalis": [(60, -14, 700, 6), (70, -14, 740, 6), (70, -6, 766, 5)],
}
PLACES = {
    "limbs": (SHOULDERS, LEGS),
    "neck": (NECK,),
    "chewing": (CHEWING,),
}


def paint_exercise(canvas: Canvas, patient: Patient) -> None:
    """Paint the muscles that worked; oftener a few on both sides than one alone."""
    rng = patient.stream("exercise")
    if patient.conditions.exercised == "all":
        muscle = canvas.organ == Organ.MUSCLE
        canvas.suv[muscle] *= np.float32(rng.uniform(*INSULIN_FACTOR))
        patient.variants.append("muscle uptake: all")
        return
    seen = False
    for muscles in PLACES[patient.conditions.exercised]:
        names = [str(name) for name in rng.permutation(list(muscles))]
        if muscles is SHOULDERS and rng.random() < 0.4:
            names += list(TRUNK)
        least = 2 if muscles is CHEWING else 1
        for name in names[: int(rng.integers(least, 4))]:
            value = float(rng.uniform(*WORKED_SUV))
            sides = SIDES if rng.random() < 0.7 else (int(rng.choice(SIDES)),)
            for side in sides:
                line = _line(patient, {**muscles, **TRUNK}[name], side, muscles is LEGS)
                seen |= _work(canvas, line, value * float(rng.uniform(0.7, 1.1)))
    if seen:
        patient.variants.append(f"muscle uptake: {patient.conditions.exercised}")


def _line(patient: Patient, muscle: Line, side: int, of_leg: bool) -> Vector:
    """A muscle of one side; those of the leg go where it lies."""
    line = np.array(muscle, float) * [side, 1, 1, 1]
    if not of_leg:
        return line
    leg = draw_legs(patient)[(side + 1) // 2].line
    order = np.argsort(leg[:, 2])
    for column in (0, 1):
        line[:, column] += np.interp(line[:, 2], leg[order, 2], leg[order, column])
    return line


def _work(canvas: Canvas, line: Vector, value: float) -> bool:
    shape = tube(canvas, smooth_line(line, 24.0), 0.25)
    if shape.empty:
        return False
    inside = (shape.level < 1) & canvas.where(shape.box, [Organ.MUSCLE])
    # Bellies take up more than their ends.
    suv = canvas.mottled(value, shape.box, 0.15) * (1.15 - 0.3 * np.clip(shape.level, 0, 1) ** 2)
    np.maximum(suv, canvas.suv[shape.box], out=suv)
    canvas.fill(shape.box, inside, None, suv.astype(np.float32))
    return bool(inside.any())

"""The heart: fat round it, four chambers, the walls of both ventricles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint
from PETAnomalyLib.engine.phantom.chest.contrast import blood_hu
from PETAnomalyLib.engine.phantom.chest.heart_uptake import (
    Wall,
    left_pattern,
    right_pattern,
    scar,
)
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import OPEN_CHEST, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

Vector = NDArray[np.float64]

MIDDLE = np.array([18.0, -30.0, 416.0])  # of the heart, over a dome at 388 mm
RADII = np.array([60.0, 46.0, 52.0])
AXIS = np.array([0.66, -0.56, -0.5])  # of the left ventricle, base to apex
LONG, SHORT = 52.0, 35.0  # outer radii of the left ventricle
CAVITY_LONG, CAVITY_SHORT = 39.0, 22.0
BASE = -24.0  # mm along the axis: where the valves are
CHAMBERS = (  # centre from the heart's, radii, turn: right ventricle, right and left atrium
    ((2, -21, -2), (38, 21, 35), 25),
    ((-24, 2, 18), (25, 29, 33), 20),
    ((8, 28, 22), (31, 18, 24), 20),
)
RIGHT_SHARES = (0.2, 0.0)  # of the myocardium's volume in the right ventricle and atrium
RIGHT_SHARES_LOADED = (0.26, 0.06)
SEPTUM, SEPTUM_SUV, STOUT_BMI = 0.04, (1.9, 3.6), 28  # share of patients, uptake; from which BMI
SCAR_YEARS, SCAR, SCAR_SEEN = 55, 0.08, ("low", "diffuse", "right")  # age, share, patterns
FAILING = 1.08  # size of a heart that fails: fluid on both sides
CUP_ML = 150.0  # nominal volume of the left ventricle's wall
SHELLS_ML = (45.0, 50.0)  # of right ventricle and atrium
INTO_HEART = (*OPEN_CHEST, Organ.LUNG)


def heart_middle(patient: Patient, envelope: Envelope) -> Vector:
    """Body point in the middle of the heart: it rides on the diaphragm."""
    rng = patient.stream("heart place")
    ride = 0.8 * (envelope.dome_right - 388)
    return MIDDLE + np.array([rng.normal(2, 6), rng.normal(0, 3), ride + rng.normal(2, 5)])


def paint_heart(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint chambers and walls."""
    middle = heart_middle(patient, envelope)
    rng = patient.stream("heart")
    size = float(np.clip(rng.normal(1.0, 0.05), 0.88, 1.14))
    size *= FAILING if all(patient.conditions.effusion_ml) else 1.0
    whole = ellipsoid(canvas, middle, RADII * size, (0, 25, 0), 0.05)
    if whole.empty:
        return
    free = canvas.where(whole.box, INTO_HEART)
    fat = canvas.mottled(patient.suv(Organ.VISCERAL_FAT), whole.box, 0.15)
    around = 1.12 + 0.12 * min(patient.build.visceral, 1.5)
    fat_hu = patient.hu(Organ.VISCERAL_FAT)
    canvas.fill(whole.box, free & (whole.level < around), Organ.VISCERAL_FAT, fat, fat_hu)
    left = _left_ventricle(canvas, patient, middle, size)
    right, right_atrium, left_atrium = (
        ellipsoid(canvas, middle + np.array(centre) * size, np.array(radii) * size,
                  (0, turn, 0), 0.07, reach=1.7)
        for centre, radii, turn in CHAMBERS
    )  # fmt: skip
    _walls(canvas, patient, left, right, right_atrium)
    _chamber(canvas, patient, left_atrium, "left heart")
    _lipomatous_septum(canvas, patient, middle)


def _chamber(canvas: Canvas, patient: Patient, shape: Shape, place: str) -> None:
    if not shape.empty:
        suv = canvas.mottled(patient.suv(Organ.BLOOD), shape.box, 0.04)
        paint(canvas, shape, Organ.BLOOD, suv, blood_hu(patient, place), INTO_HEART)


class _Ventricle:
    """The left ventricle: its shape from outside, and where each voxel lies in it."""

    def __init__(self, canvas: Canvas, centre: Vector, axis: Vector, size: float) -> None:
        box = canvas.box(centre, 1.35 * LONG * size)
        across = np.cross(axis, [0.0, 0.0, 1.0])
        across /= -np.linalg.norm(across)  # to the left and back: the free wall
        x, y, z = canvas.x[box] - centre[0], canvas.y[box] - centre[1], canvas.z[box] - centre[2]

        def towards(direction: Vector) -> NDArray[np.float32]:
            a, b, c = direction.astype(np.float32)
            found: NDArray[np.float32] = a * x + b * y + c * z
            return found

        along, lateral = towards(axis), towards(across)
        self.wall = Wall(along, lateral, towards(np.cross(across, axis)),
                         canvas.rough[2][box], canvas.rough[0][box])  # fmt: skip
        radial = lateral**2 + self.wall.down**2
        middle = along + np.float32(8 * size)
        level = (middle / (LONG * size)) ** 2 + radial / (SHORT * size) ** 2
        inner = (middle / (CAVITY_LONG * size)) ** 2 + radial / (CAVITY_SHORT * size) ** 2
        ml = CUP_ML * size**3 * float(canvas.pose.scale.prod())
        self.shape = Shape(box, level, ml, 0.5)
        self.cavity = Shape(box, inner, ml, 2 / 3)
        self.cup: Mask = along > BASE * size


def _left_ventricle(canvas: Canvas, patient: Patient, middle: Vector, size: float) -> _Ventricle:
    rng = patient.stream("left ventricle")
    axis = AXIS + rng.normal(0, [0.08, 0.08, 0.12])
    axis /= np.linalg.norm(axis)
    found = _Ventricle(canvas, middle + np.array([20, 0, -8]) * size, axis, size)
    if not found.shape.empty:
        suv = canvas.mottled(patient.suv(Organ.BLOOD), found.cavity.box, 0.04)
        hu = blood_hu(patient, "left heart")
        paint(canvas, found.cavity, Organ.BLOOD, suv, hu, INTO_HEART, only=found.cup)
    return found


def _walls(canvas: Canvas, patient: Patient, left: _Ventricle, right: Shape, atrium: Shape) -> None:
    """All walls, and the right chambers between them. Volume and mean uptake are the patient's,
    whatever the pattern; a loaded right heart has thick walls, its atrium's are seen too."""
    heart = patient.conditions.heart
    rng = patient.stream("myocardium")
    total, hu = patient.volume_ml(Organ.MYOCARDIUM), patient.hu(Organ.MYOCARDIUM)
    shares = RIGHT_SHARES_LOADED if heart == "right" else RIGHT_SHARES
    cup = paint(canvas, left.shape, Organ.MYOCARDIUM, None, hu, INTO_HEART,
                total * (1 - sum(shares)), left.cup)  # fmt: skip
    relative = left_pattern(rng, heart, left.wall, SHORT)
    scarred = patient.build.age > SCAR_YEARS and rng.random() < SCAR and heart in SCAR_SEEN
    if scarred and cup.any():
        relative = relative * scar(rng, left.wall, SHORT)
        patient.variants.append("myocardial scar")
    values = relative[cup]
    right_uptake = right_pattern(rng, heart)
    painted = [(left.shape.box, cup, values / max(float(values.mean()), 1e-6))] if cup.any() else []
    for shape, share, nominal in zip((right, atrium), shares, SHELLS_ML):
        _chamber(canvas, patient, shape, "right heart")  # the ventricle bends round the septum
        shape.nominal_ml = nominal * float(canvas.pose.scale.prod())
        if share:
            shell = paint(canvas, shape, Organ.MYOCARDIUM, None, hu, INTO_HEART, total * share)
            thin = right_uptake * canvas.mottled(1.0, shape.box, 0.08)[shell]
            painted.append((shape.box, shell, thin))
    everywhere = np.concatenate([values for _, _, values in painted] or [np.zeros(0)])
    if not len(everywhere):
        return
    scale = patient.suv(Organ.MYOCARDIUM) / float(everywhere.mean())
    for box, inside, values in painted:
        canvas.suv[box][inside] = scale * values
    if heart != "none":
        patient.variants.append(f"heart: {heart}")


def _lipomatous_septum(canvas: Canvas, patient: Patient, middle: Vector) -> None:
    """Fat between the atria that takes up FDG like brown fat: in stout old people."""
    rng = patient.stream("lipomatous septum")
    stout = 2.0 if patient.build.bmi > STOUT_BMI and patient.build.age > 50 else 0.5
    drawn, value = rng.random(), rng.uniform(*SEPTUM_SUV)
    if drawn >= SEPTUM * stout:
        return
    shape = ellipsoid(
        canvas, middle + np.array([-12, 17, 24]), rng.uniform(6, 11, 3), roughness=0.1
    )
    hu = patient.hu(Organ.VISCERAL_FAT)
    inside = shape.level < 1
    canvas.fill(shape.box, inside, Organ.VISCERAL_FAT, value, hu)
    if inside.any():
        patient.variants.append("lipomatous septum")

"""The heart: fat round it, four chambers, the walls of both ventricles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint
from PETAnomalyLib.engine.phantom.chest.contrast import blood_hu
from PETAnomalyLib.engine.phantom.chest.heart_uptake import Wall, left_pattern, right_pattern
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
RIGHT_SHARE = 0.2  # of the myocardium's volume in the right ventricle
RIGHT_SHARE_LOADED = 0.3
CUP_ML = 150.0  # nominal volume of the left ventricle's wall
SHELL_ML = 45.0  # of the right's
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
    whole = ellipsoid(canvas, middle, RADII * size, (0, 25, 0), 0.05)
    if whole.empty:
        return
    free = canvas.where(whole.box, INTO_HEART)
    fat = canvas.mottled(patient.suv(Organ.VISCERAL_FAT), whole.box, 0.15)
    around = 1.12 + 0.12 * min(patient.build.visceral, 1.5)
    fat_hu = patient.hu(Organ.VISCERAL_FAT)
    canvas.fill(whole.box, free & (whole.level < around), Organ.VISCERAL_FAT, fat, fat_hu)
    left = _left_ventricle(canvas, patient, middle, size)
    right = ellipsoid(canvas, middle + np.array([2, -21, -2]) * size,
                      np.array([38, 21, 35]) * size, (0, 25, 0), 0.06, reach=1.7)  # fmt: skip
    _walls(canvas, patient, left, right)
    for centre, radii, place in (
        ((-24, 2, 18), (25, 29, 33), "right heart"),
        ((8, 28, 22), (31, 18, 24), "left heart"),
    ):
        atrium = ellipsoid(canvas, middle + np.array(centre) * size, np.array(radii) * size,
                           (0, 20, 0), 0.08)  # fmt: skip
        _chamber(canvas, patient, atrium, place)


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
        self.wall = Wall(along, lateral, towards(np.cross(across, axis)), canvas.rough[2][box])
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


def _walls(canvas: Canvas, patient: Patient, left: _Ventricle, right: Shape) -> None:
    """Both ventricles' walls, and the right chamber between them. Volume and mean uptake are the
    patient's, whatever the pattern."""
    heart = patient.conditions.heart
    rng = patient.stream("myocardium")
    total, hu = patient.volume_ml(Organ.MYOCARDIUM), patient.hu(Organ.MYOCARDIUM)
    share = RIGHT_SHARE_LOADED if heart == "right" else RIGHT_SHARE
    cup = paint(canvas, left.shape, Organ.MYOCARDIUM, None, hu, INTO_HEART,
                total * (1 - share), left.cup)  # fmt: skip
    _chamber(canvas, patient, right, "right heart")  # it bends round the septum
    right.nominal_ml = SHELL_ML * float(canvas.pose.scale.prod())
    shell = paint(canvas, right, Organ.MYOCARDIUM, None, hu, OPEN_CHEST, total * share)
    if not (cup.any() or shell.any()):
        return
    values = left_pattern(rng, heart, left.wall, SHORT)[cup]
    values = values / max(float(values.mean()), 1e-6) if len(values) else values
    thin = right_pattern(heart) * canvas.mottled(1.0, right.box, 0.08)[shell]
    mean = float(np.concatenate([values, thin]).mean())
    scale = patient.suv(Organ.MYOCARDIUM) / mean
    canvas.suv[left.shape.box][cup] = scale * values
    canvas.suv[right.box][shell] = scale * thin
    if heart != "none":
        patient.variants.append(f"heart: {heart}")

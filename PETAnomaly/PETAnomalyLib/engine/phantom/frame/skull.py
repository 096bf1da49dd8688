"""The skull round the brain's space, facial bones, sinuses, jaws and teeth."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.bone import (
    BONE_INTO,
    BoneTissue,
    Part,
    knob,
    paint_bone,
    plate,
    rod,
)
from PETAnomalyLib.engine.phantom.frame.posture import SIDES, scanned_mm
from PETAnomalyLib.engine.phantom.head.brain import cranial_cavity
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SKULL_MM, TABLE_MM = 6.5, 2.2  # thickness of the vault and of each of its tables
BASE_MM = 3.5  # how much less the vault's bone is in the middle of the base
FACE_MM = 670.0  # body z of the lowest of the face's bones, but for the jaws
TOOTH_HU, METAL_HU = 1900.0, 6000.0  # dentine and enamel in a voxel; crowns and fillings
TOOTH_SUV = 0.4
Line = list[tuple[float, float, float, float]]


def _arch(line: Line) -> Vector:
    """A jaw's or teeth's arch from the left to the right, of its left half."""
    half = smooth_line(line, 18.0)
    return np.concatenate([half, half[::-1] * [-1, 1, 1, 1]])


# Left halves, (x, y, z, radius).
MANDIBLE = _arch(
    [(52, 4, 698, 6), (50, 6, 676, 6.5), (47, 0, 648, 9), (38, -32, 640, 8.5), (26, -62, 634, 8),
     (9, -80, 632, 8.5)]
)  # fmt: skip
MAXILLA = _arch([(31, -36, 680, 8), (25, -62, 680, 8), (7, -79, 680, 8)])
LOWER_TEETH = _arch([(31, -36, 653, 4.5), (24, -62, 651, 4.5), (6, -79, 651, 4)])
UPPER_TEETH = _arch([(31, -36, 664, 4.5), (25, -63, 663, 4.5), (6, -81, 663, 4)])
PETROUS = np.array([(14, -2, 712, 7), (34, 14, 712, 9), (58, 22, 706, 11)])
CHEEK = smooth_line(
    [(62, 6, 704, 4.5), (64, -28, 700, 4), (52, -56, 694, 8), (34, -66, 688, 6)], 24.0
)
ORBIT = smooth_line(
    [(54, -58, 698, 5), (56, -60, 716, 5), (44, -74, 730, 5), (24, -82, 732, 5),
     (12, -78, 716, 3.5), (16, -74, 698, 4)], 18.0,
)  # fmt: skip
PTERYGOID = np.array([(14, -18, 712, 4), (16, -20, 676, 3.5)])
SPHENOID = np.array([(52, -50, 716), (28, -18, 716), (44, -34, 738)])
SINUS_WALL = np.array([(34, -66, 690), (14, -74, 684), (36, -36, 684)])


def paint_skull(canvas: Canvas, patient: Patient, bone: BoneTissue) -> None:
    """Paint vault and base, the bones of the face, and the jaws with their teeth."""
    top = scanned_mm(canvas)[1]
    if top < MANDIBLE[:, 2].min():
        return
    _vault(canvas, bone)
    for side in SIDES if top > FACE_MM else ():
        _face(canvas, bone, side)
    _jaws(canvas, patient, bone)


def _vault(canvas: Canvas, bone: BoneTissue) -> None:
    cavity = cranial_cavity(canvas)
    if cavity.empty:
        return
    z = canvas.z[cavity.box]
    beyond = (np.sqrt(cavity.level) - 1) * np.float32(72)
    thick = np.where(z < 715, SKULL_MM - BASE_MM, SKULL_MM).astype(np.float32)
    depth = np.minimum(beyond, thick - beyond)
    depth[(z < 700) & (np.abs(canvas.x[cavity.box]) < 15) & (canvas.y[cavity.box] > 12)] = -1
    paint_bone(canvas, bone, Part(cavity.box, depth, TABLE_MM, 0.35))


def _face(canvas: Canvas, bone: BoneTissue, side: int) -> None:
    """Petrous bone, mastoid, sphenoid, cheekbone and arch, rims of the orbit and nose."""
    mirror, flat = np.array([side, 1, 1, 1]), np.array([side, 1, 1])
    ear = [rod(canvas, PETROUS * mirror, 4.5, 0.2),
           knob(canvas, (side * 56, 26, 690), (10, 13, 17), 1.6, 0.1, 0.2)]  # fmt: skip
    paint_bone(canvas, bone, ear)
    face = [
        rod(canvas, CHEEK * mirror, 2.2, 0.2),
        rod(canvas, ORBIT * mirror, 2.0, 0.2),
        plate(canvas, SPHENOID * flat, 4.0, 2.0, 0.2),
        plate(canvas, SINUS_WALL * flat, 4.0, 2.0, 0.2),
        rod(canvas, PTERYGOID * mirror, 2.5, 0.2),
    ]
    paint_bone(canvas, bone, face)


def _jaws(canvas: Canvas, patient: Patient, bone: BoneTissue) -> None:
    paint_bone(canvas, bone, rod(canvas, MANDIBLE, 2.2, 0.3, 0.9))
    upper = rod(canvas, MAXILLA, 1.8, 0.3, 0.9)
    palate = knob(canvas, (0, -50, 680), (28, 32, 6), 2.0, 0.2)
    paint_bone(canvas, bone, [upper, palate])
    _teeth(canvas, patient)


def _teeth(canvas: Canvas, patient: Patient) -> None:
    rng = patient.stream("teeth")
    if canvas.box((0, -60, 658), 30.0) == EMPTY:
        return
    kept = float(np.clip(1.25 - 0.011 * patient.build.age + rng.normal(0, 0.2), 0, 1))
    for arch in (LOWER_TEETH, UPPER_TEETH):
        row = tube(canvas, arch, reach=1.05)
        if row.empty or row.segment is None:
            continue
        # Teeth, and where one is missing: places along the arch, from ear to ear.
        place = np.arctan2(canvas.x[row.box], -(canvas.y[row.box] + 30))
        number = np.clip((place + 1.8) / 3.6 * 14, 0, 13).astype(np.int8)
        there = rng.random(14) < kept
        metal = there & (rng.random(14) < rng.choice([0.0, 0.05, 0.2]))
        tooth = (row.level < 1) & there[number] & canvas.where(row.box, BONE_INTO)
        canvas.fill(row.box, tooth, Organ.CORTEX, TOOTH_SUV, TOOTH_HU)
        canvas.fill(row.box, tooth & metal[number], Organ.METAL, TOOTH_SUV, METAL_HU)
        if (tooth & metal[number]).any():
            patient.variants.append("dental metal")

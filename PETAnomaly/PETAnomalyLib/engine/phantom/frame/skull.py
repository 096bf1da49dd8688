"""The skull round the brain's space, facial bones, sinuses, jaws and teeth."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
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
from PETAnomalyLib.engine.phantom.frame.posture import SIDES
from PETAnomalyLib.engine.phantom.head.brain import cranial_cavity
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SKULL_MM, TABLE_MM = 6.5, 2.2  # thickness of the vault and of each of its tables
BASE_MM = 3.5  # how much less the vault's bone is in the middle of the base
TOOTH_HU, METAL_HU = 1900.0, 6000.0  # dentine and enamel in a voxel; crowns and fillings
TOOTH_SUV = 0.4
MANDIBLE = np.array(
    [(52, 4, 698, 6), (50, 6, 676, 6.5), (47, 0, 648, 9), (38, -32, 640, 8.5), (26, -62, 634, 8),
     (9, -80, 632, 8.5)], float,
)  # fmt: skip
MAXILLA = np.array([(31, -36, 680, 8), (25, -62, 680, 8), (7, -79, 680, 8)], float)
LOWER_TEETH = np.array([(31, -36, 653, 4.5), (24, -62, 651, 4.5), (6, -79, 651, 4)], float)
UPPER_TEETH = np.array([(31, -36, 664, 4.5), (25, -63, 663, 4.5), (6, -81, 663, 4)], float)


def paint_skull(canvas: Canvas, patient: Patient, bone: BoneTissue) -> None:
    """Paint vault and base, the bones of the face, and the jaws with their teeth."""
    if float(canvas.z.max()) < MANDIBLE[-1, 2] - 20:
        return
    _vault(canvas, bone)
    for side in SIDES:
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
    petrous = [(side * 14, -2, 712, 7), (side * 34, 14, 712, 9), (side * 58, 22, 706, 11)]
    arch = [(side * 62, 6, 704, 4.5), (side * 64, -28, 700, 4), (side * 52, -56, 694, 8),
            (side * 34, -66, 688, 6)]  # fmt: skip
    rim = [(side * 54, -58, 698, 5), (side * 56, -60, 716, 5), (side * 44, -74, 730, 5),
           (side * 24, -82, 732, 5), (side * 12, -78, 716, 3.5),
           (side * 16, -74, 698, 4)]  # fmt: skip
    pterygoid = [(side * 14, -18, 712, 4), (side * 16, -20, 676, 3.5)]
    temple = [(side * 52, -50, 716), (side * 28, -18, 716), (side * 44, -34, 738)]
    cheek = [(side * 34, -66, 690), (side * 14, -74, 684), (side * 36, -36, 684)]
    ear = [rod(canvas, petrous, 4.5, 0.2, step_mm=20.0),
           knob(canvas, (side * 56, 26, 690), (10, 13, 17), 1.6, 0.1, 0.2)]  # fmt: skip
    paint_bone(canvas, bone, ear)
    face = [
        rod(canvas, arch, 2.2, 0.2, step_mm=24.0),
        rod(canvas, rim, 2.0, 0.2, step_mm=18.0),
        plate(canvas, temple, 4.0, 2.0, 0.2),
        plate(canvas, cheek, 4.0, 2.0, 0.2),
        rod(canvas, pterygoid, 2.5, 0.2),
    ]
    paint_bone(canvas, bone, face)


def _jaws(canvas: Canvas, patient: Patient, bone: BoneTissue) -> None:
    mirror = np.array([-1, 1, 1, 1])
    whole = [np.concatenate([arch, arch[::-1] * mirror]) for arch in (MANDIBLE, MAXILLA)]
    paint_bone(canvas, bone, rod(canvas, whole[0], 2.2, 0.3, 0.9, 20.0))
    upper = rod(canvas, whole[1], 1.8, 0.3, 0.9, 20.0)
    palate = knob(canvas, (0, -50, 680), (28, 32, 6), 2.0, 0.2)
    paint_bone(canvas, bone, [upper, palate])
    _teeth(canvas, patient)


def _teeth(canvas: Canvas, patient: Patient) -> None:
    rng = patient.stream("teeth")
    mirror = np.array([-1, 1, 1, 1])
    if canvas.box((0, -60, 658), 30.0) == EMPTY:
        return
    kept = float(np.clip(1.25 - 0.011 * patient.build.age + rng.normal(0, 0.2), 0, 1))
    for arch in (LOWER_TEETH, UPPER_TEETH):
        whole = np.concatenate([arch, arch[::-1] * mirror])
        row = tube(canvas, whole, reach=1.05)
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

"""Where the great vessels of the trunk run, and how wide they are. Body mm: x, y, z, radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.frame.envelope import spine_y
from PETAnomalyLib.engine.phantom.inlet import CAROTID, JUGULAR
from PETAnomalyLib.engine.phantom.patient.build import Build

Vector = NDArray[np.float64]

WIDER_A_YEAR = 0.005  # width of arteries, of the lines' below at 50 years
BOVINE = 0.15  # share of people whose left carotid springs from the brachiocephalic trunk
ANEURYSM, ANEURYSM_MM = 0.07, (15.0, 26.0)  # of the abdominal aorta at 80: share, radius
STEP_MM = 16.0  # between points of a line


@dataclass(frozen=True)
class Vessel:
    """A vessel.

    Attributes:
        name: of the vessel.
        place: of `contrast.PLACES`.
        line: smooth, n x 4.
        large: whether its wall is thick enough to be seen.
    """

    name: str
    place: str
    line: Vector
    large: bool = False


def great_vessels(rng: Generator, build: Build, heart: Vector) -> list[Vessel]:
    """All of them, arteries first.

    Args:
        rng: how they vary.
        build: arteries widen and bend with age.
        heart: body point in the middle of the heart.
    """
    old = max(0.0, (build.age - 50) / 30)
    artery = float(np.clip(rng.normal(1 + WIDER_A_YEAR * (build.age - 50), 0.07), 0.78, 1.35))
    vein = float(rng.normal(1, 0.08))
    bow, arch = rng.normal(0, 3 + 3 * old), rng.normal(0, 4)
    bovine = rng.random() < BOVINE
    aneurysm = rng.uniform(*ANEURYSM_MM) if rng.random() < ANEURYSM * old else 0.0
    courses = [
        *_aorta(heart, bow, arch, old, aneurysm / artery), *_neck(arch, bovine), *_lungs(heart),
        *_veins(heart, bow), *_legs(build),
    ]  # fmt: skip
    return [
        Vessel(
            name, place,
            smooth_line(np.array(line) * [1, 1, 1, artery if place == "artery" else vein], STEP_MM),
            large,
        )
        for name, place, line, large in courses
    ]  # fmt: skip


Course = tuple[str, str, list[tuple[float, ...]], bool]


def _aorta(heart: Vector, bow: float, arch: float, old: float, aneurysm: float) -> list[Course]:
    """From the valve to its fork; an aneurysm widens it below the kidneys."""
    x, y, z = heart
    out = 3 * old
    wide = max(9.0, aneurysm)
    return [
        ("aorta", "artery", [
            (x - 8, y + 14, z + 16, 13.5), (x - 24, y + 4, z + 46, 14.5),
            (-10 - out, -22, 487 + arch, 14), (2, -8, 499 + arch, 13),
            (16, 16, 497 + arch, 12.5), (23 + out, 33, 478 + arch, 12), (23 + out, 35, 440, 11.5),
            (20 + bow, 28, 395, 11), (12, spine_y(340) - 28, 340, 10.5),
            (9, spine_y(275) - 31, 275, 10), (8 + bow, spine_y(225) - 32, 225, 9.3),
            (7 + bow, spine_y(190) - 24 - wide, 190, wide),
            (4, spine_y(150) - 34, 150, 8.5)], True),
    ]  # fmt: skip


def _neck(arch: float, bovine: bool) -> list[Course]:
    """Arteries from the arch to head and arms; in some the left carotid leaves the trunk."""
    trunk = (-14, -15, 524, 6.5)
    root = (-7, -14, 510 + arch, 4.5) if bovine else (8, -3, 502 + arch, 4.5)
    return [
        ("brachiocephalic trunk", "artery", [(-3, -13, 502 + arch, 7), trunk, (-18, -10, 534, 6)],
         True),
        ("right carotid", "artery",
         [(-17, -10, 530, 4.5), (-CAROTID[0], *CAROTID[1:3], CAROTID[3])], False),
        ("left carotid", "artery", [root, (15, -7, 525, 4), CAROTID], True),
        ("right subclavian", "artery",
         [(-17, -10, 532, 5), (-32, -2, 550, 5), (-64, 0, 556, 4.5), (-112, 2, 528, 4.5)], True),
        ("left subclavian", "artery",
         [(18, 16, 504 + arch, 5), (22, 4, 538, 5), (34, 0, 552, 5), (64, 0, 556, 4.5),
          (112, 2, 528, 4.5)], True),
    ]  # fmt: skip


def _lungs(heart: Vector) -> list[Course]:
    x, y, z = heart
    fork = (x - 2, y + 14, z + 52, 12.5)
    courses: list[Course] = [
        ("pulmonary trunk", "pulmonary", [(x - 6, y - 18, z + 26, 12), (x, y - 6, z + 42, 13),
                                          fork], False),
        ("right pulmonary artery", "pulmonary",
         [fork, (x - 26, y + 26, z + 50, 10), (-40, 6, z + 42, 8), (-52, 14, z + 24, 6)], False),
        ("left pulmonary artery", "pulmonary",
         [fork, (30, 8, z + 54, 10), (44, 16, z + 44, 8), (52, 22, z + 24, 6)], False),
    ]  # fmt: skip
    for side in (-1, 1):
        for rise in (16, -10):
            courses.append(
                ("pulmonary vein", "left heart",
                 [(x + 8 + side * 20, y + 30, z + 24, 6.5),
                  (side * 44, 18, z + 22 + 0.7 * rise, 5.5),
                  (side * 58, 18 - 0.3 * rise, z + 22 + 1.8 * rise, 4)], False)
            )  # fmt: skip
    return courses


def _veins(heart: Vector, bow: float) -> list[Course]:
    x, y, z = heart
    atrium = (x - 43, y + 22)
    root = (-22, -20, 518)
    return [
        ("superior vena cava", "upper vein",
         [(*root, 8), (-25, -12, 490, 9), (*atrium, z + 48, 9), (*atrium, z + 34, 9)], False),
        ("right brachiocephalic vein", "upper vein",
         [(-JUGULAR[0], *JUGULAR[1:3], 7), (-25, -18, 530, 7), (*root, 7.5)], False),
        ("left brachiocephalic vein", "upper vein",
         [JUGULAR, (20, -30, 528, 6.5), (0, -38, 517, 6.5), (*root, 7)], False),
        ("right subclavian vein", "upper vein",
         [(-27, -14, 540, 6), (-62, -18, 550, 5.5), (-108, -8, 522, 5)], False),
        ("left subclavian vein", "upper vein",
         [(26, -14, 540, 6), (62, -18, 550, 5.5), (108, -8, 522, 5)], False),
        ("inferior vena cava", "right heart",
         [(*atrium, z - 6, 11), (-25, 4, 378, 11), (-24, 6, 350, 10.5),
          (-23, spine_y(300) - 26, 300, 10.5)], False),
        ("inferior vena cava", "lower vein",
         [(-23, spine_y(300) - 26, 300, 10.5), (-20 + 0.4 * bow, spine_y(220) - 30, 220, 10),
          (-13, spine_y(145) - 30, 145, 10)], False),
    ]  # fmt: skip


def _legs(build: Build) -> list[Course]:
    """Iliac, femoral and popliteal vessels; veins behind and within of arteries."""
    hip = build.hips
    courses: list[Course] = []
    for side in (-1, 1):
        artery: list[tuple[float, ...]]
        artery = [(side * 4, spine_y(150) - 34, 150, 6.5), (side * 30, 14, 108, 6),
                  (side * 54, -16, 66, 5), (side * 72 * hip, -62, 12, 4.8),
                  (side * 76 * hip, -58, -40, 4.5), (side * 70 * hip, -34, -150, 4),
                  (side * 64 * hip, 2, -250, 3.8), (side * 72 * hip, 24, -360, 3.5),
                  (side * 72 * hip, 22, -400, 3.2)]  # fmt: skip
        vein: list[tuple[float, ...]]
        vein = [(x - side * (0 if z > 140 else 11), y + (6 if z > 60 else 3), z, 1.15 * radius)
                for x, y, z, radius in artery]  # fmt: skip
        vein[0] = (-13, spine_y(145) - 29, 146, 7)
        courses.append(("iliac and femoral artery", "artery", artery, True))
        courses.append(("iliac and femoral vein", "leg vein", vein, False))
    return courses

"""How the limbs lie: the lines of arms and legs through the joints, for this patient's build.

Both skin and bones follow them, so that bones lie within their limb whatever the arms do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.frame.envelope import LOWEST_MM, Envelope
from PETAnomalyLib.engine.phantom.patient.build import Build
from PETAnomalyLib.engine.phantom.patient.patient import Patient

Line = list[tuple[float, ...]]
SIDES = (-1, 1)
BESIDE_MM = 18.0  # of the grid beyond the body: tilt, deformation and how the patient lies
KNEE_MM, ANKLE_MM = -402.0, -800.0  # body z


@dataclass(frozen=True)
class Arm:
    """An arm, in body coordinates.

    Attributes:
        side: +1 the patient's left, -1 the right.
        shoulder: the middle of the humeral head.
        elbow, wrist, fingertips: points.
        across: unit vector over the palm, to the thumb.
        line: (x, y, z, radius of the muscles) from axilla to wrist.
        fat_mm: over the muscles.
    """

    side: int
    shoulder: Vector
    elbow: Vector
    wrist: Vector
    fingertips: Vector
    across: Vector
    line: Vector
    fat_mm: float


@dataclass(frozen=True)
class Leg:
    """A leg, in body coordinates.

    Attributes:
        side: +1 the patient's left, -1 the right.
        hip, knee, ankle, toes: the middles of femoral head, knee and ankle, the end of the foot.
        line: (x, y, z, radius of the muscles, fat over them) from the groin to the ankle.
    """

    side: int
    hip: Vector
    knee: Vector
    ankle: Vector
    toes: Vector
    line: Vector


def off(point: Vector, x: float, y: float, z: float) -> Vector:
    """A point x, y and z mm from another."""
    return point + np.array([x, y, z], float)


def scanned_mm(canvas: Canvas) -> tuple[float, float]:
    """Body z between which all voxels of a scan lie, with what tilt and deformation add."""
    pose = canvas.pose
    return pose.bottom_mm - 40.0, pose.bottom_mm + pose.length_mm / float(pose.scale[2]) + 40.0


def half_widths_mm(build: Build) -> tuple[float, float]:
    """Half of the grid that the posture needs, x and y, patient mm."""
    breadth = np.sqrt(build.height_cm / 170.0) * (0.95 if build.female else 1.0) * 1.04
    belly = max(build.visceral - 0.3, 0)
    trunk = max(163 * build.hips + 1.2 * build.fat_mm, 140 + 22 * belly + 1.2 * build.fat_mm)
    trunk = max(trunk, 152 * build.shoulders + 20 + 0.6 * build.fat_mm)
    beside = {"up": 262 * build.shoulders, "down": 245 + beside_mm(build),
              "crossed": 240 + beside_mm(build)}[build.arms]  # fmt: skip
    front = 106 + 57 * belly + 1.1 * build.fat_mm + (72 if build.arms == "crossed" else 18)
    front = max(front, 150 + (25 + 0.3 * build.fat_mm) * build.female)
    return (
        float(max(trunk, beside + 0.4 * build.fat_mm) * breadth + BESIDE_MM),
        float(front * breadth + BESIDE_MM),
    )


def beside_mm(build: Build) -> float:
    """How much farther out the arms of this build lie than those of a lean one."""
    return 1.05 * build.fat_mm + 22 * build.visceral


def draw_arms(patient: Patient, envelope: Envelope) -> tuple[Arm, Arm]:
    """Right and left arm."""
    right, left = (_arm(patient, envelope, side) for side in SIDES)
    return right, left


def _arm(patient: Patient, envelope: Envelope, side: int) -> Arm:
    build = patient.build
    rng = patient.stream(f"arm {side}")
    b, out, thick = build.shoulders, beside_mm(build), np.sqrt(build.muscle)
    turn = rng.normal(0, 6, 3)
    if build.arms == "up":
        shoulder = np.array([138 * b, 10, 545.0])
        elbow = np.array([216 * b, -14, 800.0]) + turn
        wrist = np.array([22.0, -52, 888]) + 1.5 * turn
        tip, across = off(wrist, -175, 6, 14), np.array([0, 0.35, 0.94])
        line = [(118 * b, 8, 508, 50), (146 * b, 4, 562, 50), (178 * b, -4, 650, 44),
                (204 * b, -11, 750, 39), (*elbow, 37)]  # fmt: skip
    else:
        shoulder = np.array([158 * b, 10, 527.0])
        forward = -58.0 if build.arms == "crossed" else 10.0
        elbow = np.array([202 + out, forward, 232]) + 0.7 * turn
        line = [(128 * b, 6, 537, 40), (168 * b, 8, 520, 48),
                (176 * b + 0.3 * out, 7 + 0.25 * forward, 440, 42),
                (190 * b + 0.7 * out, 4 + 0.6 * forward, 340, 38), (*elbow, 35)]  # fmt: skip
        if build.arms == "down":
            wrist = np.array([204 + out, -22, -12.0]) + turn
            tip, across = off(wrist, -8, -16, -178), np.array([0.25, -0.97, 0])
        else:
            level = int(235 - LOWEST_MM)
            front = envelope.middle[level] - envelope.depth[level] - 0.9 * envelope.fat[level]
            wrist = np.array([30 + 0.2 * out, front - 25, 212 + (26 if side > 0 else -14)]) + turn
            tip, across = off(wrist, -165, 10, 12), np.array([0, -0.3, 0.95])
    path = [*line, *_between(elbow, wrist), (*wrist, 23)]
    mirror = np.array([side, 1, 1])
    knots = np.array(path, float) * [side, 1, 1, 1]
    knots[:, 3] *= thick
    return Arm(
        side, shoulder * mirror, elbow * mirror, wrist * mirror, tip * mirror,
        across * mirror, knots, 0.35 * build.fat_mm + 1,
    )  # fmt: skip


def _between(elbow: Vector, wrist: Vector) -> Line:
    """The forearm: thickest below the elbow."""
    return [(*(elbow + t * (wrist - elbow)), r) for t, r in ((0.22, 38), (0.55, 31), (0.85, 23))]


def draw_legs(patient: Patient) -> tuple[Leg, Leg]:
    """Right and left leg: supine, the feet falling outwards."""
    right, left = (_leg(patient, side) for side in SIDES)
    return right, left


def _leg(patient: Patient, side: int) -> Leg:
    build = patient.build
    rng = patient.stream(f"leg {side}")
    h, fat = build.hips, build.fat_mm
    apart = np.array([rng.normal(0, 7), rng.normal(0, 4), 0])
    hip = np.array([88 * h, 4, 14.0])
    knee = np.array([80 * h, 2, KNEE_MM]) + 0.6 * apart
    ankle = np.array([80 * h, 8, ANKLE_MM]) + 1.3 * apart
    toes = off(ankle, 38 + rng.normal(0, 12), -150 + rng.normal(0, 12), -56 + rng.normal(0, 12))
    line = [
        (82 * h, 8, 62, 78, 0.75), (86 * h, 4, -30, 82, 0.8), (86 * h, 0, -150, 75, 0.75),
        (82 * h, -2, -290, 61, 0.6), (*off(knee, 0, -2, 40), 52, 0.45), (*knee, 52, 0.35),
        (*off(knee, 0, 12, -85), 51, 0.35), (*off(knee, 0, 15, -140), 51, 0.35),
        (*off(0.4 * knee + 0.6 * ankle, 0, 4, 0), 37, 0.3), (*off(ankle, 0, 0, 45), 29, 0.2),
        (*off(ankle, 0, 6, 0), 31, 0.15),
    ]  # fmt: skip
    knots = np.array(line, float)
    knots[:, 3] *= np.sqrt(build.muscle)
    knots[:, 4] = knots[:, 4] * fat + 1
    mirror = np.array([side, 1, 1])
    knots[:, 0] *= side
    return Leg(side, hip * mirror, knee * mirror, ankle * mirror, toes * mirror, knots)

"""Skin, fat, muscle and the body cavities: the envelope that the organs are painted into."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas import Array, Box, Canvas, Mask, Vector, smooth_line
from PETAnomalyLib.engine.phantom.patient import Build, Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

LOWEST_MM, HIGHEST_MM = -420, 900  # body z that the profiles below cover
PERINEUM_MM = -38

# Body z, then half widths to the outside of the muscles (x, y) of a lean reference body, mm.
MUSCLE_PROFILE = np.array(
    [
        (-60, 150, 92), (0, 160, 97), (40, 160, 100), (100, 150, 97), (170, 138, 92),
        (240, 138, 95), (330, 146, 103), (420, 150, 106), (490, 152, 101), (525, 150, 90),
        (552, 120, 76), (572, 78, 62), (590, 60, 57), (620, 54, 55), (645, 57, 60),
        (668, 63, 80), (700, 69, 92), (760, 72, 95),
    ]
)  # fmt: skip
# Body z, then half widths (x, y) and middle y of the thoracic, abdominal and pelvic cavity, mm.
CAVITY_PROFILE = np.array(
    [
        (-40, 30, 30, 0), (0, 48, 50, 0), (50, 58, 58, -4), (85, 74, 66, -8), (125, 106, 72, -12),
        (200, 121, 76, -13), (290, 128, 84, -6), (350, 133, 89, 0), (420, 133, 90, 0),
        (480, 122, 82, 2), (520, 96, 66, 8), (548, 66, 46, 14), (566, 40, 26, 16), (575, 5, 5, 16),
    ]
)  # fmt: skip
FAT_PROFILE = np.array(
    [(-200, 0.7), (0, 1.25), (60, 1.2), (170, 1.1), (260, 1.0), (350, 0.75), (430, 0.6),
     (520, 0.5), (560, 0.5), (590, 0.35), (640, 0.3), (700, 0.15)]
)  # fmt: skip
SPINE_Y = np.array(
    [(-60, 62), (0, 76), (45, 78), (85, 62), (120, 40), (190, 27), (275, 34), (350, 46),
     (430, 55), (500, 50), (560, 33), (620, 20), (700, 14)]
)  # fmt: skip

Z_TABLE = np.arange(LOWEST_MM, HIGHEST_MM + 1)


def profile(knots: Vector, column: int = 1) -> Vector:
    """One column of a profile, for every mm of body z in `Z_TABLE`."""
    return np.interp(Z_TABLE, knots[:, 0], knots[:, column])


SPINE_TABLE = profile(SPINE_Y).astype(np.float32)


def spine_y(z: float) -> float:
    """Body y of the middle of the vertebral bodies at body z."""
    return float(np.interp(z, SPINE_Y[:, 0], SPINE_Y[:, 1]))


class Envelope:
    """The body's layers on a canvas.

    Attributes:
        level: body z of each voxel as an index of a `Z_TABLE` profile.
        trunk: relative squared radius of the muscle layer (1 = its outside).
        cavity: the same of the body cavities (1 = their wall).
        diaphragm: body z of the diaphragm above or below each voxel.
    """

    def __init__(self, canvas: Canvas, patient: Patient) -> None:
        build = patient.build
        self.level = np.clip(canvas.z - LOWEST_MM, 0, len(Z_TABLE) - 1).astype(np.int16)
        self.belly = np.exp(-(((Z_TABLE - 180) / 110.0) ** 2)) * (build.visceral - 0.3)
        width, depth = profile(MUSCLE_PROFILE, 1), profile(MUSCLE_PROFILE, 2)
        shoulders = 1 + (build.shoulders - 1) * np.clip((Z_TABLE - 250) / 150.0, 0, 1)
        hips = 1 + (build.hips - 1) * np.clip((200 - Z_TABLE) / 120.0, 0, 1)
        width = width * shoulders * hips
        fat = profile(FAT_PROFILE) * build.fat_mm
        grow_x, grow_y = 22 * self.belly, 30 * self.belly
        self.width, self.depth = width + grow_x, depth + grow_y
        self.middle = -0.9 * grow_y
        self.fat = fat
        self.trunk = self._oval(canvas, self.width, self.depth, self.middle, 0.35)
        self.skin = self._oval(
            canvas, self.width + fat, self.depth + 0.85 * fat, self.middle - 0.1 * fat, 0.35
        )
        self.cavity = self._oval(
            canvas,
            profile(CAVITY_PROFILE, 1) * (0.5 + 0.5 * shoulders) + grow_x,
            profile(CAVITY_PROFILE, 2) + grow_y,
            profile(CAVITY_PROFILE, 3) + self.middle,
            0.25,
        )
        self.spine = SPINE_TABLE[self.level]
        rng = patient.stream("diaphragm")
        dome_right = rng.normal(388, 9)
        dome_left = dome_right - rng.normal(12, 5)
        right = _dome(canvas, -68, -8, dome_right)
        left = _dome(canvas, 70, -8, dome_left)
        self.dome_right = float(dome_right)
        self.diaphragm = np.maximum(right, left)

    def _oval(self, canvas: Canvas, a: Vector, b: Vector, middle: Vector, square: float) -> Array:
        """Squared relative radius in ovals of half widths `a`, `b` round y = `middle`."""
        u = canvas.x / np.asarray(a, np.float32)[self.level]
        v = (canvas.y - np.asarray(middle, np.float32)[self.level]) / np.asarray(b, np.float32)[
            self.level
        ]
        u *= u
        v *= v
        total = u + v
        u *= u
        v *= v
        total *= 1 - square
        total += square * (u + v)
        return total


def _dome(canvas: Canvas, x: float, y: float, top: float) -> Array:
    """Body z of half a diaphragm: a dome over (x, y) that falls to the costophrenic recess."""
    fall = ((canvas.x - x) / 66) ** 2 + ((canvas.y - y) / 74) ** 2
    return np.maximum(top - 34 * fall, top - 92).astype(np.float32)


def paint_envelope(canvas: Canvas, patient: Patient) -> Envelope:
    """Paint skin, fat, muscle, limbs and cavities; return the layers for the organs to refer to."""
    envelope = Envelope(canvas, patient)
    fat, muscle = patient.uptake.fat, patient.uptake.muscle
    whole = (slice(None), slice(None), slice(None))
    trunk = canvas.z > PERINEUM_MM
    # The trunk rounds off towards the perineum; the thighs take over.
    ending = np.clip((25 - Z_TABLE) / (25.0 - PERINEUM_MM), 0, 1) ** 2
    ending = ending.astype(np.float32)[envelope.level]
    envelope.skin += ending
    envelope.trunk += ending
    ripple = 1 + 0.02 * canvas.rough[0]
    fat_suv = (fat * (1 + 0.15 * canvas.rough[2])).astype(np.float32)
    muscle_suv = (muscle * (1 + 0.10 * canvas.rough[1])).astype(np.float32)
    canvas.fill(whole, (envelope.skin * ripple < 1) & trunk, Tissue.FAT, fat_suv, -102.0)
    if patient.build.female:
        _breasts(canvas, patient, envelope)
    lean: list[tuple[Box, Mask]] = []
    for line, fat_mm in limbs(patient.build, envelope):
        knots = smooth_line(line, 45.0)
        tube = canvas.tube(knots + np.array([0, 0, 0, fat_mm]), reach=1.02)
        canvas.fill(tube.box, tube.rel < 1, Tissue.FAT, fat_suv[tube.box], -102.0)
        bare = (knots[:, 3] / (knots[:, 3] + fat_mm)).astype(np.float32)
        lean.append((tube.box, tube.rel < bare[tube.segment]))
    bottom, level = canvas.ellipsoid((0, 54, 0), (128, 60, 98), roughness=0.03)
    canvas.fill(bottom, level < 1, Tissue.FAT, fat_suv[bottom], -102.0)
    for box, inside in lean:
        canvas.fill(box, inside, Tissue.MUSCLE, muscle_suv[box], 52.0)
    canvas.fill(whole, (envelope.trunk * ripple < 1) & trunk, Tissue.MUSCLE, muscle_suv, 52.0)
    _fat_planes(canvas, fat)
    _cavities(canvas, patient, envelope)
    return envelope


def limbs(build: Build, envelope: Envelope) -> list[tuple[list[tuple[float, ...]], float]]:
    """Lines (x, y, z, radius of the muscles) of right thigh, right arm, left thigh, left arm, with
    the fat over them.
    """
    found: list[tuple[list[tuple[float, ...]], float]] = []
    hip, shoulder = 84 * build.hips, build.shoulders
    thigh = build.fat_mm * 0.75
    arm = build.fat_mm * 0.35
    for side in (-1, 1):
        line: list[tuple[float, ...]]
        line = [(side * hip, 4, 55, 82), (side * hip * 1.02, 2, -30, 82),
                (side * hip * 0.98, -2, -150, 74), (side * hip * 0.9, -6, -330, 60)]  # fmt: skip
        found.append((line, thigh))
        if build.arms == "up":
            line = [(side * 118 * shoulder, 8, 510, 52), (side * 150 * shoulder, 2, 562, 52),
                    (side * 182 * shoulder, -8, 640, 42),
                    (side * 205 * shoulder, -20, 800, 37)]  # fmt: skip
        else:
            out = float(envelope.fat[int(200 - LOWEST_MM)]) + 22 * build.visceral
            line = [(side * 130 * shoulder, 6, 535, 42), (side * 172 * shoulder, 8, 515, 47),
                    (side * (200 * shoulder + 0.5 * out), 12, 400, 38),
                    (side * (202 + out), 8, 250, 34), (side * (206 + out), -10, 120, 28),
                    (side * (198 + out), -25, 10, 24),
                    (side * (188 + out), -30, -90, 26)]  # fmt: skip
        found.append((line, arm))
    return found


def _breasts(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    rng = patient.stream("breast")
    size = rng.uniform(32, 48) + 0.5 * patient.build.fat_mm
    glandular = rng.uniform(0.6, 1.4)
    front = -float(envelope.depth[430 - LOWEST_MM])
    z = rng.normal(425, 8)
    for side in (-1, 1):
        centre = (side * rng.normal(78, 4), front + 8, z + rng.normal(0, 4))
        canvas.blob(centre, (size * 1.15, size * 0.95, size), Tissue.FAT, patient.uptake.fat, -100)
        inner = (centre[0], centre[1] - 0.35 * size, centre[2])
        canvas.blob(
            inner,
            (size * 0.55, size * 0.5, size * 0.5),
            Tissue.BREAST,
            glandular,
            10,
            roughness=0.3,
        )


def _fat_planes(canvas: Canvas, fat: float) -> None:
    """Fat between the muscles of limbs, neck and axillae: the grey seams of CT."""
    seam = np.abs(canvas.rough[1]) < 0.09
    limb = (canvas.z < 60) | ((canvas.z > 470) & (canvas.z < 650))
    seam &= limb & (canvas.tissue == Tissue.MUSCLE)
    whole = (slice(None), slice(None), slice(None))
    canvas.fill(whole, seam, Tissue.FAT, fat, -85.0)
    for side in (-1, 1):
        canvas.blob((side * 126, 2, 492), (20, 30, 42), Tissue.FAT, fat, -98, (0, side * -20, 0))
        canvas.blob((side * 72, -78, 5), (24, 20, 45), Tissue.FAT, fat, -98)
        canvas.blob((side * 48, 2, 570), (24, 22, 20), Tissue.FAT, fat, -95)
    canvas.blob((0, 60, -25), (30, 26, 40), Tissue.FAT, fat, -98)


def _cavities(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    uptake = patient.uptake
    whole = (slice(None), slice(None), slice(None))
    inside = envelope.cavity < 1
    above = canvas.z > envelope.diaphragm
    chest = inside & above & (canvas.z > 270)
    back = (canvas.y > envelope.spine + 4) & (np.abs(canvas.x) < 66) & ~above
    belly = inside & ~above & ~back & (canvas.z > -25)
    canvas.fill(whole, belly, Tissue.VISCERAL_FAT, None, -104.0)
    rng = patient.stream("lungs")
    middle = (24 + 14 * np.exp(-(((Z_TABLE - 420) / 60) ** 2))).astype(np.float32)[envelope.level]
    middle -= np.clip((-canvas.y - 30) * 0.3, 0, 12) * (canvas.z > 440)
    lung = chest & (np.abs(canvas.x) > middle)
    canvas.fill(whole, chest, Tissue.SOFT, None, -25.0)
    canvas.suv[chest] = 0.55 * uptake.blood * (1 + 0.08 * canvas.rough[1][chest])
    front = chest & (canvas.y < -38) & (canvas.z > 430)
    canvas.fill(whole, front, Tissue.VISCERAL_FAT, None, -95.0)
    fat = belly | front
    canvas.suv[fat] = 1.1 * uptake.fat * (1 + 0.15 * canvas.rough[2][fat])
    base = rng.normal(-800, 35)
    # Gravity: the dependent lung is denser and better perfused.
    sag, grain = 0.0022 * canvas.y[lung], canvas.rough[2][lung]
    canvas.tissue[lung] = Tissue.LUNG
    canvas.suv[lung] = uptake.lung * (1 + 1.2 * sag + 0.12 * grain)
    canvas.hu[lung] = base * (1 - 0.35 * sag) + 18 * grain

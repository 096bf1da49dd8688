"""Skin, fat, muscle and the body cavities: the envelope that the organs are painted into."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import WHOLE, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

LOWEST_MM, HIGHEST_MM = -950, 950  # body z that the profiles below cover
PERINEUM_MM = -38

# Body z, then half widths to the outside of the muscles (x, y) of a lean reference body, mm.
MUSCLE_PROFILE = np.array(
    [
        (-60, 150, 92), (0, 160, 97), (40, 160, 100), (100, 150, 97), (170, 138, 92),
        (240, 138, 95), (330, 146, 103), (420, 150, 106), (490, 152, 101), (525, 150, 90),
        (552, 120, 76), (572, 78, 62), (590, 60, 57), (620, 54, 55), (645, 57, 60),
        (668, 63, 80), (700, 69, 92), (760, 74, 96), (800, 66, 86), (825, 45, 60), (840, 5, 5),
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
     (520, 0.5), (560, 0.5), (590, 0.35), (640, 0.3), (700, 0.15), (840, 0.1)]
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
        width, depth, middle, fat: for every mm of `Z_TABLE`: half widths to the outside of the
            muscles, their middle y, and the thickness of the fat.
        skin, trunk, cavity: relative squared radius of the skin, the muscle layer and the body
            cavities (1 = the outside of each).
        spine: body y of the middle of the vertebral bodies at each voxel's level.
        diaphragm: body z of the diaphragm above or below each voxel.
        dome_right: body z of the top of its right dome.
    """

    def __init__(self, canvas: Canvas, patient: Patient) -> None:
        build = patient.build
        self.level = np.clip(canvas.z - LOWEST_MM, 0, len(Z_TABLE) - 1).astype(np.int16)
        belly = np.exp(-(((Z_TABLE - 180) / 110.0) ** 2)) * (build.visceral - 0.3)
        width, depth = profile(MUSCLE_PROFILE, 1), profile(MUSCLE_PROFILE, 2)
        shoulders = 1 + (build.shoulders - 1) * np.clip((Z_TABLE - 250) / 150.0, 0, 1)
        shoulders[Z_TABLE > 600] = 1
        hips = 1 + (build.hips - 1) * np.clip((200 - Z_TABLE) / 120.0, 0, 1)
        self.fat = profile(FAT_PROFILE) * build.fat_mm
        grow_x, grow_y = 22 * belly, 30 * belly
        self.width, self.depth = width * shoulders * hips + grow_x, depth + grow_y
        self.middle = -0.9 * grow_y
        self.trunk = self._oval(canvas, self.width, self.depth, self.middle, 0.35)
        self.skin = self._oval(
            canvas,
            self.width + self.fat,
            self.depth + 0.85 * self.fat,
            self.middle - 0.1 * self.fat,
            0.35,
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
        self.dome_right = float(rng.normal(388, 9))
        right = _dome(canvas, -68, -8, self.dome_right)
        left = _dome(canvas, 70, -8, self.dome_right - rng.normal(12, 5))
        self.diaphragm = np.maximum(right, left)

    def _oval(self, canvas: Canvas, a: Vector, b: Vector, middle: Vector, square: float) -> Array:
        """Squared relative radius in ovals of half widths `a`, `b` round y = `middle`."""
        u = canvas.x / np.asarray(a, np.float32)[self.level]
        v = canvas.y - np.asarray(middle, np.float32)[self.level]
        v /= np.asarray(b, np.float32)[self.level]
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
    """Paint fat, muscle and cavities; return the layers for the organs to refer to."""
    envelope = Envelope(canvas, patient)
    fat, muscle = patient.suv(Organ.FAT), patient.suv(Organ.MUSCLE)
    trunk = canvas.z > PERINEUM_MM
    # The trunk rounds off towards the perineum; the thighs take over.
    ending = np.clip((25 - Z_TABLE) / (25.0 - PERINEUM_MM), 0, 1) ** 2
    ending = ending.astype(np.float32)[envelope.level]
    envelope.skin += ending
    envelope.trunk += ending
    ripple = 1 + 0.02 * canvas.rough[0]
    canvas.fill(
        WHOLE, (envelope.skin * ripple < 1) & trunk, Organ.FAT,
        canvas.mottled(fat, WHOLE, 0.15), patient.hu(Organ.FAT),
    )  # fmt: skip
    canvas.fill(
        WHOLE, (envelope.trunk * ripple < 1) & trunk, Organ.MUSCLE,
        canvas.mottled(muscle, WHOLE, 0.1, 1), patient.hu(Organ.MUSCLE),
    )  # fmt: skip
    _cavities(canvas, patient, envelope)
    return envelope


def _cavities(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    inside = envelope.cavity < 1
    above = canvas.z > envelope.diaphragm
    chest = inside & above & (canvas.z > 270)
    back = (canvas.y > envelope.spine + 4) & (np.abs(canvas.x) < 66) & ~above
    belly = inside & ~above & ~back & (canvas.z > -25)
    fat = canvas.mottled(patient.suv(Organ.VISCERAL_FAT), WHOLE, 0.15)
    fat_hu = patient.hu(Organ.VISCERAL_FAT)
    canvas.fill(WHOLE, belly, Organ.VISCERAL_FAT, fat, fat_hu)
    middle = (24 + 14 * np.exp(-(((Z_TABLE - 420) / 60) ** 2))).astype(np.float32)[envelope.level]
    middle -= np.clip((-canvas.y - 30) * 0.3, 0, 12) * (canvas.z > 440)
    soft = canvas.mottled(patient.suv(Organ.SOFT), WHOLE, 0.08, 1)
    canvas.fill(WHOLE, chest, Organ.SOFT, soft, patient.hu(Organ.SOFT))
    front = chest & (canvas.y < -38) & (canvas.z > 430)
    canvas.fill(WHOLE, front, Organ.VISCERAL_FAT, fat, fat_hu)
    lung = chest & (np.abs(canvas.x) > middle)
    # Gravity: the dependent lung is denser and better perfused.
    sag = np.float32(0.0022) * canvas.y
    suv = patient.suv(Organ.LUNG) * (1 + 1.2 * sag + 0.12 * canvas.rough[2])
    hu = patient.hu(Organ.LUNG) * (1 - 0.35 * sag) + 18 * canvas.rough[2]
    canvas.fill(WHOLE, lung, Organ.LUNG, suv.astype(np.float32), hu.astype(np.float32))

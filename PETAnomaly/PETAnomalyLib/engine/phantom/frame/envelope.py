"""Skin, fat, muscle and the body cavities: the envelope that the organs are painted into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

LOWEST_MM, HIGHEST_MM = -950, 950  # body z that the profiles below cover
PERINEUM_MM, VERTEX_MM = -38, 845

# Body z, then half widths to the outside of the muscles (x, y) of a lean reference body, and the
# middle of neck, jaw and skull (y), mm: the chin juts out in front, the occiput behind.
MUSCLE_PROFILE = np.array(
    [
        (-60, 150, 92, 0), (0, 160, 97, 0), (40, 160, 100, 0), (100, 150, 97, 0),
        (170, 138, 92, 0), (240, 138, 95, 0), (330, 146, 103, 0), (420, 150, 106, 0),
        (490, 152, 101, 0), (525, 150, 90, 0), (552, 120, 76, 0), (572, 78, 62, 1),
        (590, 60, 57, 4), (614, 55, 57, 6), (630, 55, 70, -7), (645, 58, 78, -11),
        (668, 63, 84, -12), (700, 69, 91, -8), (730, 74, 96, -3), (760, 76, 98, -1),
        (790, 73, 93, -1), (810, 64, 81, -1), (821, 55, 70, -1), (831, 43, 54, -1),
        (839, 28, 35, -1), (844, 11, 13, -1), (846, 0.3, 0.3, -1),
    ]
)  # fmt: skip
# Body z, then half widths (x, y) and middle y of the thoracic, abdominal and pelvic cavity, mm.
CAVITY_PROFILE = np.array(
    [
        (-40, 30, 30, 0), (0, 48, 50, 0), (50, 58, 58, -4), (85, 74, 66, -8), (125, 106, 72, -12),
        (200, 121, 76, -13), (290, 128, 84, -6), (350, 133, 89, 0), (420, 133, 90, 0),
        (480, 122, 82, 2), (520, 96, 66, 8), (548, 66, 46, 14), (566, 40, 26, 16), (575, 5, 5, 16),
        (577, 0.1, 0.1, 16),
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


MEDIASTINUM_TABLE = (24 + 14 * np.exp(-(((Z_TABLE - 420) / 60) ** 2))).astype(np.float32)
"""Half width of the mediastinum between the lungs, mm, at every body z of `Z_TABLE`."""


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
        dome_right, dome_left: body z of the tops of its domes.
        arms: voxels in the arms, once limbs are painted.
    """

    def __init__(self, canvas: Canvas, patient: Patient) -> None:
        build = patient.build
        self.level = np.empty(canvas.shape, np.int16)
        self.arms = np.zeros(canvas.shape, bool)
        belly = np.exp(-(((Z_TABLE - 180) / 110.0) ** 2)) * (build.visceral - 0.3)
        width, depth = profile(MUSCLE_PROFILE, 1), profile(MUSCLE_PROFILE, 2)
        shoulders = 1 + (build.shoulders - 1) * np.clip((Z_TABLE - 250) / 150.0, 0, 1)
        shoulders[Z_TABLE > 600] = 1
        hips = 1 + (build.hips - 1) * np.clip((200 - Z_TABLE) / 120.0, 0, 1)
        self.fat = profile(FAT_PROFILE) * build.fat_mm
        grow_x, grow_y = 22 * belly, 30 * belly
        self.width, self.depth = width * shoulders * hips + grow_x, depth + grow_y
        self.middle = profile(MUSCLE_PROFILE, 3) - 0.9 * grow_y
        # The apron of an obese belly hangs over the groin, the fold beneath it is sharp.
        apron = 0.5 * max(0.0, build.fat_mm - 22) * _apron(Z_TABLE)
        self._ovals = [
            (self.width, self.depth, self.middle, 0.35),
            (self.width + self.fat, self.depth + 0.85 * self.fat + apron / 2,
             self.middle - 0.1 * self.fat - apron / 2, 0.35),
            (profile(CAVITY_PROFILE, 1) * (0.5 + 0.5 * shoulders) + grow_x,
             profile(CAVITY_PROFILE, 2) + grow_y, profile(CAVITY_PROFILE, 3) + self.middle, 0.25),
        ]  # fmt: skip
        rng = patient.stream("diaphragm")
        self.dome_right = float(rng.normal(388, 9))
        self.dome_left = self.dome_right - float(rng.normal(12, 5))
        self.trunk, self.skin, self.cavity, self.spine, self.diaphragm = (
            np.empty(canvas.shape, np.float32) for _ in range(5)
        )
        for slab in slabs(canvas):
            self._layers(canvas, slab)

    def _layers(self, canvas: Canvas, slab: slice) -> None:
        """The fields of a few slices: found at every second row and column, which smooth fields
        are read off from, four times as quickly."""
        x, y, z = (field[slab, ::2, ::2] for field in (canvas.x, canvas.y, canvas.z))
        np.clip(canvas.z[slab] - LOWEST_MM, 0, len(Z_TABLE) - 1, out=self.level[slab],
                casting="unsafe")  # fmt: skip
        level = self.level[slab, ::2, ::2]
        fields = [self.trunk, self.skin, self.cavity]
        # The trunk rounds off towards the perineum; the thighs take over.
        ending = np.clip((25 - z) / np.float32(25.0 - PERINEUM_MM), 0, 1) ** 2
        for field, (a, b, middle, square) in zip(fields, self._ovals):
            found = _oval(x, y, level, a, b, middle, square)
            if field is not self.cavity:
                found += ending
            _refine(found, field[slab])
        _refine(SPINE_TABLE[level], self.spine[slab])
        dome = np.maximum(_dome(x, y, -68, self.dome_right), _dome(x, y, 70, self.dome_left))
        _refine(dome, self.diaphragm[slab])


def slabs(canvas: Canvas, thickness: int = 4) -> list[slice]:
    """All slices of a canvas, a few at a time: temporaries of that size stay in a cache."""
    count = canvas.shape[0]
    return [slice(k, min(k + thickness, count)) for k in range(0, count, thickness)]


def _apron(z: NDArray[np.int_]) -> Vector:
    """How much of a pannus there is at body z: falls off slowly upwards, suddenly downwards."""
    away = np.where(z > 45, (z - 45) / 70.0, (z - 45) / 16.0)
    found: Vector = np.exp(-(away**2))
    return found


def _oval(
    x: Array, y: Array, level: NDArray[np.int16], a: Vector, b: Vector, middle: Vector,
    square: float,
) -> Array:  # fmt: skip
    """Squared relative radius in ovals of half widths `a`, `b` round y = `middle`."""
    u = x * (1 / a).astype(np.float32)[level]
    v = (y - middle.astype(np.float32)[level]) * (1 / b).astype(np.float32)[level]
    u *= u
    v *= v
    total = u + v
    u *= u
    v *= v
    total *= 1 - square
    total += square * (u + v)
    return total


def _refine(coarse: Array, fine: Array) -> None:
    """Fill `fine` (k, 2 n - 1, 2 m - 1) from every second row and column of it."""
    fine[:, ::2, ::2] = coarse
    between = coarse[:, 1:] + coarse[:, :-1]
    between *= np.float32(0.5)
    fine[:, 1::2, ::2] = between
    between = fine[:, :, 2::2] + fine[:, :, :-2:2]
    between *= np.float32(0.5)
    fine[:, :, 1::2] = between


def _dome(x: Array, y: Array, centre: float, top: float) -> Array:
    """Body z of half a diaphragm: a dome over (`centre`, -8) that falls to the costophrenic
    recess."""
    fall = ((x - centre) / 66) ** 2 + ((y + 8) / 74) ** 2
    return np.maximum(top - 34 * fall, top - 92).astype(np.float32)


MOTTLE = {Organ.FAT: 0.15, Organ.VISCERAL_FAT: 0.15, Organ.MUSCLE: 0.1, Organ.SOFT: 0.08}
"""Standard deviation of uptake within them, of its mean."""


def paint_envelope(canvas: Canvas, patient: Patient) -> Envelope:
    """Paint fat, muscle and cavities; return the layers for the organs to refer to."""
    envelope = Envelope(canvas, patient)
    suv, hu, mottle = (np.zeros(len(Organ), np.float32) for _ in range(3))
    hu[Organ.AIR] = -1000
    for organ, share in MOTTLE.items():
        suv[organ], hu[organ] = patient.suv(organ), patient.hu(organ)
        mottle[organ] = share * suv[organ]
    lung = patient.suv(Organ.LUNG), patient.hu(Organ.LUNG)
    for slab in slabs(canvas):
        _layer(canvas, envelope, slab)
        _cavities(canvas, envelope, slab)
        painted = canvas.organ[slab]
        canvas.hu[slab] = hu[painted]
        canvas.suv[slab] = suv[painted] + mottle[painted] * canvas.rough[2][slab]
        _lungs(canvas, slab, *lung)
    return envelope


def _layer(canvas: Canvas, envelope: Envelope, slab: slice) -> None:
    """Fat and muscle of the trunk, neck and head."""
    outside = 1 - np.float32(0.02) * canvas.rough[0][slab]
    trunk = (canvas.z[slab] > PERINEUM_MM) & (canvas.z[slab] < VERTEX_MM)
    np.multiply(
        trunk & (envelope.skin[slab] < outside), np.uint8(Organ.FAT), out=canvas.organ[slab]
    )
    muscle = trunk & (envelope.trunk[slab] < outside)
    np.copyto(canvas.organ[slab], np.uint8(Organ.MUSCLE), where=muscle)


def _cavities(canvas: Canvas, envelope: Envelope, slab: slice) -> None:
    x, y, z = canvas.x[slab], canvas.y[slab], canvas.z[slab]
    organ = canvas.organ[slab]
    inside = envelope.cavity[slab] < 1
    if not inside.any():
        return
    above = z > envelope.diaphragm[slab]
    chest = inside & above & (z > 270)
    back = (y > envelope.spine[slab] + 4) & (np.abs(x) < 66)
    belly = inside & ~(above | back) & (z > -25)
    np.copyto(organ, np.uint8(Organ.VISCERAL_FAT), where=belly)
    if not chest.any():
        return
    np.copyto(organ, np.uint8(Organ.SOFT), where=chest)
    np.copyto(organ, np.uint8(Organ.VISCERAL_FAT), where=chest & (y < -38) & (z > 430))
    middle = MEDIASTINUM_TABLE[envelope.level[slab]]
    middle -= np.clip((-y - 30) * np.float32(0.3), 0, 12) * (z > 440)
    np.copyto(organ, np.uint8(Organ.LUNG), where=chest & (np.abs(x) > middle))


def _lungs(canvas: Canvas, slab: slice, suv: float, hu: float) -> None:
    """Gravity: the dependent lung is denser and better perfused."""
    lung = canvas.organ[slab] == Organ.LUNG
    if not lung.any():
        return
    sag = np.float32(0.0022) * canvas.y[slab][lung]
    grain = canvas.rough[2][slab][lung]
    canvas.suv[slab][lung] = suv * (1 + 1.2 * sag + 0.12 * grain)
    canvas.hu[slab][lung] = hu * (1 - 0.35 * sag) + 18 * grain

"""Vertebrae with their arches and processes, discs, the canal and the cord in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Box, Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.bone import BONE_INTO, BoneTissue, Part, paint_bone
from PETAnomalyLib.engine.phantom.frame.envelope import SPINE_TABLE, Z_TABLE
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

PROMONTORY_MM, OCCIPUT_MM = 114.0, 692.0  # body z of the ends of the mobile spine
NAMES = [f"L{n}" for n in range(5, 0, -1)] + [f"T{n}" for n in range(12, 0, -1)] + [
    f"C{n}" for n in range(7, 0, -1)
]  # fmt: skip
HEIGHTS = np.array(
    [36, 36, 35.5, 34.5, 33.5, 31, 29, 27, 26, 25, 24, 23.5, 23, 22.5, 22, 21.5, 20, 18, 17.5, 17,
     17, 17, 24, 17]
)  # fmt: skip
"""mm of each vertebra with the disc below it, from L5 to C1."""

# Body z, then mm: half width and half depth of the vertebral body, half width and half depth of
# the canal, height of the disc, reach of the spinous process, half span of the transverse ones.
SIZES = np.array(
    [
        (100, 26, 17.5, 13, 8.5, 11, 26, 40), (200, 24, 17, 12, 9, 11, 28, 44),
        (290, 21, 16, 11, 9, 8, 26, 30), (430, 15.5, 14.5, 9.5, 9, 5, 30, 32),
        (550, 14.5, 11, 10.5, 8.5, 5, 30, 36), (580, 14, 9, 12, 8, 5.5, 28, 30),
        (660, 11.5, 8.5, 12.5, 8.5, 5, 18, 26), (700, 11, 8.5, 14, 9.5, 3, 12, 34),
    ]
)  # fmt: skip
ARCH_MM = 5.0  # thickness of laminae
CONUS_MM = 268.0  # body z where the cord ends
CANAL_HU, CANAL_SUV = 18.0, 0.6  # fluid, fat and roots round the cord


@dataclass(frozen=True)
class Spine:
    """The spine's own coordinates in a box of the canvas, mm.

    Attributes:
        box: of the canvas.
        aside: from the midline, to the left.
        behind: behind the middle of the vertebral bodies, square to the spine.
        level: body z along the spine.
        number: of the vertebra, from L5 = 0 to C1; its disc, below it, belongs to it.
        above: mm above the lower end of that disc.
        height: of the vertebra with its disc.
        size: the columns of `SIZES` at each voxel.
    """

    box: Box
    aside: Array
    behind: Array
    level: Array
    number: Array
    above: Array
    height: Array
    size: list[Array]


def spine_ends(patient: Patient) -> np.ndarray:
    """Body z of the lower end of every vertebra's disc, L5 to C1, and of the upper end of C1."""
    rng = patient.stream("spine")
    heights = HEIGHTS * (1 + 0.03 * rng.normal(size=len(HEIGHTS)))
    heights *= (OCCIPUT_MM - PROMONTORY_MM) / heights.sum()
    return PROMONTORY_MM + np.concatenate([[0], np.cumsum(heights)])


def vertebra_z(patient: Patient, name: str) -> float:
    """Body z of the middle of a vertebral body ("L5" to "C1")."""
    ends = spine_ends(patient)
    number = NAMES.index(name)
    return float(0.45 * ends[number] + 0.55 * ends[number + 1])


def spine_coordinates(canvas: Canvas, patient: Patient) -> Spine | None:
    """The spine's coordinates; None where none of it was scanned."""
    z = np.arange(PROMONTORY_MM, OCCIPUT_MM, 20.0)
    back = SPINE_TABLE[(z - Z_TABLE[0]).astype(int)]
    points = np.stack([0 * z, back + 12.0, z], 1)
    box = canvas.box(points, 48.0)
    if box == EMPTY:
        return None
    smooth = np.convolve(np.pad(SPINE_TABLE, 25, mode="edge"), np.ones(51) / 51, "valid")
    slope = np.gradient(smooth).astype(np.float32)
    index = np.clip(canvas.z[box] - Z_TABLE[0], 0, len(Z_TABLE) - 1).astype(np.int16)
    behind = canvas.y[box] - smooth.astype(np.float32)[index]
    level = canvas.z[box] + np.clip(slope[index] * behind, -30, 30)
    index = np.clip(level - Z_TABLE[0], 0, len(Z_TABLE) - 1).astype(np.int16)
    behind = (canvas.y[box] - smooth.astype(np.float32)[index]) * np.sqrt(1 + slope[index] ** 2)
    ends = spine_ends(patient)
    belongs = np.searchsorted(ends, Z_TABLE, "right") - 1
    number = belongs[index]
    safe = np.clip(number, 0, len(NAMES) - 1)
    rng = patient.stream("vertebrae")
    big = float(np.clip(rng.normal(1, 0.05), 0.88, 1.12))
    size = []
    for column in range(1, SIZES.shape[1]):
        table = big * np.interp(Z_TABLE, SIZES[:, 0], SIZES[:, column])
        size.append(table.astype(np.float32)[index])
    return Spine(
        box=box,
        aside=canvas.x[box],
        behind=behind,
        level=level,
        number=np.where((number < 0) | (number >= len(NAMES)), -1, number).astype(np.float32),
        above=level - ends.astype(np.float32)[safe],
        height=np.diff(ends).astype(np.float32)[safe],
        size=size,
    )


def paint_spine(canvas: Canvas, patient: Patient, bone: BoneTissue) -> None:
    """Paint canal and cord, then vertebrae and discs round them."""
    spine = spine_coordinates(canvas, patient)
    if spine is None:
        return
    half_depth, canal_y, disc = spine.size[1], spine.size[3], spine.size[4]
    middle = half_depth + canal_y
    _canal(canvas, patient, spine, middle)
    rng = patient.stream("discs")
    worn = np.clip(rng.normal(1.12 - 0.006 * patient.build.age, 0.12, len(NAMES)), 0.4, 1.1)
    disc = disc * worn.astype(np.float32)[np.clip(spine.number, 0, None).astype(int)]
    body = _body(spine, disc, _spurs(patient)[np.clip(spine.number, 0, None).astype(int)])
    there = spine.number >= 0
    is_disc = there & (spine.above < disc) & (spine.level < OCCIPUT_MM - 34)
    place = is_disc & (body > 0.5) & canvas.where(spine.box, BONE_INTO)
    suv = canvas.mottled(patient.suv(Organ.DISC), spine.box)
    canvas.fill(spine.box, place, Organ.DISC, suv, patient.hu(Organ.DISC))
    from_plates = np.minimum(spine.above - disc, spine.height - spine.above)
    # The endplates are denser than the rest of the thin shell.
    body = np.where(there & ~is_disc, np.minimum(body, from_plates + 0.4), -1)
    arch = np.where(there, _arch(spine, middle), -1)
    whole = [
        Part(spine.box, body.astype(np.float32), 0.9),
        Part(spine.box, arch.astype(np.float32), 1.5, 0.8),
    ]
    paint_bone(canvas, bone, whole)


def _spurs(patient: Patient) -> Array:
    """mm that osteophytes add to the rims of every vertebra: with age, and more in some."""
    rng = patient.stream("spondylophytes")
    grown = 0.055 * (patient.build.age - 48) + rng.normal(0, 1.2, len(NAMES))
    return np.clip(grown, 0, 4.5).astype(np.float32)


def _body(spine: Spine, disc: Array, spur: Array) -> Array:
    """mm below the surface of the column of bodies and discs: waisted, flat behind, with spurs of
    `spur` mm at its rims in front and beside."""
    half_width, half_depth = spine.size[0], spine.size[1]
    along = np.clip((spine.above - disc) / (spine.height - disc), 0, 1)
    waist = 1 - 0.3 * along * (1 - along)
    rim = np.exp(-((np.minimum(along, 1 - along) * spine.height / 4) ** 2))
    waist += spur * rim / half_width * (spine.behind < 0.5 * half_depth)
    u = spine.aside / (half_width * waist)
    v = spine.behind / (half_depth * np.where(spine.behind > 0, 0.95, waist))
    u *= u
    v *= v
    rel = np.sqrt(0.6 * (u + v) + 0.4 * (u * u + v * v))
    found: Array = (1 - rel) * (half_width + half_depth) / 2
    return found


def _arch(spine: Spine, middle: Array) -> Array:
    """mm below the surface of pedicles, laminae, processes and articular facets."""
    _, half_depth, canal_x, canal_y, _, reach, span = spine.size
    aside = np.abs(spine.aside)
    up = spine.above / spine.height  # 0 the lower end of the disc, 1 the upper endplate
    back = spine.behind - middle
    ring = np.sqrt((aside / canal_x) ** 2 + (back / canal_y) ** 2)
    from_canal = (ring - 1) * (canal_x + canal_y) / 2
    mm = spine.height
    thoracic = (spine.number > 4) & (spine.number < 17)
    # Laminae: the back of the ring; low, like tiles, in the chest.
    lamina = np.minimum(np.minimum(from_canal, ARCH_MM - from_canal), back + 2)
    lamina = np.minimum(lamina, (0.36 - np.abs(up - 0.36)) * mm)
    pedicle = np.minimum(5.0 - np.abs(aside - canal_x - 4.5), middle + 4 - spine.behind)
    pedicle = np.minimum(pedicle, spine.behind - 0.5 * half_depth)
    pedicle = np.minimum(pedicle, (0.24 - np.abs(up - 0.7)) * mm)
    # Processes fall off towards the feet: most in the chest.
    fall = np.where(thoracic, 0.75, 0.25) * (back - canal_y) / mm
    spinous = np.minimum(4.0 - aside, np.minimum(back - canal_y, canal_y + reach - back))
    spinous = np.minimum(spinous, (0.27 - np.abs(up + fall - 0.4)) * mm)
    outwards = (aside - canal_x) * np.where(thoracic, 0.45, 0.1)
    transverse = np.minimum(4.5 - np.abs(back + 1 - outwards), (0.17 - np.abs(up - 0.62)) * mm)
    transverse = np.minimum(transverse, np.minimum(aside - canal_x, span - aside))
    facet = np.minimum(6.5 - np.abs(aside - canal_x - 3.5), 6.0 - np.abs(back - 0.6 * canal_y))
    facet = np.minimum(facet, np.abs(up - 0.12) * mm - 1.0)
    return np.maximum.reduce([lamina, pedicle, spinous, transverse, facet])


def _canal(canvas: Canvas, patient: Patient, spine: Spine, middle: Array) -> None:
    """The canal's fluid, and the cord in it, to the conus: thicker in the neck and the loins."""
    canal_x, canal_y = spine.size[2], spine.size[3]
    back = spine.behind - middle
    ring = (spine.aside / canal_x) ** 2 + (back / canal_y) ** 2
    there = (ring < 1) & (spine.level < OCCIPUT_MM + 4) & (spine.level > PROMONTORY_MM - 8)
    there &= canvas.where(spine.box, BONE_INTO)
    canvas.fill(spine.box, there, Organ.SOFT, CANAL_SUV, CANAL_HU)
    radius = np.interp(
        Z_TABLE, [268, 285, 320, 430, 560, 610, 660], [2.0, 4.6, 4.5, 4.2, 5, 5.6, 5.4]
    )
    index = np.clip(spine.level - Z_TABLE[0], 0, len(Z_TABLE) - 1).astype(np.int16)
    rel = np.sqrt((0.85 * spine.aside) ** 2 + (1.1 * back) ** 2)
    rel /= radius.astype(np.float32)[index]
    rel[(spine.level < CONUS_MM) | ~there] = np.inf
    nominal = np.pi * 4.9**2 * (OCCIPUT_MM - CONUS_MM) * canvas.pose.scale.prod() / 1000
    cord = Shape(spine.box, rel.astype(np.float32), float(nominal), 0.5)
    suv = canvas.mottled(patient.suv(Organ.SPINAL_CORD), spine.box)
    wanted = patient.volume_ml(Organ.SPINAL_CORD)
    paint(
        canvas,
        cord,
        Organ.SPINAL_CORD,
        suv,
        patient.hu(Organ.SPINAL_CORD),
        (Organ.SOFT,),
        wanted,
        there,
    )

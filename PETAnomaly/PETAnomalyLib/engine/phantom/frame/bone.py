"""What bone is like: a shell of cortex round marrow, both blurred by the voxels as in a CT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, STEP_MM, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, tube
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

BONE_INTO = (Organ.FAT, Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.SOFT, Organ.LUNG)
"""What bones are painted into."""

WHOLE_CORTEX = 1.9  # HU of cortex alone, of that of a voxel with some marrow or muscle in it
SHELL = 0.2  # share of cortex from which on a voxel is cortex
VERTEBRAL = 1.1  # uptake of vertebral marrow, of the mean of all that is seen
YELLOW_HU = -50.0  # fatty marrow of shafts, with a few trabeculae
SOFT_HU = 50.0  # round the bone


@dataclass(frozen=True)
class Part:
    """A part of a bone; where parts overlap, there is no cortex between them.

    Attributes:
        box: of the canvas.
        depth: mm below its surface, over the box; negative outside.
        cortex_mm: thickness of its cortex.
        red: share of red marrow in what is within.
        trabecular: density of what is within, of a vertebra's; 0 the fat of a shaft.
    """

    box: Box
    depth: Array
    cortex_mm: float
    red: float = 1.0
    trabecular: float = 1.0


@dataclass(frozen=True)
class BoneTissue:
    """Of a patient.

    Attributes:
        cortex_hu, cortex_suv: of cortex without anything else in the voxel.
        red_hu, red_suv: of red marrow between trabeculae.
        yellow_suv: of fatty marrow.
        limb_red: share of red marrow in the proximal long bones: less with age, more if stimulated.
    """

    cortex_hu: float
    cortex_suv: float
    red_hu: float
    red_suv: float
    yellow_suv: float
    limb_red: float


def bone_tissue(patient: Patient) -> BoneTissue:
    """What this patient's bones are like."""
    stimulated = patient.conditions.stimulated_marrow
    rng = patient.stream("limb marrow")
    limb_red = 0.95 - 0.009 * patient.build.age + rng.normal(0, 0.08) + 0.3 * (stimulated - 1)
    return BoneTissue(
        cortex_hu=WHOLE_CORTEX * patient.hu(Organ.CORTEX),
        cortex_suv=patient.suv(Organ.CORTEX),
        red_hu=0.97 * patient.hu(Organ.MARROW),
        red_suv=VERTEBRAL * stimulated * patient.suv(Organ.MARROW),
        yellow_suv=1.2 * patient.suv(Organ.FAT),
        limb_red=float(np.clip(limb_red, 0.12, 1)),
    )


def paint_bone(
    canvas: Canvas,
    bone: BoneTissue,
    parts: Part | Sequence[Part],
    into: Sequence[int] = BONE_INTO,
) -> Mask:
    """Paint a bone of one or several parts into the organs `into`.

    Returns:
        The bone's voxels, in the box of the part or (of several) of those within the scan.
    """
    several = [parts] if isinstance(parts, Part) else [one for one in parts if one.box != EMPTY]
    if not several or several[0].box == EMPTY:
        return np.zeros((0, 0, 0), bool)
    box, depth, number = _together(several)
    inside = depth > 0
    inside &= canvas.where(box, into)
    if not inside.any():
        return inside
    which = number[inside]

    def each(values: list[float]) -> Array:
        return np.array(values, np.float32)[which]

    cortex_mm = each([one.cortex_mm for one in several])
    red, trabecular = each([one.red for one in several]), each([one.trabecular for one in several])
    below = depth[inside]
    half = np.float32(STEP_MM / 2)
    within = np.clip(0.5 + below / STEP_MM, 0, 1)
    shell = np.clip(np.minimum(below + half, cortex_mm) - np.maximum(below - half, 0), 0, None)
    shell /= np.float32(STEP_MM)
    mottle = canvas.rough[2][box][inside]
    dense = trabecular * bone.red_hu * (1 + 0.12 * mottle) + (1 - trabecular) * YELLOW_HU
    hu = shell * bone.cortex_hu + (within - shell) * dense + (1 - within) * SOFT_HU
    cortex = shell > SHELL
    marrow_suv = red * bone.red_suv + (1 - red) * bone.yellow_suv
    suv = np.where(cortex, bone.cortex_suv * (0.65 + 0.55 * red), marrow_suv)
    canvas.organ[box][inside] = np.where(cortex, np.uint8(Organ.CORTEX), np.uint8(Organ.MARROW))
    canvas.hu[box][inside] = hu
    canvas.suv[box][inside] = suv * (1 + 0.1 * mottle)
    return inside


def _together(parts: Sequence[Part]) -> tuple[Box, Array, NDArray[np.uint8]]:
    """Box of all parts, depth in it, and the part that each voxel lies deepest in."""
    if len(parts) == 1:
        return parts[0].box, parts[0].depth, np.zeros(parts[0].depth.shape, np.uint8)
    edges = [
        slice(min(one.box[n].start for one in parts), max(one.box[n].stop for one in parts))
        for n in range(3)
    ]
    depth = np.full([s.stop - s.start for s in edges], -np.inf, np.float32)
    number = np.zeros(depth.shape, np.uint8)
    for count, one in enumerate(parts):
        inner = tuple(slice(p.start - w.start, p.stop - w.start) for p, w in zip(one.box, edges))
        deeper = one.depth > depth[inner]
        np.copyto(depth[inner], one.depth, where=deeper)
        np.copyto(number[inner], np.uint8(count), where=deeper)
    return (edges[0], edges[1], edges[2]), depth, number


def rod(
    canvas: Canvas,
    line: ArrayLike,
    cortex_mm: float,
    red: float = 1.0,
    trabecular: float = 1.0,
) -> Part:
    """A bone along a line of points (n x 4: x, y, z, radius)."""
    knots = np.asarray(line, float)
    shape = tube(canvas, knots, reach=1.02)
    depth = shape.level
    if not shape.empty and shape.segment is not None:
        radius = ((knots[1:, 3] + knots[:-1, 3]) / 2).astype(np.float32)
        depth = (1 - shape.level) * radius[shape.segment]
    return Part(shape.box, depth, cortex_mm, red, trabecular)


def knob(
    canvas: Canvas,
    centre: ArrayLike,
    radii: ArrayLike,
    cortex_mm: float,
    red: float = 1.0,
    trabecular: float = 1.0,
    tilt_deg: ArrayLike = (0, 0, 0),
) -> Part:
    """An ellipsoid of bone."""
    shape = ellipsoid(canvas, centre, radii, tilt_deg, 0.05, reach=1.05)
    size = np.float32(np.prod(np.asarray(radii, float)) ** (1 / 3))
    return Part(shape.box, (1 - np.sqrt(shape.level)) * size, cortex_mm, red, trabecular)


def plate(
    canvas: Canvas,
    corners: ArrayLike,
    thickness_mm: ArrayLike,
    cortex_mm: float,
    red: float = 1.0,
) -> Part:
    """A triangular plate of bone.

    Args:
        canvas: painted on.
        corners: 3 x 3 (x, y, z).
        thickness_mm: at each corner; the edges are round.
        cortex_mm: of the cortex.
        red: share of red marrow.
    """
    a, b, c = np.asarray(corners, np.float32)
    thick = np.broadcast_to(np.asarray(thickness_mm, np.float32), (3,))
    box = canvas.box(np.asarray(corners, float), float(thick.max()) / 2 + 2)
    if box == EMPTY:
        return Part(box, np.zeros((0, 0, 0), np.float32), cortex_mm, red)
    u, v = b - a, c - a
    normal = np.cross(u, v)
    twice_area = float(np.linalg.norm(normal))
    normal = normal / twice_area
    px, py, pz = canvas.x[box] - a[0], canvas.y[box] - a[1], canvas.z[box] - a[2]
    height = px * normal[0] + py * normal[1] + pz * normal[2]
    # Barycentric coordinates of the foot of each voxel on the triangle's plane.
    to_b, to_c = np.cross(v, normal) / twice_area, np.cross(normal, u) / twice_area
    wb = px * to_b[0] + py * to_b[1] + pz * to_b[2]
    wc = px * to_c[0] + py * to_c[1] + pz * to_c[2]
    wa = 1 - wb - wc
    half = 0.5 * (wa * thick[0] + wb * thick[1] + wc * thick[2])
    heights = twice_area / np.array(
        [np.linalg.norm(c - b), np.linalg.norm(v), np.linalg.norm(u)], np.float32
    )
    beyond = np.maximum(np.maximum(-wa * heights[0], -wb * heights[1]), -wc * heights[2])
    np.maximum(beyond, 0, out=beyond)
    depth = half - np.sqrt(height**2 + beyond**2)
    return Part(box, depth.astype(np.float32), cortex_mm, red)

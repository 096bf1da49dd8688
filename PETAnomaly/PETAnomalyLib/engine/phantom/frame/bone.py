"""What bone is like: a shell of cortex round marrow, both blurred by the voxels as in a CT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, STEP_MM, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, tube
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

BONE_INTO = (Organ.FAT, Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.SOFT, Organ.LUNG)
"""What bones are painted into."""

WHOLE_CORTEX = 2.1  # HU of cortex alone, of that of a voxel with some marrow or muscle in it
SHELL = 0.3  # share of cortex from which on a voxel is cortex
YELLOW_HU = -50.0  # fatty marrow of shafts, with a few trabeculae
SOFT_HU = 50.0  # round the bone


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
        red_hu=0.92 * patient.hu(Organ.MARROW),
        red_suv=patient.suv(Organ.MARROW),
        yellow_suv=1.2 * patient.suv(Organ.FAT),
        limb_red=float(np.clip(limb_red, 0.12, 1)),
    )


def paint_bone(
    canvas: Canvas,
    bone: BoneTissue,
    box: Box,
    depth: Array,
    cortex_mm: float,
    red: float = 1.0,
    trabecular: float = 1.0,
    into: Sequence[int] = BONE_INTO,
) -> Mask:
    """Paint a bone where `depth`, mm below its surface, is positive.

    Args:
        canvas: painted on.
        bone: its tissue.
        box: of the canvas.
        depth: mm below the surface, over the box.
        cortex_mm: thickness of the cortex.
        red: share of red marrow in what is within.
        trabecular: density of what is within, of a vertebra's; 0 the fat of a shaft.
        into: organs that are painted over.

    Returns:
        The bone's voxels in the box.
    """
    if box == EMPTY:
        return np.zeros(depth.shape, bool)
    inside = depth > 0
    inside &= canvas.where(box, into)
    if not inside.any():
        return inside
    below = depth[inside]
    half = np.float32(STEP_MM / 2)
    within = np.clip(0.5 + below / STEP_MM, 0, 1)
    shell = np.clip((np.minimum(below + half, cortex_mm) - np.maximum(below - half, 0)), 0, None)
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


def rod_depth(shape: Shape, line: ArrayLike) -> Array:
    """mm below the surface of a tube along `line` (n x 4)."""
    knots = np.asarray(line, np.float32)
    radius = (knots[1:, 3] + knots[:-1, 3]) / 2
    assert shape.segment is not None
    return (1 - shape.level) * radius[shape.segment]


def paint_rod(
    canvas: Canvas,
    bone: BoneTissue,
    line: ArrayLike,
    cortex_mm: float,
    red: float = 1.0,
    trabecular: float = 1.0,
    step_mm: float = 0.0,
    into: Sequence[int] = BONE_INTO,
) -> None:
    """Paint a bone along a line of points (n x 4: x, y, z, radius), bent in steps of `step_mm`."""
    knots = smooth_line(line, step_mm) if step_mm else np.asarray(line, float)
    shape = tube(canvas, knots, reach=1.02)
    if shape.empty:
        return
    paint_bone(
        canvas, bone, shape.box, rod_depth(shape, knots), cortex_mm, red, trabecular, into
    )  # fmt: skip


def paint_knob(
    canvas: Canvas,
    bone: BoneTissue,
    centre: ArrayLike,
    radii: ArrayLike,
    cortex_mm: float,
    red: float = 1.0,
    trabecular: float = 1.0,
    tilt_deg: ArrayLike = (0, 0, 0),
    into: Sequence[int] = BONE_INTO,
) -> None:
    """Paint an ellipsoid of bone."""
    shape = ellipsoid(canvas, centre, radii, tilt_deg, 0.05, reach=1.05)
    if shape.empty:
        return
    depth = (1 - np.sqrt(shape.level)) * np.float32(np.prod(np.asarray(radii, float)) ** (1 / 3))
    paint_bone(canvas, bone, shape.box, depth, cortex_mm, red, trabecular, into)


def paint_plate(
    canvas: Canvas,
    bone: BoneTissue,
    corners: ArrayLike,
    thickness_mm: ArrayLike,
    cortex_mm: float,
    red: float = 1.0,
    bulge_mm: float = 0.0,
) -> None:
    """Paint a triangular plate.

    Args:
        canvas: painted on.
        bone: its tissue.
        corners: 3 x 3 (x, y, z).
        thickness_mm: at each corner; the edges are round.
        cortex_mm: of the cortex.
        red: share of red marrow.
        bulge_mm: how far its middle is bent out, along the normal (by the right-hand rule).
    """
    a, b, c = np.asarray(corners, np.float32)
    thick = np.broadcast_to(np.asarray(thickness_mm, np.float32), (3,))
    box = canvas.box(np.asarray(corners, float), float(thick.max()) / 2 + abs(bulge_mm) + 2)
    if box == EMPTY:
        return
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
    height -= np.float32(27 * bulge_mm) * np.clip(wa * wb * wc, 0, None)
    depth = half - np.sqrt(height**2 + beyond**2)
    paint_bone(canvas, bone, box, depth.astype(np.float32), cortex_mm, red)

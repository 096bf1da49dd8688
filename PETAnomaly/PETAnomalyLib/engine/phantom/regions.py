"""Which part of the body each voxel of a phantom lies in, and on which side: known by painting.

Borders are those that radiologists draw: the clavicles between neck and thorax, the diaphragm (in
the body's wall and the spine the lowest rib) between thorax and abdomen, the iliac crests between
abdomen and pelvis. A limb begins where the trunk's skin ends; a leg at the perineum.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.phantom.body import PERINEUM_MM, Envelope, limbs
from PETAnomalyLib.engine.phantom.canvas import Canvas, Mask, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue

# Body z, reference mm.
CLAVICLES_MM = 550
LOWEST_RIB_MM = 280
ILIAC_CRESTS_MM = 160
_SPINE_MM = (30, 22)  # half width of the vertebrae, and from their middle to their front


class Region(IntEnum):
    """Codes of `regions`; 0 is no body."""

    HEAD = 1
    THORAX = 2
    ABDOMEN = 3
    PELVIS = 4
    LIMBS = 5


def regions(canvas: Canvas, envelope: Envelope, patient: Patient) -> npt.NDArray[np.uint8]:
    """`Region` of each voxel of the canvas, (k, j, i).

    Args:
        canvas: painted.
        envelope: the body's layers on it.
        patient: who was painted.
    """
    z, tissue = canvas.z, canvas.tissue
    in_cavity = (envelope.cavity < 1) & (z < CLAVICLES_MM + 30)
    spine = (np.abs(canvas.x) < _SPINE_MM[0]) & (canvas.y > envelope.spine - _SPINE_MM[1])
    floor_of_thorax = np.where(in_cavity & ~spine, envelope.diaphragm, LOWEST_RIB_MM)
    found = np.full(canvas.shape, Region.PELVIS, np.uint8)
    found[z > ILIAC_CRESTS_MM] = Region.ABDOMEN
    found[z > floor_of_thorax] = Region.THORAX
    # The lungs' tips reach above the clavicles.
    found[(z > CLAVICLES_MM) & ~in_cavity] = Region.HEAD
    found[_outside_trunk(canvas, envelope, patient)] = Region.LIMBS
    found[(z < PERINEUM_MM) & (tissue != Tissue.GENITAL)] = Region.LIMBS
    found[tissue == Tissue.AIR] = 0
    return found


def on_left(canvas: Canvas) -> Mask:
    """Whether each voxel lies on the patient's left, (k, j, i)."""
    left: Mask = canvas.x > 0
    return left


def _outside_trunk(canvas: Canvas, envelope: Envelope, patient: Patient) -> Mask:
    """The arms, as far as they have left the trunk's skin."""
    arms = np.zeros(canvas.shape, bool)
    for line, fat_mm in limbs(patient.build, envelope)[1::2]:
        tube = canvas.tube(smooth_line(line, 45.0) + np.array([0, 0, 0, fat_mm]), reach=1.02)
        arms[tube.box] |= tube.rel < 1
    return arms & (envelope.skin >= 1)

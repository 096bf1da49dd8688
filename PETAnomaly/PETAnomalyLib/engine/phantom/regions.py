"""Which part of the body each voxel of a phantom lies in, and on which side: known by painting.

Borders are those that radiologists draw: the clavicles between neck and thorax, the diaphragm (in
the body's wall and the spine the lowest rib) between thorax and abdomen, the iliac crests between
abdomen and pelvis. A limb begins where the trunk's skin ends; a leg at the perineum.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.phantom.canvas.canvas import WHOLE, Canvas, Mask
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.frame.limbs import limbs_mask
from PETAnomalyLib.engine.phantom.organs import Organ

GENITALS = (Organ.PENIS, Organ.TESTIS, Organ.URINE)

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


def regions(canvas: Canvas, envelope: Envelope) -> npt.NDArray[np.uint8]:
    """`Region` of each voxel of the canvas, (k, j, i).

    Args:
        canvas: painted.
        envelope: the body's layers on it.
    """
    z = canvas.z
    in_cavity = (envelope.cavity < 1) & (z < CLAVICLES_MM + 30)
    spine = (np.abs(canvas.x) < _SPINE_MM[0]) & (canvas.y > envelope.spine - _SPINE_MM[1])
    floor_of_thorax = np.where(in_cavity & ~spine, envelope.diaphragm, LOWEST_RIB_MM)
    found = np.full(canvas.shape, Region.PELVIS, np.uint8)
    found[z > ILIAC_CRESTS_MM] = Region.ABDOMEN
    found[z > floor_of_thorax] = Region.THORAX
    # The lungs' tips reach above the clavicles.
    found[(z > CLAVICLES_MM) & ~in_cavity] = Region.HEAD
    genitals = canvas.where(WHOLE, GENITALS)
    found[limbs_mask(canvas, envelope) & ~genitals] = Region.LIMBS
    found[canvas.organ == Organ.AIR] = 0
    return found


def on_left(canvas: Canvas) -> Mask:
    """Whether each voxel lies on the patient's left, (k, j, i)."""
    left: Mask = canvas.x > 0
    return left

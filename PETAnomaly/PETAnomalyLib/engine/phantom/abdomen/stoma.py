"""A stoma: bowel through the wall of the belly, and the bag over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

NO_COLON_SHARE = 0.5  # of ileostomies: the colon is out, else at rest
FRONT_MM = -110.0  # body y of the belly's skin where the scan doesn't have it
STOMA_SUV = (1.5, 6.0)  # bowel and its healing
WALL = (Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.FAT, Organ.SOFT)


@dataclass(frozen=True)
class Stoma:
    """Where bowel leaves the belly.

    Attributes:
        inner, skin: body points on the inside of the belly's wall and on the skin, mm.
        colostomy: on the left; else an ileostomy.
        no_colon: the colon is out.
    """

    inner: Vector
    skin: Vector
    colostomy: bool
    no_colon: bool


def draw_stoma(canvas: Canvas, patient: Patient, envelope: Envelope) -> Stoma | None:
    """The stoma of a patient who has one."""
    side = patient.conditions.stoma
    if not side:
        return None
    rng = patient.stream("stoma place")
    x, z = side * rng.uniform(48, 64), float(rng.uniform(125, 165))
    skin = _front(canvas, envelope.skin, x, z)
    wall = _front(canvas, envelope.cavity, x, z)
    return Stoma(
        inner=np.array([x * 0.95, wall + 14, z]),
        skin=np.array([x, skin, z]),
        colostomy=side > 0,
        no_colon=side < 0 and bool(rng.random() < NO_COLON_SHARE),
    )


def _front(canvas: Canvas, layer: Array, x: float, z: float) -> float:
    """Body y of the front of one of the envelope's layers at (x, z)."""
    box = canvas.box([[x, -200, z], [x, 0, z]], 8.0)
    there = (layer[box] < 1) & (np.hypot(canvas.x[box] - x, canvas.z[box] - z) < 8)
    return float(canvas.y[box][there].min()) if there.any() else FRONT_MM


def paint_stoma(canvas: Canvas, patient: Patient, stoma: Stoma) -> None:
    """Paint the bowel through the wall, its bud on the skin, and a bag before it."""
    rng = patient.stream("stoma")
    suv, hu = float(rng.uniform(*STOMA_SUV)), patient.hu(Organ.COLON)
    bud = stoma.skin + np.array([0, 3, 0])  # the tube's round end is the bud
    line = [(*stoma.inner, 11), (*bud, 12)]
    shape = tube(canvas, line, 0.06)
    inside = paint_parenchyma(
        canvas, shape, Organ.STOMA, suv, hu, into=(*WALL, Organ.AIR), mottle=0.15
    )
    if not inside.any():
        return
    patient.variants.append("colostomy" if stoma.colostomy else "ileostomy")
    canvas.fill(shape.box, inside & (shape.level < 0.3), None, 0.6, -300.0)
    # The bag lies flat on the skin below the bud; part of it is gas.
    full = float(rng.uniform(5, 15))
    middle = stoma.skin - np.array([0, full - 2, 22])
    bag = ellipsoid(canvas, middle, (40, full, 46), roughness=0.12)
    painted = paint(canvas, bag, Organ.STOMA, 0.35, float(rng.uniform(0, 30)), (Organ.AIR,))
    gas = painted & (canvas.y[bag.box] < middle[1])
    canvas.fill(bag.box, gas, None, 0.1, -850.0)

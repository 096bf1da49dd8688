"""Tracer that ran beside the vein: a depot, the lymph vessels from it, a node in the axilla."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.frame.posture import Arm, draw_arms
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

DEPOT_SUV = (6.0, 80.0)
"""From a trace to several per cent of the dose in a few ml."""
STREAK_SHARE, NODE_SHARE = (0.05, 0.25), (0.1, 0.5)  # of the depot's SUV
HOTTEST_NODE = 14.0
TISSUE = (Organ.FAT, Organ.MUSCLE)


def paint_extravasation(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint what of it lies in the scan; with raised arms often only the axillary node."""
    rng = patient.stream("extravasation depot")
    arm = draw_arms(patient, envelope)[(patient.conditions.extravasation + 1) // 2]
    depot = float(np.exp(rng.uniform(*np.log(DEPOT_SUV))))
    path = _vein(arm)
    where = str(rng.choice(["hand", "forearm", "cubital"], p=[0.25, 0.25, 0.5]))
    start = {"hand": len(path) - 1, "forearm": len(path) - 3, "cubital": _elbow(path, arm)}[where]
    seen = False
    if rng.random() < 0.85:
        radii = rng.uniform(5, 12, 3)
        shape = ellipsoid(canvas, path[start], radii, rng.normal(0, 20, 3), 0.3)
        seen |= _paint(canvas, shape, depot, 20.0)
    if rng.random() < 0.6:
        line = np.column_stack([path[: start + 1], np.full(start + 1, 3.2)])
        first = int(rng.integers(0, max(1, start - 1)))
        if start - first >= 1:
            share = float(rng.uniform(*STREAK_SHARE))
            seen |= _paint(
                canvas, tube(canvas, smooth_line(line[first:], 20.0)), share * depot, 20.0
            )
    if rng.random() < 0.5:
        node = np.array([arm.side * 124, rng.uniform(-8, 12), rng.uniform(476, 508)])
        shape = ellipsoid(canvas, node, rng.uniform(3.5, 6.5, 3))
        value = min(depot * float(rng.uniform(*NODE_SHARE)), HOTTEST_NODE)
        seen |= _paint(canvas, shape, value, 35.0)
    if seen:
        patient.variants.append("extravasation")


def _vein(arm: Arm) -> Vector:
    """Points along the front of the arm, axilla to hand, just under the skin."""
    points = arm.line[:, :3].copy()
    points[1:, 1] -= 0.75 * arm.line[1:, 3]
    hand = arm.wrist + 0.3 * (arm.fingertips - arm.wrist)
    return np.vstack([points, hand])


def _elbow(path: Vector, arm: Arm) -> int:
    return int(np.argmin(np.linalg.norm(path - arm.elbow, axis=1)))


def _paint(canvas: Canvas, shape: Shape, suv: float, hu: float) -> bool:
    if shape.empty:
        return False
    values = canvas.mottled(suv, shape.box, 0.15)
    return bool(paint(canvas, shape, Organ.TRACER, values, hu, TISSUE).any())

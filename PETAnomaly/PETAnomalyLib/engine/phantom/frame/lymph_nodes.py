"""Lymph nodes of the healthy in axillae and groins: small, in fat, below the blood pool."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Box, Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, rotation_matrix
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.posture import SIDES
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

# Of the left: middle and spread (body x, y, z), least and most nodes, least and most short radius.
STATIONS = {
    "axillary": ((124, 2, 494), (10, 13, 17), (2, 6), (2.6, 4.4)),
    "inguinal": ((68, -76, -4), (12, 8, 20), (2, 5), (2.8, 5.0)),
}
NODE_HU, NODE_SUV = 42.0, (0.7, 1.5)
"""Normal nodes lie at or below the blood pool."""
REACTIVE_SUV, REACTIVE = (1.8, 3.8), 0.04
"""After vaccination, of scratched skin or for no reason: one station, several nodes; how often."""
HILUM = 0.3  # squared relative radius of the fatty hilum


def paint_lymph_nodes(canvas: Canvas, patient: Patient) -> None:
    """Paint nodes of every station on both sides, into fat alone."""
    for name, (middle, spread, count, short) in STATIONS.items():
        for side in SIDES:
            rng = patient.stream(f"{name} nodes {side}")
            nodes = int(rng.integers(count[0], count[1] + 1))
            points = (np.array(middle) + rng.normal(size=(nodes, 3)) * spread) * [side, 1, 1]
            reactive = rng.random() < REACTIVE
            radii = rng.uniform(*short, nodes) * (1.25 if reactive else 1.0)
            turns = rng.uniform(0, 180, (nodes, 3))
            values = rng.uniform(*(REACTIVE_SUV if reactive else NODE_SUV), nodes)
            position = canvas.position(points)
            seen = False
            for number in range(nodes):
                box = canvas.around(position[number : number + 1], 1.8 * radii[number])
                hilum = HILUM if not reactive and radii[number] > 3.8 else 0.0
                level = _bean(canvas, box, points[number], radii[number], turns[number])
                inside = (level < 1) & (level >= hilum) & canvas.where(box, [Organ.FAT])
                canvas.fill(box, inside, Organ.SOFT, float(values[number]), NODE_HU)
                seen |= bool(inside.any())
            if reactive and seen:
                patient.variants.append(f"reactive {name} nodes")


def _bean(canvas: Canvas, box: Box, centre: Vector, radius: float, turn_deg: Vector) -> Array:
    """Squared relative radius of an ellipsoid that is 1.7 times as long as it is thick."""
    axes = (rotation_matrix(turn_deg) / radius).astype(np.float32)
    axes[2] /= 1.7
    away = [f[box] - np.float32(v) for f, v in zip((canvas.x, canvas.y, canvas.z), centre)]
    level = np.zeros(away[0].shape, np.float32)
    for row in axes:
        level += (row[0] * away[0] + row[1] * away[1] + row[2] * away[2]) ** 2
    return level

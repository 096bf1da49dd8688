"""The space of the brain, and the brain in it: cortex, deep nuclei, brainstem, cerebellum."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape
from PETAnomalyLib.engine.phantom.canvas.waves import Array

Triple = tuple[float, float, float]

CENTRE = (0.0, -2.0, 768.0)
RADII = (68.0, 86.0, 66.0)  # of the vault
MIDDLE_FOSSA = ((40.0, -14.0, 728.0), (28.0, 38.0, 25.0))  # of the left; mirrored for the right
POSTERIOR_FOSSA = ((0.0, 36.0, 728.0), (52.0, 45.0, 32.0))
FRONTAL_FLOOR_MM = 729.0  # body z of the roof of the orbits
CAVITY_ML = 1740.0  # of the reference person


def cranial_cavity(canvas: Canvas) -> Shape:
    """The inner surface of the skull: level 1; the bone lies outside, to a level of about 1.2.

    A vault with a middle fossa on either side, a posterior fossa, and the roof of the orbits as
    its floor in front.
    """
    box = canvas.box(CENTRE, max(RADII) * 1.2)
    if box == EMPTY:
        return Shape(box, np.zeros((0, 0, 0), np.float32), 0.0, 2 / 3)
    x, y, z = canvas.x[box], canvas.y[box], canvas.z[box]
    aside = np.abs(x)

    def relative(part: Array, centre: Triple, radii: Triple) -> Array:
        u, v, w = (part - centre[0], y - centre[1], z - centre[2])
        return (u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2

    level = relative(x, CENTRE, RADII)
    floor = FRONTAL_FLOOR_MM - 24 / (1 + np.exp(-np.clip(y + 38, -90, 90) / 5))
    np.maximum(level, (1 + (floor - z) / RADII[2]) ** 2 * (z < floor), out=level)
    np.minimum(level, relative(aside, *MIDDLE_FOSSA), out=level)
    np.minimum(level, relative(x, *POSTERIOR_FOSSA), out=level)
    level = level.astype(np.float32)
    return Shape(box, level, CAVITY_ML * float(canvas.pose.scale.prod()), 2 / 3)

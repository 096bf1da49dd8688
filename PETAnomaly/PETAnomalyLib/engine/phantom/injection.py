"""The injection site: tracer left at the vein, in whichever arm is in the field of view."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas import Canvas, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue


def paint_injection_site(canvas: Canvas, patient: Patient) -> None:
    """Paint a depot in the arm, or a streak along its vein, in about one patient of eight."""
    rng = patient.stream("injection")
    if rng.random() > 0.14:
        return
    side = int(rng.choice([-1, 1]))
    b = patient.build.shoulders
    value = float(np.exp(rng.uniform(np.log(3), np.log(30))))
    if patient.build.arms == "down":
        z = float(rng.choice([rng.uniform(225, 275), rng.uniform(-60, 40)]))
        arm = np.isin(canvas.tissue, (Tissue.MUSCLE, Tissue.FAT)) & (canvas.x * side > 178)
        near = np.flatnonzero(arm & (np.abs(canvas.z - z) < 4))
        if not len(near):
            return
        at = np.unravel_index(int(near[rng.integers(len(near))]), canvas.shape)
        centre = np.array([canvas.x[at], canvas.y[at], canvas.z[at]], float)
        x, y, z = centre
        line = np.array([(x, y, z - 12, 4.0), (x, y, z, 6.0), (x, y + 2, z + 25, 3.0)])
    else:
        # The depot itself is outside the view; the draining vein may be seen.
        line = np.array(
            [
                (side * 176 * b, 12, 640, 4),
                (side * 150 * b, 12, 570, 4.5),
                (side * 112 * b, 2, 530, 5),
            ]
        )
        line = line[: int(rng.integers(2, 4))]
        value = min(value, 12.0)
    patient.variants.append("injection site")
    tube = canvas.tube(smooth_line(line, 8.0), roughness=0.2)
    inside = (tube.rel < 1) & (canvas.tissue[tube.box] != Tissue.AIR)
    canvas.fill(tube.box, inside, Tissue.BLOOD, value, 45.0)

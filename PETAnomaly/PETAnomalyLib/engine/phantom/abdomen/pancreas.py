"""Pancreas, and the adrenals beside the spine."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import ellipsoid, tube, united
from PETAnomalyLib.engine.phantom.frame.envelope import spine_y
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

FAT_LOBULES_HU = 14.0  # standard deviation; fat between the lobules of the elderly
HOT_ADRENAL_SHARE, HOT_ADRENAL_SUV = 0.1, (2.4, 4.5)  # stress, or nothing that is found


def paint_pancreas(canvas: Canvas, patient: Patient) -> None:
    """Head in the duodenum's loop, body over the spine, tail to the spleen."""
    rng = patient.stream("pancreas")
    up = float(rng.normal(0, 8))
    line = [(-30, -14, 226 + up, 11), (-30, -14, 244 + up, 13), (-10, -24, 258 + up, 10),
            (12, -28, 268 + up, 8.5), (46, -4, 284 + up, 8.5), (78, 18, 298 + up, 8)]  # fmt: skip
    knots = smooth_line(line, 10.0)
    knots[:, :3] += rng.normal(0, [3, 3, 4], 3)
    shape = tube(canvas, knots, 0.22, 1.8)
    if shape.empty:
        return
    age = patient.build.age / 70
    hu = patient.hu(Organ.PANCREAS) + np.float32(FAT_LOBULES_HU * age) * canvas.rough[2][shape.box]
    paint_parenchyma(
        canvas, shape, Organ.PANCREAS, patient.suv(Organ.PANCREAS), hu,
        patient.volume_ml(Organ.PANCREAS), mottle=0.1,
    )  # fmt: skip


def paint_adrenals(canvas: Canvas, patient: Patient) -> None:
    """Two limbs each, like a Y that lies on its side, above and before the kidneys."""
    rng = patient.stream("adrenals")
    suv = patient.suv(Organ.ADRENAL)
    hot = (
        int(rng.choice([-1, 0, 1], p=[0.25, 0.5, 0.25])) if rng.random() < HOT_ADRENAL_SHARE
        else None
    )  # fmt: skip
    uneven = 0.05 * rng.normal()
    for side in (-1, 1):
        place = np.array([side * 38, spine_y(300) - 6, 298 + 3 * side]) + rng.normal(0, 3, 3)
        middle = place + np.array([side * 2, 6, 0])
        limbs = [
            ellipsoid(canvas, middle, (3.5, 13, 12), (0, 0, side * 15 + turn),
                      0.05, reach=2.0)
            for turn in (-24, 24)
        ]  # fmt: skip
        value = float(rng.uniform(*HOT_ADRENAL_SUV)) if hot in (0, side) else suv
        painted = paint_parenchyma(
            canvas, united(limbs), Organ.ADRENAL, value, patient.hu(Organ.ADRENAL),
            0.5 * patient.volume_ml(Organ.ADRENAL) * (1 + side * uneven), mottle=0.05,
        )  # fmt: skip
        if hot in (0, side) and painted.any():
            patient.variants.append("adrenal")

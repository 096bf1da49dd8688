"""The orbits: eyes, the muscles that move them, lacrimal glands, and the fat between."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube, united
from PETAnomalyLib.engine.phantom.head.glandular import SIDES, paint_organ, shares
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

EYE = np.array([32.0, -73.0, 715.0])  # the left
APEX = np.array([14.0, -31.0, 712.0])  # where its muscles come from
NERVE_SUV = 1.6  # optic nerve, of white matter's order


def paint_orbits(canvas: Canvas, patient: Patient) -> None:
    """Paint both orbits."""
    if canvas.z.max() < EYE[2] - 30:
        return
    rng = patient.stream("orbits")
    place = EYE + rng.normal(0, [1.5, 1.5, 2.0])
    size = {
        organ: (patient.volume_ml(organ), shares(rng, 0.03))
        for organ in (Organ.EYE, Organ.EYE_MUSCLE, Organ.LACRIMAL_GLAND)
    }
    gaze = rng.normal(0, 0.15)  # muscles that hold the eyes aside work more
    for number, side in enumerate(SIDES):
        mirror = np.array([side, 1, 1])
        middle = (0.55 * place + 0.45 * APEX) * mirror
        cone = ellipsoid(canvas, middle, (17, 30, 17), (0, 0, side * -22), 0.03)
        volume = {organ: total * part[number] for organ, (total, part) in size.items()}
        eye = ellipsoid(canvas, place * mirror, (12, 12, 12), roughness=0.0)
        paint_organ(canvas, patient, Organ.EYE, eye, volume[Organ.EYE])
        paint(canvas, cone, Organ.FAT, patient.suv(Organ.FAT), patient.hu(Organ.FAT), OPEN_NECK)
        muscles = _muscles(canvas, place, mirror)
        paint_organ(
            canvas, patient, Organ.EYE_MUSCLE, muscles, volume[Organ.EYE_MUSCLE], 1 + side * gaze
        )
        nerve = tube(canvas, [(*(APEX * mirror), 2.0), (*(place * mirror + [0, 11, 0]), 2.0)])
        paint(canvas, nerve, Organ.SOFT, NERVE_SUV, 30.0, OPEN_NECK)
        tear = ellipsoid(
            canvas, (place + np.array([11, 2, 11])) * mirror, (6, 8, 5), (0, 0, side * 30)
        )
        paint_organ(canvas, patient, Organ.LACRIMAL_GLAND, tear, volume[Organ.LACRIMAL_GLAND])


def _muscles(canvas: Canvas, place: np.ndarray, mirror: np.ndarray) -> Shape:
    """The four recti: from the apex to the eye's equator, round the nerve."""
    lines = []
    for x, z in ((-13, 0), (13, 0), (0, 12.5), (0, -12.5)):
        end = place + np.array([x, 2, z])
        belly = 0.45 * APEX + 0.55 * end + [0.5 * x, 0, 0.5 * z]
        points = ((APEX, 1.5), (belly, 2.8), (end, 1.6))
        lines.append([(*(point * mirror), radius) for point, radius in points])
    return united([tube(canvas, line, reach=2.2) for line in lines])

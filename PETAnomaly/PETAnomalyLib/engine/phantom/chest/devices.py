"""Pacemakers and ports: metal under the clavicle, and what leads from it to the heart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, tube
from PETAnomalyLib.engine.phantom.chest.heart import heart_middle
from PETAnomalyLib.engine.phantom.frame.envelope import LOWEST_MM, Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

Vector = NDArray[np.float64]

METAL_HU, METAL_SUV = 3000.0, 0.3  # a CT clips there; no tracer in metal
LEAD_HU, LEAD_MM = 1400.0, 2.6  # metal wire thinner than a voxel: partial volume
DEFIBRILLATOR, DEFIBRILLATOR_SIZE = 0.35, 1.3  # share of devices, of a pacemaker's size
SECOND_LEAD = 0.65  # share with another in the atrium
POCKET_SUV = 1.4  # healed
PORT_HU, PORT_SUV = 1500.0, 0.4  # titanium chamber round silicone
LINE_HU, LINE_MM = 330.0, 2.4  # catheter of polyurethane with barium
RETAINED, RETAINED_SUV = 0.2, (3.0, 25.0)  # share injected through the port: tracer left in it


def chest_wall(envelope: Envelope, x: float, z: float) -> float:
    """Body y of the front of the chest muscles at (x, z)."""
    at = int(z - LOWEST_MM)
    u2 = (x / float(envelope.width[at])) ** 2
    v2 = np.linspace(0, 1, 100) ** 2
    level = 0.65 * (u2 + v2) + 0.35 * (u2 * u2 + v2 * v2)
    out = np.sqrt(v2[min(int(np.searchsorted(level, 1.0)), 99)])
    return float(envelope.middle[at] - out * envelope.depth[at])


def paint_devices(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint what the patient carries."""
    conditions = patient.conditions
    if conditions.pacemaker:
        _pacemaker(canvas, patient, envelope, conditions.pacemaker)
    if conditions.port:
        # Where a pacemaker is, the port is put into the other side.
        taken = conditions.port == conditions.pacemaker
        _port(canvas, patient, envelope, -conditions.port if taken else conditions.port)


def _pacemaker(canvas: Canvas, patient: Patient, envelope: Envelope, side: int) -> None:
    rng = patient.stream("pacemaker")
    x, z = side * rng.normal(76, 5), rng.normal(512, 7)
    place = np.array([x, chest_wall(envelope, x, z) - 3.0, z])
    size = DEFIBRILLATOR_SIZE if rng.random() < DEFIBRILLATOR else 1.0
    radii = np.array([22, 5, 20]) * size
    shape = ellipsoid(canvas, place, radii, (10, 0, side * 30), 0.0, 0.6, reach=1.6)
    heart = heart_middle(patient, envelope)
    leads = [np.array([14.0, -22.0, -30.0])]  # to the apex of the right ventricle
    if rng.random() < SECOND_LEAD:
        leads.append(np.array([-30.0, -12.0, 30.0]))  # to the right auricle
    seen = False
    for end in leads:
        line = [place, *_into_heart(side, heart), heart + end]
        seen |= _cable(canvas, line, LEAD_MM, LEAD_HU, METAL_SUV)
    seen |= _case(canvas, patient, shape, METAL_HU)
    if seen:
        patient.variants.append("pacemaker")


def _port(canvas: Canvas, patient: Patient, envelope: Envelope, side: int) -> None:
    rng = patient.stream("port")
    x, z = side * rng.normal(70, 6), rng.normal(502, 8)
    place = np.array([x, chest_wall(envelope, x, z) - 4.0, z])
    shape = ellipsoid(canvas, place, (13, 6, 13), (10, 0, side * 28), 0.0, 0.5, reach=1.6)
    heart = heart_middle(patient, envelope)
    line = [place, *_into_heart(side, heart)]
    hot = rng.random() < RETAINED
    value = float(np.exp(rng.uniform(*np.log(RETAINED_SUV))))
    seen = _cable(canvas, line, LINE_MM, LINE_HU, 0.4 * value if hot else None)
    seen |= _case(canvas, patient, shape, PORT_HU)
    if not seen:
        return
    patient.variants.append("port")
    if hot:
        patient.variants.append("port with tracer")
        canvas.fill(shape.box, shape.level < 0.45, None, value)


def _into_heart(side: int, heart: Vector) -> list[Vector]:
    """From beneath the clavicle through the veins to the right atrium."""
    vein = [(62, -20, 548), (27, -16, 537)] if side > 0 else [(-62, -20, 548), (-27, -16, 534)]
    cross = [(2, -37, 518)] if side > 0 else []
    atrium = heart + np.array([-42.0, 22.0, 0.0])
    cava = [(-22, -20, 516), (-25, -12, 490), (*atrium[:2], heart[2] + 44)]
    return [np.array(point, float) for point in (*vein, *cross, *cava)]


def _cable(
    canvas: Canvas, points: list[Vector], radius: float, hu: float, suv: float | None
) -> bool:
    line = smooth_line(np.array([(*point, radius) for point in points]), 12.0)
    shape = tube(canvas, line, reach=1.05)
    inside = (shape.level < 1) & ~canvas.where(shape.box, (Organ.AIR,))
    canvas.fill(shape.box, inside, Organ.CATHETER, suv, hu)
    return bool(inside.any())


def _case(canvas: Canvas, patient: Patient, shape: Shape, hu: float) -> bool:
    """A case in its pocket; the skin bulges over it."""
    pocket = shape.level < 2.2
    bulge = pocket & canvas.where(shape.box, (Organ.AIR,))
    canvas.fill(shape.box, bulge, Organ.FAT, patient.suv(Organ.FAT), patient.hu(Organ.FAT))
    rim = (shape.level < 1.5) & canvas.where(shape.box, (Organ.FAT, Organ.MUSCLE))
    canvas.fill(shape.box, rim, Organ.SOFT, POCKET_SUV, 40.0)
    inside = shape.level < 1
    canvas.fill(shape.box, inside, Organ.METAL, METAL_SUV, hu)
    return bool(inside.any())

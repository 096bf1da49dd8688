"""Veins and arteries of the belly's organs: portal, splenic, mesenteric and renal."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.envelope import spine_y
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient


def paint_veins(canvas: Canvas, patient: Patient) -> None:
    """Paint them into what the organs they serve have left free, the liver not yet painted."""
    rng = patient.stream("portal vein")
    up = float(rng.normal(0, 5))
    front = spine_y(240) - 42
    lines: list[list[tuple[float, float, float, float]]] = [
        # Portal vein, from behind the pancreas' neck to the liver's hilum.
        [(2, -18, 258 + up, 6.5), (-16, -18, 280 + up, 6.5), (-36, -6, 300 + up, 6)],
        # Splenic vein, along the pancreas' back.
        [(2, -18, 258 + up, 5), (38, 4, 282 + up, 4.2), (78, 26, 302 + up, 4)],
        # Superior mesenteric vein and artery.
        [(2, -18, 258 + up, 5.5), (-8, front - 6, 215, 5.2), (-14, front - 10, 165, 4)],
        [(8, front + 4, 262 + up, 3.6), (8, front - 6, 215, 3.5), (-2, front - 10, 160, 2.8)],
        # Renal veins; the left one passes before the aorta.
        [(-20, spine_y(245) - 28, 246, 4.5), (-38, spine_y(242) - 6, 240, 4.5)],
        [(-16, spine_y(250) - 38, 250, 4.2), (10, spine_y(252) - 46, 252, 4.2),
         (38, spine_y(250) - 8, 248, 4.2)],
    ]  # fmt: skip
    suv, hu = patient.suv(Organ.BLOOD), patient.hu(Organ.BLOOD)
    for line in lines:
        shape = tube(canvas, line, reach=1.0)
        paint_parenchyma(canvas, shape, Organ.BLOOD, suv, hu, mottle=0.03)

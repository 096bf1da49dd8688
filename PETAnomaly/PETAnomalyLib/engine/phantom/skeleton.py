"""Bones: spine, ribs, sternum, shoulder girdle, pelvis, long bones; marrow within cortex."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.body import LOWEST_MM, Envelope, spine_y
from PETAnomalyLib.engine.phantom.canvas import EMPTY, Box, Canvas, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue


def paint_skeleton(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint all bones; red marrow takes up FDG, the fatty marrow of old long bones hardly."""
    rng = patient.stream("skeleton")
    density = float(np.clip(rng.normal(1.15 - 0.006 * patient.build.age, 0.12), 0.5, 1.2))
    _ribs(canvas, patient, envelope, density)
    _spine(canvas, patient, density)
    _sternum(canvas, patient, envelope, density)
    _shoulders(canvas, patient, density)
    _pelvis(canvas, patient, density)
    _femora(canvas, patient, density)
    if rng.random() < 0.3:
        _arthrosis(canvas, patient)


def _bone(
    canvas: Canvas,
    box: Box,
    level: np.ndarray,
    marrow: float,
    density: float,
    core: float = 0.62,
) -> None:
    """Cortex where `core` < level < 1, marrow inside `core`."""
    if box == EMPTY:
        return
    mottle = 1 + 0.12 * canvas.rough[2][box]
    bone = level < 1
    canvas.fill(box, bone, Tissue.CORTEX, 0.62 * marrow, 480.0 * density)
    canvas.fill(
        box,
        level < core,
        Tissue.MARROW,
        (marrow * mottle).astype(np.float32),
        (190.0 * density * mottle).astype(np.float32),
    )


def _spine(canvas: Canvas, patient: Patient, density: float) -> None:
    marrow = patient.uptake.marrow
    line = [(0, spine_y(z), z, _vertebra_radius(z)) for z in range(96, 700, 12)]
    knots = smooth_line(np.array(line), 10.0)
    tube = canvas.tube(knots, roughness=0.05)
    if tube.box == EMPTY:
        return
    z = canvas.z[tube.box]
    # Vertebrae get smaller towards the head: the k-th disc lies where the running count is whole.
    heights = np.interp(np.arange(90, 720), [90, 300, 560, 700], [37, 30, 22, 18])
    running = np.cumsum(1 / heights)
    count = running[np.clip(z - 90, 0, len(running) - 1).astype(int)]
    disc = (np.mod(count, 1.0) * np.interp(z, [90, 560], [37, 22])) < np.interp(
        z, [90, 560], [9, 5]
    )
    _bone(canvas, tube.box, tube.rel, marrow, density, 0.86)
    canvas.fill(tube.box, (tube.rel < 0.98) & disc, Tissue.SOFT, 0.65, 85.0)
    canal = [(0, spine_y(q) + _vertebra_radius(q) + 9, q, 9.5) for q in range(60, 712, 20)]
    arch = [(0, y + 6, q, 15 if q < 600 else 13) for _, y, q, _ in canal]
    tube = canvas.tube(smooth_line(np.array(arch), 14.0), roughness=0.08)
    gap = np.mod(canvas.z[tube.box], 29) > 21
    body = np.isin(canvas.tissue[tube.box], (Tissue.MARROW,))
    _bone(canvas, tube.box, np.where(gap | body, 2, tube.rel), 0.8 * marrow, density, 0.45)
    for side in (-1, 1):
        points = [(side * 26, spine_y(q) + 22, q, 7.5) for q in range(110, 560, 24)]
        tube = canvas.tube(smooth_line(np.array(points), 14.0))
        gap = np.mod(canvas.z[tube.box] + 8, 29) > 13
        body = np.isin(canvas.tissue[tube.box], (Tissue.MARROW,))
        _bone(canvas, tube.box, np.where(gap | body, 2, tube.rel), 0.8 * marrow, density, 0.4)
    tube = canvas.tube(smooth_line(np.array(canal), 14.0))
    canvas.fill(tube.box, tube.rel < 0.9, Tissue.SOFT, 0.95, 30.0)


def _vertebra_radius(z: float) -> float:
    return float(np.interp(z, [90, 130, 275, 430, 560, 620, 700], [25, 25, 22, 17, 14, 11.5, 11]))


def _ribs(canvas: Canvas, patient: Patient, envelope: Envelope, density: float) -> None:
    box = canvas.box([[0, 0, 285], [0, 0, 552]], 165.0)
    if box == EMPTY:
        return
    cavity, z, y = envelope.cavity[box], canvas.z[box], canvas.y[box]
    shell = (cavity > 0.98) & (cavity < 1.26) & (envelope.trunk[box] < 1)
    # Ribs run down towards the front: 0.55 mm a mm.
    running = z + 0.55 * (55 - y)
    shell &= (running > 318) & (running < 592) & (z < 556) & (z > 272)
    spacing = 25.0
    rib = shell & (np.mod(running, spacing) < 9.0)
    front = canvas.y[box] < -55
    cartilage = rib & front & (np.abs(canvas.x[box]) < 85)
    rib &= ~cartilage
    marrow = 0.62 * patient.uptake.marrow
    canvas.fill(box, rib, Tissue.CORTEX, marrow, 380.0 * density)
    core = rib & (cavity > 1.05) & (cavity < 1.2) & (np.mod(running, spacing) < 6.5)
    canvas.fill(box, core, Tissue.MARROW, marrow, 230.0 * density)
    canvas.fill(box, cartilage & (z > 325), Tissue.SOFT, 0.6, 110.0)


def _sternum(canvas: Canvas, patient: Patient, envelope: Envelope, density: float) -> None:
    line = []
    for z, radius in ((350, 6), (372, 9), (430, 11), (490, 12), (522, 13)):
        level = z - LOWEST_MM
        line.append((0, envelope.middle[level] - envelope.depth[level] + 11, z, radius))
    for shift in (-6, 6):
        knots = smooth_line(np.array(line) + np.array([shift, 0, 0, 0]), 12.0)
        tube = canvas.tube(knots, roughness=0.08)
        _bone(canvas, tube.box, tube.rel, 0.8 * patient.uptake.marrow, density, 0.72)


def _shoulders(canvas: Canvas, patient: Patient, density: float) -> None:
    b = patient.build.shoulders
    up = patient.build.arms == "up"
    marrow = patient.uptake.marrow
    for side in (-1, 1):
        lift = 22 if up else 0
        head = np.array([side * (138 if up else 158) * b, 10, 527 + 0.8 * lift])
        clavicle = [(side * 18, -62, 532, 8), (side * 70, -50, 548 + 0.3 * lift, 7.5),
                    (side * 110 * b, -18, 556 + lift, 7.5),
                    (side * 138 * b, 4, 552 + lift, 8)]  # fmt: skip
        spine = [(side * 72, 84, 508, 6), (side * 112 * b, 60, 530 + 0.5 * lift, 8),
                 (side * 142 * b, 28, 548 + lift, 9)]  # fmt: skip
        for line in (clavicle, spine):
            tube = canvas.tube(smooth_line(np.array(line), 12.0))
            _bone(canvas, tube.box, tube.rel, 0.7 * marrow, density, 0.6)
        # Blade: a thin plate behind the ribs.
        turn = 24 if up else 8
        box, level = canvas.ellipsoid(
            (side * 98 * b, 82, 470 + 0.4 * lift), (40, 7, 68), (8, side * turn, side * 32), 0.08
        )
        _bone(canvas, box, level, 0.55 * marrow, density, 0.4)
        box, level = canvas.ellipsoid(head - [side * 26, -4, 2], (13, 13, 19), roughness=0.06)
        _bone(canvas, box, level, 0.8 * marrow, density, 0.7)
        box, level = canvas.ellipsoid(head, (24, 24, 25), roughness=0.05)
        _bone(canvas, box, level, 0.75 * marrow, density, 0.78)
        end = (side * 205 * b, -20, 800, 13) if up else (side * 210, 12, 240, 12)
        middle = (side * 178 * b, -6, 640, 12) if up else (side * 186, 12, 400, 12)
        shaft = smooth_line(np.array([(*head, 17), middle, end]), 16.0)
        tube = canvas.tube(shaft)
        _shaft(canvas, tube.box, tube.rel, marrow, density)


def _shaft(canvas: Canvas, box: Box, rel: np.ndarray, marrow: float, density: float) -> None:
    if box == EMPTY:
        return
    shell = (rel < 1) & (canvas.tissue[box] != Tissue.MARROW)
    canvas.fill(box, shell, Tissue.CORTEX, 0.35, 950.0 * density)
    canvas.fill(box, shell & (rel < 0.55), Tissue.MARROW, 0.35 + 0.12 * marrow, -10.0)


def _pelvis(canvas: Canvas, patient: Patient, density: float) -> None:
    h = patient.build.hips
    marrow = patient.uptake.marrow
    sacrum = [(0, 57, 118, 27), (0, 68, 80, 26), (0, 80, 45, 19), (0, 78, 12, 11), (0, 68, -4, 6)]
    for shift in (-22, 0, 22):
        line = np.array(sacrum, float)
        line[:, 0] += shift * np.linspace(1.15, 0.1, len(line)) * h
        line[:, 3] *= 0.78
        tube = canvas.tube(smooth_line(line, 10.0), roughness=0.05)
        _bone(canvas, tube.box, tube.rel, marrow, 0.85 * density, 0.88)
    for side in (-1, 1):
        # Iliac wing: plates fanned from the sacroiliac joint to the crest.
        crest = [(side * 48 * h, 72, 128), (side * 88 * h, 52, 158), (side * 122 * h, 12, 164),
                 (side * 132 * h, -30, 138), (side * 122 * h, -44, 108)]  # fmt: skip
        roof = np.array([side * 88 * h, 8, 42.0])
        for tip in smooth_line(np.array(crest), 13.0):
            plate = [(*tip, 9), (*(0.5 * tip + 0.5 * roof), 6.5), (*roof, 17)]
            tube = canvas.tube(np.array(plate))
            _bone(canvas, tube.box, tube.rel, 0.95 * marrow, density, 0.66)
        for arch in (
            [(*roof, 18), (side * 55 * h, -38, 12, 11), (side * 8, -52, -6, 9)],
            [(*roof, 18), (side * 72 * h, 30, -8, 15), (side * 62 * h, 28, -42, 14),
             (side * 32, -20, -36, 8), (side * 10, -44, -18, 8)],
        ):  # fmt: skip
            tube = canvas.tube(smooth_line(np.array(arch), 10.0), roughness=0.05)
            _bone(canvas, tube.box, tube.rel, 0.8 * marrow, density, 0.66)


def _femora(canvas: Canvas, patient: Patient, density: float) -> None:
    h = patient.build.hips
    marrow = patient.uptake.marrow
    for side in (-1, 1):
        head = (side * 88 * h, 4, 14)
        neck = [(*head, 18), (side * 112 * h, 4, -8, 17), (side * 122 * h, 4, -30, 22)]
        shaft = [(side * 120 * h, 4, -25, 20), (side * 112 * h, 0, -75, 16),
                 (side * 100 * h, -2, -190, 14), (side * 88 * h, -2, -340, 14)]  # fmt: skip
        tube = canvas.tube(smooth_line(np.array(shaft), 18.0))
        _shaft(canvas, tube.box, tube.rel, marrow, density)
        tube = canvas.tube(smooth_line(np.array(neck), 9.0), roughness=0.04)
        _bone(canvas, tube.box, tube.rel, 0.6 * marrow, density, 0.75)
        box, level = canvas.ellipsoid(head, (23, 23, 23), roughness=0.03)
        joint = (level > 1) & (level < 1.25)
        canvas.fill(box, joint, Tissue.SOFT, 0.7, 60.0)
        _bone(canvas, box, level, 0.65 * marrow, density, 0.8)


def _arthrosis(canvas: Canvas, patient: Patient) -> None:
    """Mild uptake of worn joints; on CT the joint is dense."""
    rng = patient.stream("arthrosis")
    side = int(rng.choice([-1, 1]))
    b, h = patient.build.shoulders, patient.build.hips
    place = str(rng.choice(["shoulder", "hip", "facet", "sternoclavicular"]))
    z = rng.uniform(120, 250)
    shoulder = (side * (118 if patient.build.arms == "up" else 136) * b, 12, 530)
    centre = {
        "shoulder": shoulder,
        "hip": (side * 92 * h, -2, 32),
        "facet": (side * 24, spine_y(z) + 26, z),
        "sternoclavicular": (side * 22, -66, 526),
    }[place]
    patient.variants.append(f"degenerative uptake: {place}")
    canvas.blob(
        centre, rng.uniform(7, 12, 3), Tissue.CORTEX, rng.uniform(2, 4.5), rng.uniform(450, 800)
    )

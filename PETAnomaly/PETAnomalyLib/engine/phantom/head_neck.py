"""Lower head and neck: jaw, airways, tonsils, salivary glands, larynx, thyroid, brain base."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.body import spine_y
from PETAnomalyLib.engine.phantom.canvas import EMPTY, Canvas, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue


def paint_head_and_neck(canvas: Canvas, patient: Patient) -> None:
    """Paint everything above the thoracic inlet."""
    rng = patient.stream("head")
    uptake = patient.uptake
    vessels = 165.0 if patient.contrast else 42.0
    for side in (-1, 1):
        for x, y, r in ((26, -2, 4.5), (32, 2, 6.0)):
            line = [
                (side * (x - 6), y - 5, 548, r),
                (side * x, y - 5, 610, r),
                (side * x, y + 4, 690, r),
            ]
            tube = canvas.tube(np.array(line, float))
            canvas.fill(tube.box, tube.rel < 1, Tissue.BLOOD, uptake.blood, vessels)
    _jaw(canvas, rng)
    _brain(canvas, patient)
    canvas.blob((0, -38, 664), (22, 30, 17), Tissue.MUSCLE, rng.uniform(1.0, 2.2), 55)
    tonsils = rng.uniform(1.8, 4.0) if rng.random() < 0.7 else rng.uniform(4, 9)
    if tonsils > 4:
        patient.variants.append("tonsils")
    for side in (-1, 1):
        each = tonsils * rng.uniform(0.7, 1.2)
        canvas.blob((side * 16, -10, 663), (7, 8, 11), Tissue.GLAND, each, 45)
        gland = uptake.gland * rng.uniform(0.85, 1.15)
        canvas.blob((side * 31, -28, 634), (10, 14, 11), Tissue.GLAND, gland, 35)
        canvas.blob((side * 52, 8, 668), (9, 14, 20), Tissue.GLAND, gland, -5)
    canvas.blob((0, -62, 660), (14, 6, 6), Tissue.GLAND, 0.8 * uptake.gland, 35)
    if rng.random() < 0.45:
        canvas.blob((0, 0, 684), (14, 5, 9), Tissue.GLAND, rng.uniform(2.5, 5), 45)
    airway = [(0, -8, 690, 8), (0, -4, 650, 7), (0, -14, 618, 7), (0, -16, 590, 8),
              (0, -8, 550, 8.5), (0, 6, 500, 9), (0, 14, 474, 9)]  # fmt: skip
    _larynx(canvas, patient)
    _thyroid(canvas, patient)
    tube = canvas.tube(smooth_line(np.array(airway), 12.0))
    canvas.fill(tube.box, tube.rel < 1.25, Tissue.SOFT, None, 50.0)
    canvas.fill(tube.box, tube.rel < 1, Tissue.AIRWAY, 0.25, -980.0)


def _jaw(canvas: Canvas, rng: np.random.Generator) -> None:
    arch = [(-50, 6, 690, 7), (-48, -2, 652, 8), (-34, -48, 638, 8), (0, -74, 636, 9),
            (34, -48, 638, 8), (48, -2, 652, 8), (50, 6, 690, 7)]  # fmt: skip
    tube = canvas.tube(smooth_line(np.array(arch), 9.0))
    canvas.fill(tube.box, tube.rel < 1, Tissue.CORTEX, 0.9, 900.0)
    canvas.fill(tube.box, tube.rel < 0.5, Tissue.MARROW, 0.9, 350.0)
    upper = [(-26, -44, 674, 7), (0, -70, 672, 8), (26, -44, 674, 7)]
    tube = canvas.tube(smooth_line(np.array(upper), 9.0))
    canvas.fill(tube.box, tube.rel < 1, Tissue.CORTEX, 0.9, 1000.0)
    if rng.random() < 0.2:
        side = rng.choice([-1, 1])
        canvas.blob((side * 30, -50, 655), (6, 7, 6), Tissue.CORTEX, rng.uniform(2.5, 5), 1300)


def _brain(canvas: Canvas, patient: Patient) -> None:
    box, level = canvas.ellipsoid((0, 8, 774), (68, 88, 76), roughness=0.02)
    if box == EMPTY:
        return
    canvas.fill(box, level < 1.22, Tissue.CORTEX, 0.6, 900.0)
    folds = 1 + 0.2 * canvas.rough[2][box]
    canvas.fill(
        box, level < 1, Tissue.BRAIN, (patient.uptake.brain * folds).astype(np.float32), 36.0
    )
    for side in (-1, 1):
        canvas.blob(
            (side * 24, 44, 715), (26, 26, 18), Tissue.BRAIN, 0.8 * patient.uptake.brain, 36
        )


def _larynx(canvas: Canvas, patient: Patient) -> None:
    rng = patient.stream("larynx")
    value = rng.uniform(1.2, 2.2) if rng.random() < 0.7 else rng.uniform(3, 6)
    if value > 3:
        patient.variants.append("larynx")
    canvas.blob((0, -22, 602), (15, 13, 12), Tissue.MUSCLE, value, 60)
    canvas.blob((0, -34, 604), (12, 3, 12), Tissue.SOFT, 0.8, 160)


def _thyroid(canvas: Canvas, patient: Patient) -> None:
    rng = patient.stream("thyroid")
    drawn = rng.random()
    value = rng.uniform(1.0, 1.8) if drawn < 0.75 else rng.uniform(2.5, 8)
    if drawn >= 0.75:
        patient.variants.append("thyroid")
    hu = 110.0 if not patient.contrast else 170.0
    size = rng.uniform(0.85, 1.3)
    for side in (-1, 1):
        radii = np.array([9, 10, 20]) * size * rng.uniform(0.9, 1.1)
        canvas.blob((side * 17, -14, 572), radii, Tissue.GLAND, value, hu)
    canvas.blob((0, -22, 566), (13, 4, 6), Tissue.GLAND, value, hu)


def paint_muscle_and_brown_fat(canvas: Canvas, patient: Patient) -> None:
    """Tense or used muscles and activated brown fat: hot on PET; CT shows muscle, or only fat."""
    rng = patient.stream("muscle")
    if rng.random() < 0.4:
        patient.variants.append("muscle uptake")
        for _ in range(int(rng.integers(1, 5))):
            side = int(rng.choice([-1, 1]))
            value = rng.uniform(1.5, 5.0)
            line = _MUSCLES[int(rng.integers(len(_MUSCLES)))]
            knots = np.array(line, float) * [side, 1, 1, rng.uniform(0.7, 1.1)]
            knots[:, :3] += rng.normal(0, 4, 3)
            sides = [knots] if rng.random() < 0.5 else [knots, knots * [-1, 1, 1, 1]]
            for each in sides:
                tube = canvas.tube(smooth_line(each, 9.0), roughness=0.25)
                inside = (tube.rel < 1) & np.isin(
                    canvas.tissue[tube.box], (Tissue.MUSCLE, Tissue.FAT)
                )
                canvas.fill(tube.box, inside, Tissue.MUSCLE, value, 56.0)
    rng = patient.stream("brown fat")
    chance = 0.22 if patient.build.age < 40 and patient.build.bmi < 27 else 0.05
    if rng.random() < chance:
        _brown_fat(canvas, patient, rng)


def _brown_fat(canvas: Canvas, patient: Patient, rng: np.random.Generator) -> None:
    patient.variants.append("brown fat")
    value = rng.uniform(3, 13)
    places = [(rng.uniform(30, 100), rng.uniform(-12, 30), rng.uniform(545, 600)) for _ in range(6)]
    places += [(38, spine_y(z) + 6, z) for z in range(300, 540, 27) if rng.random() < 0.7]
    places += [(rng.uniform(15, 40), -45, rng.uniform(430, 510))]
    for x, y, z in places:
        for side in (-1, 1):
            centre = np.array([side * x, y, z]) + rng.normal(0, 3, 3)
            radii = rng.uniform(4, 9, 3) * [1.3, 1, 1]
            canvas.blob(
                centre, radii, Tissue.BROWN_FAT, value * rng.uniform(0.5, 1.1), -88, roughness=0.3
            )


# Lines (x, y, z, radius) of muscles that are often seen after tension or exercise.
_MUSCLES = (
    [(22, -40, 530, 6), (34, -18, 580, 8), (48, 8, 640, 8)],  # sternocleidomastoid
    [(25, 18, 640, 6), (34, 18, 590, 8), (45, 0, 556, 7)],  # scalene
    [(18, 55, 610, 8), (60, 60, 560, 9), (110, 45, 545, 9)],  # trapezius
    [(16, 60, 600, 7), (26, 66, 560, 8), (60, 70, 520, 8)],  # rhomboid, levator
    [(150, 0, 540, 9), (165, 4, 515, 11)],  # deltoid
    [(45, 48, 180, 9), (44, 56, 230, 10)],  # erector spinae
    [(38, 30, 210, 9), (52, 10, 130, 10), (72, -20, 50, 9)],  # psoas
    [(60, 70, 40, 12), (105, 50, 0, 13)],  # gluteal
    [(95, -45, -40, 10), (90, -50, -110, 11)],  # quadriceps
    [(40, 10, -50, 9), (55, 10, -100, 10)],  # adductor
)

"""Heart, great vessels, airways and gullet in the chest."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.body import Envelope, spine_y
from PETAnomalyLib.engine.phantom.canvas import EMPTY, Canvas, rotation_matrix, smooth_line
from PETAnomalyLib.engine.phantom.patient import Patient
from PETAnomalyLib.engine.phantom.tissue import Tissue


def paint_thorax(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    """Paint the chest: lung vessels, heart, aorta and veins, trachea, oesophagus, thymus."""
    _lung_vessels(canvas, patient)
    _heart(canvas, patient, envelope)
    _great_vessels(canvas, patient)
    rng = patient.stream("chest")
    for side, lower in ((-1, 452), (1, 448)):
        line = [(0, 14, 474, 8), (side * 24, 16, 460, 7), (side * 42, 20, lower, 5)]
        tube = canvas.tube(np.array(line, float))
        canvas.fill(tube.box, tube.rel < 1, Tissue.AIRWAY, 0.25, -960.0)
    gullet = [(0, 16, 590, 6), (3, 26, 520, 6), (6, 30, 450, 7), (14, 26, 395, 8), (28, 10, 372, 9)]
    value = rng.uniform(1.3, 2.2)
    hot = rng.random() < 0.25
    if hot:
        patient.variants.append("oesophagus")
    knots = smooth_line(np.array(gullet), 8.0)
    tube = canvas.tube(knots)
    along = np.full(tube.count + 1, value)
    if hot:
        low = float(rng.uniform(0, 0.8)) if rng.random() < 0.4 else 0.8
        start = int(low * tube.count)
        along[start : start + int(rng.integers(2, 12))] = rng.uniform(2.5, 5)
    if tube.box != EMPTY:
        open_place = np.isin(
            canvas.tissue[tube.box], (Tissue.SOFT, Tissue.VISCERAL_FAT, Tissue.MUSCLE)
        )
        canvas.fill(
            tube.box,
            (tube.rel < 1) & open_place,
            Tissue.BOWEL,
            along[tube.segment].astype(np.float32),
            38.0,
        )
    if patient.build.age < 35 and rng.random() < 0.5:
        patient.variants.append("thymus")
        for side in (-1, 1):
            canvas.blob(
                (side * 13, -62, 480), (13, 8, 30), Tissue.GLAND, rng.uniform(1.6, 3.5), 30,
                (0, side * 12, 0),
            )  # fmt: skip


def _lung_vessels(canvas: Canvas, patient: Patient) -> None:
    """Vessels fan out from the hila and thin towards the pleura."""
    lung = canvas.tissue == Tissue.LUNG
    distance = np.sqrt(
        ((np.abs(canvas.x) - 38) / 1.0) ** 2 + (canvas.y - 12) ** 2 + (0.8 * (canvas.z - 450)) ** 2
    )
    vessel = lung & (np.abs(canvas.rough[2]) < 0.34 * np.exp(-distance / 32))
    whole = (slice(None), slice(None), slice(None))
    canvas.fill(
        whole,
        vessel,
        Tissue.BLOOD,
        0.75 * patient.uptake.blood,
        120.0 if patient.contrast else 25.0,
    )


def _heart(canvas: Canvas, patient: Patient, envelope: Envelope) -> None:
    rng = patient.stream("heart")
    uptake = patient.uptake
    blood_hu = rng.uniform(140, 200) if patient.contrast else 42.0
    size = float(np.clip(rng.normal(1.0, 0.07), 0.85, 1.22))
    # The heart rides on the diaphragm: it moves with it, and sideways from patient to patient.
    shift = np.array(
        [rng.normal(4, 7), rng.normal(0, 4), envelope.dome_right - 388 + rng.normal(2, 6)]
    )
    whole = np.array([18, -32, 418]) + shift
    box, level = canvas.ellipsoid(whole, np.array([60, 46, 50]) * size, (0, 25, 0), 0.05)
    open_place = np.isin(
        canvas.tissue[box], (Tissue.LUNG, Tissue.SOFT, Tissue.VISCERAL_FAT, Tissue.BLOOD)
    )
    canvas.fill(box, (level < 1.14) & open_place, Tissue.VISCERAL_FAT, 0.5, -85.0)
    canvas.fill(box, (level < 1) & open_place, Tissue.SOFT, 0.9 * uptake.blood, 45.0)
    for centre, radii in (
        ((-20, 0, 20), (24, 28, 32)), ((8, 28, 22), (30, 18, 24)), ((2, -22, 0), (36, 22, 34)),
    ):  # fmt: skip
        canvas.blob(whole + np.array(centre) * size, np.array(radii) * size, Tissue.BLOOD,
                    uptake.blood, blood_hu, (0, 25, 0), 0.08)  # fmt: skip
    _left_ventricle(canvas, patient, rng, whole, size, blood_hu)


def _left_ventricle(
    canvas: Canvas,
    patient: Patient,
    rng: np.random.Generator,
    heart: np.ndarray,
    size: float,
    blood_hu: float,
) -> None:
    uptake = patient.uptake
    centre = heart + np.array([24, -2, -8]) * size
    tilt = np.array([rng.normal(-25, 8), rng.normal(28, 8), rng.normal(-40, 8)])
    radii = np.array([44, 31, 31]) * size
    box, level = canvas.ellipsoid(centre, radii, tilt, 0.04)
    if box == EMPTY:
        return
    long_axis = rotation_matrix(tilt)[0]
    offsets = (canvas.x[box] - centre[0], canvas.y[box] - centre[1], canvas.z[box] - centre[2])
    along = sum(np.float32(u) * d for u, d in zip(long_axis, offsets)) / radii[0]
    inner = level < rng.uniform(0.42, 0.52)
    cup = (level < 1) & (along < 0.72)
    canvas.fill(box, cup, Tissue.BLOOD, uptake.blood, blood_hu)
    value = np.full(level.shape, uptake.myocardium, np.float32)
    pattern = rng.random()
    hot = uptake.myocardium > 2.5
    if hot and pattern < 0.45:
        # Patchy: one wall avid, the opposite one not (lateral wall and papillary muscles).
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        facing = sum(np.float32(u) * d for u, d in zip(direction, offsets)) / radii[1]
        value *= np.clip(0.55 + 0.7 * facing + 0.2 * canvas.rough[2][box], 0.12, 1.1)
    elif hot and pattern < 0.6:
        value *= np.clip(0.25 + 0.9 * (along - 0.25), 0.15, 1.1)  # the base alone
    else:
        value *= 1 + 0.1 * canvas.rough[2][box]
    value = np.maximum(value, 0.8 * uptake.blood).astype(np.float32)
    if hot:
        patient.variants.append("myocardium")
    canvas.fill(box, cup & ~inner, Tissue.MYOCARDIUM, value, 95.0 if patient.contrast else 45.0)
    if patient.stream("right heart").random() < 0.15 and hot:
        patient.variants.append("right ventricle")
        canvas.blob(
            heart + np.array([-4, -30, -6]) * size, (34, 9, 26), Tissue.MYOCARDIUM,
            0.4 * uptake.myocardium, 60, (0, 25, 0),
        )  # fmt: skip


def _great_vessels(canvas: Canvas, patient: Patient) -> None:
    rng = patient.stream("vessels")
    uptake = patient.uptake
    hu = rng.uniform(140, 200) if patient.contrast else 42.0
    wide = float(np.clip(rng.normal(0.85 + 0.004 * patient.build.age, 0.08), 0.8, 1.4))
    bow = rng.normal(0, 4)
    aorta = [(4, -14, 430, 14), (-8, -30, 465, 14), (-2, -26, 492, 13), (10, 0, 502, 12.5),
             (22, 26, 490, 12), (24, 36, 460, 12), (20 + bow, 30, 400, 11),
             (12, spine_y(340) - 26, 340, 11), (10, spine_y(275) - 30, 275, 10),
             (8 + bow, spine_y(200) - 33, 200, 9.5), (4, spine_y(150) - 34, 150, 9)]  # fmt: skip
    cava = [(-22, -10, 530, 8), (-26, -8, 480, 9), (-26, -6, 440, 10), (-26, 2, 385, 11),
            (-22, spine_y(300) - 30, 300, 11), (-18, spine_y(220) - 31, 220, 10),
            (-12, spine_y(148) - 30, 148, 10)]  # fmt: skip
    lung_trunk = [(18, -40, 440, 12), (14, -20, 464, 12), (-30, 4, 466, 9)]
    left_lung = [(14, -20, 464, 11), (42, 12, 466, 9)]
    lines = [aorta, cava, lung_trunk, left_lung]
    for side in (-1, 1):
        iliac = [(side * 4, spine_y(150) - 32, 150, 7.5), (side * 38, 12, 95, 7),
                 (side * 66, -30, 40, 6.5), (side * 76, -62, -10, 6),
                 (side * 74, -62, -150, 5)]  # fmt: skip
        subclavian = [(side * 2, -26, 502, 6), (side * 24, -4, 545, 5.5),
                      (side * 60, 0, 558, 5), (side * 115, 4, 520, 5)]  # fmt: skip
        lines += [iliac, subclavian]
    lines.append([(0, -10, 480, 6), (-14, -46, 522, 7), (30, -44, 530, 7), (60, -20, 545, 6)])
    for line in lines:
        knots = smooth_line(np.array(line, float) * [1, 1, 1, wide], 11.0)
        tube = canvas.tube(knots)
        if tube.box == EMPTY:
            continue
        solid = np.isin(
            canvas.tissue[tube.box],
            (Tissue.CORTEX, Tissue.MARROW, Tissue.MYOCARDIUM, Tissue.AIRWAY),
        )
        canvas.fill(tube.box, (tube.rel < 1) & ~solid, Tissue.BLOOD, uptake.blood, hu)
        if patient.build.age > 62:
            calcified = (np.abs(tube.rel - 1) < 0.14) & (canvas.rough[2][tube.box] > 1.35) & ~solid
            canvas.fill(tube.box, calcified, Tissue.BLOOD, None, 420.0)

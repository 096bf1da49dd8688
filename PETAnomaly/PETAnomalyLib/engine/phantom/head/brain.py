"""The space of the brain, and the brain in it: cerebrum, brainstem, cerebellum, ventricles."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import EMPTY, VOXEL_ML, Box, Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, ellipsoid, paint, tube, united
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.head.brain_coordinates import (
    body_points,
    brain_coordinates,
    brain_size,
)
from PETAnomalyLib.engine.phantom.head.brain_findings import paint_brain_findings
from PETAnomalyLib.engine.phantom.head.brain_uptake import callosum, grey_matter
from PETAnomalyLib.engine.phantom.mean_uptake import paint_with_mean
from PETAnomalyLib.engine.phantom.organs import OPEN_NECK, Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

Triple = tuple[float, float, float]

CENTRE = (0.0, 6.0, 768.0)
RADII = (67.0, 84.0, 65.0)  # of the vault
MIDDLE_FOSSA = ((39.0, -8.0, 728.0), (28.0, 38.0, 25.0))  # of the left; mirrored for the right
POSTERIOR_FOSSA = ((0.0, 43.0, 728.0), (52.0, 45.0, 32.0))
ENDS_MM = (694.0, 836.0)  # body z that it reaches, with what bone needs
FRONTAL_FLOOR_MM = 729.0  # body z of the roof of the orbits
CAVITY_ML = 1740.0  # of the reference person
FILLED = 0.94  # of the skull, by the brain of the young
LOWEST_MM = 680.0  # body z of the lowest brainstem

CSF_HU, CSF_SUV = 10.0, 0.6  # cerebrospinal fluid: water, and what spills from the scalp's blood
WHITE_HU = -5.0  # white matter below grey
STEM = 0.55  # uptake of the brainstem, of the whole brain's
SHARED = 0.85  # of the two ellipsoids of the cerebellum: the vermis belongs to both
CEREBRUM = 0.9  # of the cavity: what lies above the tentorium
STEM_BACK_MM = 19.0  # body y between brainstem and cerebellum


def cranial_cavity(canvas: Canvas) -> Shape:
    """The inner surface of the skull: level 1; the bone lies outside, to a level of about 1.2.

    A vault with a middle fossa on either side, a posterior fossa, and the roof of the orbits as
    its floor in front.
    """
    ends = body_points(canvas, [(*CENTRE[:2], z) for z in ENDS_MM])
    box = canvas.box(ends, 0.0)
    if box == EMPTY:
        return Shape(box, np.zeros((0, 0, 0), np.float32), 0.0, 2 / 3)
    box = (box[0], *canvas.box(CENTRE, max(RADII) * 1.2)[1:])
    x, y, z = brain_coordinates(canvas, box)
    aside = np.abs(x)

    def relative(part: Array, centre: Triple, radii: Triple) -> Array:
        u, v, w = (part - centre[0], y - centre[1], z - centre[2])
        return (u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2

    level = relative(x, CENTRE, RADII)
    floor = FRONTAL_FLOOR_MM - 24 / (1 + np.exp(-np.clip(y + 31, -90, 90) / 5))
    np.maximum(level, (1 + (floor - z) / RADII[2]) ** 2 * (z < floor), out=level)
    np.minimum(level, relative(aside, *MIDDLE_FOSSA), out=level)
    np.minimum(level, relative(x, *POSTERIOR_FOSSA), out=level)
    level = level.astype(np.float32)
    ml = CAVITY_ML * brain_size(canvas) ** 3 * float(canvas.pose.scale.prod())
    return Shape(box, level, ml, 2 / 3)


def paint_brain(canvas: Canvas, patient: Patient) -> None:
    """Paint cerebellum, brainstem, cerebrum, and the cerebrospinal fluid round and in them."""
    cavity = cranial_cavity(canvas)
    if cavity.empty or float(canvas.z[cavity.box].max()) < LOWEST_MM:
        return
    inside = cavity.level < 1
    wanted = patient.volume_ml(Organ.BRAIN), patient.volume_ml(Organ.CEREBELLUM)
    whole = cavity.box[0].start > 0 and cavity.box[0].stop < canvas.shape[0]
    room = float(inside.sum()) * VOXEL_ML if whole else cavity.nominal_ml
    fits = min(1.0, FILLED * room / sum(wanted))
    _cerebellum(canvas, patient, cavity, wanted[1] * fits)
    stem_ml = _brainstem(canvas, patient)
    _cerebrum(canvas, patient, cavity, wanted[0] * fits - stem_ml)
    paint_brain_findings(canvas, patient, cavity)
    fluid = inside & canvas.where(cavity.box, OPEN_NECK)
    canvas.fill(cavity.box, fluid, Organ.SOFT, CSF_SUV, CSF_HU)


def _cerebellum(canvas: Canvas, patient: Patient, cavity: Shape, volume_ml: float) -> None:
    """Two hemispheres and the vermis below the tentorium; vermis and white matter are less hot."""
    rng = patient.stream("cerebellum")
    up = rng.normal(0, 2)
    radii = np.array([31, 26, 24]) * brain_size(canvas)
    halves = [
        ellipsoid(
            canvas, body_points(canvas, (side * 25, 48, 724 + up)), radii, (18, 0, side * 8), 0.04
        )
        for side in (-1, 1)
    ]
    shape = united(halves)
    if shape.empty:
        return
    shape.nominal_ml *= SHARED
    x, y, z = brain_coordinates(canvas, shape.box)
    below = (z < _tentorium(y)) & (y > STEM_BACK_MM)
    below &= _seen_in(shape.box, cavity.box, cavity.level < 1)
    value = np.clip(1 + 0.14 * canvas.rough[2][shape.box], 0.7, 1.3)
    value *= 1 - 0.12 * np.exp(-((x / 7) ** 2)) - 0.3 * np.exp(-shape.level / 0.12)
    paint_with_mean(canvas, patient, shape, Organ.CEREBELLUM, value, OPEN_NECK, volume_ml, below)


def _tentorium(y: Array) -> Array:
    """Body z of the tent between the cerebellum and the lobes above."""
    return 745 - np.float32(0.3) * np.maximum(y - 27, 0)


def _brainstem(canvas: Canvas, patient: Patient) -> float:
    """Midbrain, pons and medulla; returns the ml that were painted."""
    rng = patient.stream("brainstem")
    line = np.array([(0, 9, 752, 11), (0, 10, 738, 13), (0, 13, 724, 14), (0, 23, 708, 8),
                     (0, 32, 692, 6.0)])  # fmt: skip
    line[:, 3] *= rng.normal(1, 0.05)
    shape = tube(canvas, body_points(canvas, line))
    suv = canvas.mottled(STEM * patient.suv(Organ.BRAIN), shape.box)
    hu = patient.hu(Organ.BRAIN) + 0.6 * WHITE_HU
    painted = paint(canvas, shape, Organ.BRAIN, suv, hu, OPEN_NECK)
    return float(painted.sum()) * VOXEL_ML


def _cerebrum(canvas: Canvas, patient: Patient, cavity: Shape, volume_ml: float) -> None:
    rng = patient.stream("cerebrum")
    box = cavity.box
    x, y, z = brain_coordinates(canvas, box)
    # Fluid stands in the fissures: between the hemispheres, and above the temporal lobes.
    sylvian = (z - (738 + 0.25 * (y + 3))) / 4
    fissure = 0.5 * np.exp(-((x / 2.5) ** 2)) * np.clip(3 * (callosum(y, z) - 1), 0, 1)
    fissure += 0.4 * np.exp(-(sylvian**2)) * (np.abs(x) > 44) * (np.abs(y + 1) < 34)
    folded = cavity.level * (1 + 0.06 * canvas.rough[2][box]) + fissure
    shape = Shape(box, folded.astype(np.float32), CEREBRUM * cavity.nominal_ml, cavity.power)
    above = (z > _tentorium(y)) | (y < STEM_BACK_MM - 2)
    only = above & (cavity.level < 1) & ~_ventricles(canvas, patient, box)
    grey = grey_matter(canvas, rng, cavity)
    painted = paint_with_mean(canvas, patient, shape, Organ.BRAIN, grey, OPEN_NECK, volume_ml, only)
    canvas.hu[box][painted] += np.float32(WHITE_HU) * (0.6 - grey[painted])


def _ventricles(canvas: Canvas, patient: Patient, box: Box) -> Mask:
    """The lateral ventricles, in the brain's box: wider with age."""
    rng = patient.stream("ventricles")
    wide = max(0.6, 0.55 + 0.009 * patient.build.age + rng.normal(0, 0.15))
    found = np.zeros([s.stop - s.start for s in box], bool)
    for side in (-1, 1):
        line = [(side * 8, -27, 772, 4), (side * 10, -1, 784, 5), (side * 16, 29, 782, 6),
                (side * 24, 43, 768, 6), (side * 27, 23, 752, 3)]  # fmt: skip
        own = np.array(line) * [1, 1, 1, wide * rng.normal(1, 0.07)]
        shape = tube(canvas, body_points(canvas, own))
        if not shape.empty:
            found |= _seen_in(box, shape.box, shape.level < 1)
    return found


def _seen_in(box: Box, other: Box, mask: Mask) -> Mask:
    """A mask of another box, in `box`; False beyond it."""
    found = np.zeros([s.stop - s.start for s in box], bool)
    both = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, other)]
    if all(low < high for low, high in both):
        into, out = (
            tuple(slice(low - s.start, high - s.start) for (low, high), s in zip(both, part))
            for part in (box, other)
        )
        found[into] = mask[out]
    return found

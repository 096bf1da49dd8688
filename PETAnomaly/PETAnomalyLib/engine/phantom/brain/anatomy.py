"""A head without disease: the template, deformed by its subject, with skull and scalp around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from PETAnomalyLib.engine.phantom.brain.deformation import (
    exponential,
    moved,
    random_velocity,
    warped,
)
from PETAnomalyLib.engine.phantom.brain.grid import (
    DEFORMATION,
    HALF,
    HEAD,
    TEMPLATE,
    Array,
    Box,
    Grid,
    Mask,
    Point,
)
from PETAnomalyLib.engine.phantom.brain.skull import surroundings
from PETAnomalyLib.engine.phantom.brain.subject import Subject
from PETAnomalyLib.engine.phantom.brain.template import template
from PETAnomalyLib.engine.phantom.canvas.lines import rotation_matrix

FIELD_OF_VIEW_MM = (240.0, 240.0, 192.0)
"""Along x, y, z; at 1.875 mm that is 128 x 128 x 102 voxels."""
MIDDLE: Point = (0.0, -18.0, 2.0)
"""The MNI point that lies in the middle of the field of view, the head's offset aside."""
FAR = 100.0


COARSE_MM = 3.0
"""Places in the template and distances to the skull change slowly: they are computed on this grid,
whatever the size of the voxels, and interpolated."""


@dataclass(frozen=True)
class Anatomy:
    """What each voxel of a head holds, k x j x i, z upwards in the scanner.

    Attributes:
        grid: the scan's, LPS mm.
        box: the part of it that holds the brain; all that follows but `around` is of this part.
        csf, grey, white: parts of a voxel, 0..1; together 1 in the brain.
        iron: part of its brain that holds iron.
        ventricle_mm: about the distance to the ventricles in the template, where that tissue is.
        place: 3 x k x j x i, the MNI point (x, y, z) that lies here.
        right_mm: MNI x before anything pushed, to the right of the falx above 0.
        around: signed distances of `Surroundings` by name, on the whole grid.
    """

    grid: Grid
    box: Box
    csf: Array
    grey: Array
    white: Array
    iron: Array
    ventricle_mm: Array
    place: Array
    right_mm: Array
    around: dict[str, Array]

    @property
    def brain(self) -> Array:
        """How much of a voxel is brain or its CSF."""
        return self.csf + self.grey + self.white


def scan_grid(voxel_mm: float, centre: Point) -> Grid:
    """The grid on which a head is scanned, LPS mm, about the middle of the field of view."""
    size = [round(extent / voxel_mm) for extent in FIELD_OF_VIEW_MM]
    x, y, z = (round(c - (n - 1) / 2 * voxel_mm, 4) for c, n in zip(centre, size))
    return Grid((x, y, z), voxel_mm, (size[2], size[1], size[0]))


def individual_displacement(subject: Subject) -> Array:
    """From a head's shape to the template's, 3 x k x j x i on `DEFORMATION`, mm.

    Shape and gyri are random at three widths; the right frontal and the left occipital lobe are
    larger on average (petalia); ventricles are wide or narrow.
    """
    rng = subject.stream("shape")
    velocity = random_velocity(rng, 28.0, 2.4)
    finer = random_velocity(rng, 14.0, 1.8) + random_velocity(rng, 7.5, 1.5)
    velocity += _inside_brain() * finer
    z, y, x = DEFORMATION.axes()
    lean = np.float32(1.5 + rng.normal(0, 0.8)) * np.tanh(x / 25) * np.exp(-((z / 60) ** 2))
    velocity[1] -= lean * np.clip(np.abs(y + 20) / 60, 0, 1)
    velocity += np.float32(subject.ventricle_growth) * _towards_ventricles()
    return exponential(velocity)


def paint_anatomy(subject: Subject, grid: Grid, centre: Point, mass: Array | None) -> Anatomy:
    """What each voxel of `grid` holds.

    Args:
        subject: its size, shape, pose and age.
        grid: from `scan_grid`.
        centre: LPS of the middle of the field of view.
        mass: the displacement by a mass, before which the brain is the template's; or None.
    """
    x, y, z = (c - extent / 2 for c, extent in zip(centre, FIELD_OF_VIEW_MM))
    shape = [int(np.ceil(extent / COARSE_MM)) + 1 for extent in FIELD_OF_VIEW_MM]
    coarse = Grid((x, y, z), COARSE_MM, (shape[2], shape[1], shape[0]))
    place = _places(subject, coarse, centre)
    around = {
        name: coarse.sample(HEAD.at(values, place, FAR), grid)
        for name, values in vars(surroundings()).items()
    }
    box = _box(around["cranium"] < 3)
    origin = place if mass is None else moved(place, mass)
    place, origin = (np.stack([coarse.sample(p, grid, box) for p in q]) for q in (place, origin))
    maps = template()
    csf, grey, white = (
        TEMPLATE.at(values, origin, 0.0) for values in (maps.csf, maps.grey, maps.white)
    )
    crisp, detail, iron = (HALF.at(values, origin, 0.0) for values in _regional())
    ventricle_mm = HALF.at(maps.ventricle_mm, origin, FAR)
    brain = csf + grey + white
    csf, grey, white = _individual(subject, (csf, grey, white), crisp, ventricle_mm)
    # What is whiter than its tissue on T1w holds more of what makes white matter white.
    whiter = np.clip(np.clip(detail, -0.5, 0.5) * (1 - csf), -white, grey)
    grey -= whiter
    white += whiter
    csf, grey, white = csf * brain, grey * brain, white * brain
    iron *= brain > 0.5
    return Anatomy(grid, box, csf, grey, white, iron, ventricle_mm, place, origin[0], around)


def _places(subject: Subject, grid: Grid, centre: Point) -> Array:
    """The MNI point of each point of the scanner: pose, size, shape; 3 x k x j x i."""
    displacement = individual_displacement(subject)
    scale = (subject.intracranial_ml / _brain_ml(displacement)) ** (1 / 3)
    turn = rotation_matrix(np.array(subject.tilt_deg))
    to_right_front_up = np.diag([-1.0, -1.0, 1.0])
    matrix = np.diag(1 / (scale * np.array(subject.proportions))) @ turn @ to_right_front_up
    middle = np.array(centre) + to_right_front_up @ np.array(subject.offset_mm)
    z, y, x = grid.axes()
    away = [axis - np.float32(m) for axis, m in zip((x, y, z), middle)]
    rows = [
        sum(a * np.float32(w) for a, w in zip(away, row)) + np.float32(m)
        for row, m in zip(matrix, MIDDLE)
    ]
    return moved(np.stack(rows).astype(np.float32), displacement)


def _box(mask: Mask) -> Box:
    edges = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(mask.any(others))
        edges.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return edges[0], edges[1], edges[2]


def _individual(
    subject: Subject, parts: tuple[Array, Array, Array], crisp: Array, ventricle_mm: Array
) -> tuple[Array, Array, Array]:
    """Parts of one head from those of the average of many.

    The average's blurred borders are made one head's by raising the parts to a power; sulci widen
    with age, where CSF gains on grey matter.
    """
    csf, grey, white = (np.maximum(part, 1e-6) ** crisp for part in parts)
    sulci = np.clip(ventricle_mm - 3, 0, 1) * np.float32(subject.sulcal_growth)
    csf *= np.exp(1.4 * sulci)
    grey *= np.exp(-0.15 * sulci)
    whole = csf + grey + white + np.float32(1e-12)
    return csf / whole, grey / whole, white / whole


@lru_cache(maxsize=1)
def _regional() -> tuple[Array, Array, Array]:
    """How crisp borders are, details of T1w and iron, on the grid `HALF`."""
    z, y, x = HALF.axes()
    # Deep grey matter and brainstem really are between grey and white: they stay as they are.
    deep = ((x / 34) ** 2 + ((y + 8) / 30) ** 2 + ((z - 5) / 19) ** 2) < 1
    deep |= (np.abs(x) < 24) & (y > -60) & (y < -8) & (z < -6)
    crisp = 2.4 - 1.2 * ndimage.gaussian_filter(deep.astype(np.float32), 2)
    return crisp.astype(np.float32), template().detail, _iron()


def _iron() -> Array:
    z, y, x = HALF.axes()
    nuclei = (
        ((20.0, -3.0, -1.0), (4.5, 8.0, 6.0)),  # pallidum
        ((5.0, -21.0, -9.0), (3.2, 3.2, 3.5)),  # red nucleus
        ((10.0, -16.0, -12.0), (4.5, 2.5, 3.5)),  # substantia nigra
        ((15.0, -57.0, -34.0), (6.5, 5.0, 3.5)),  # dentate nucleus
    )
    result = np.zeros(HALF.shape, np.float32)
    for (a, b, c), (p, q, r) in nuclei:
        level = 1 - np.sqrt(((np.abs(x) - a) / p) ** 2 + ((y - b) / q) ** 2 + ((z - c) / r) ** 2)
        np.maximum(result, np.clip(0.5 + level * min(p, q, r) / 3, 0, 1), out=result)
    return result


@lru_cache(maxsize=1)
def _inside_brain() -> Array:
    """1 well inside the brain, 0 at the skull: gyri vary, the skull over them does not."""
    depth = HALF.sample(np.clip(template().depth_mm / 12, 0, 1), DEFORMATION)
    return _within_template(depth)


@lru_cache(maxsize=1)
def _towards_ventricles() -> Array:
    """Velocity of about 1 mm at the ventricles' walls, inwards: so their inside comes out."""
    mask = template().ventricles[::2, ::2, ::2].astype(np.float32)
    potential = ndimage.gaussian_filter(
        _within_template(HALF.sample(mask, DEFORMATION)), 5.0 / DEFORMATION.step_mm
    )
    by_z, by_y, by_x = np.gradient(potential)
    slope = np.sqrt(by_x**2 + by_y**2 + by_z**2)
    velocity = np.stack([by_x, by_y, by_z]) / (slope + np.float32(0.12 * slope.max()))
    return velocity.astype(np.float32)


def _within_template(values: Array) -> Array:
    """0 beyond the template, where `Grid.sample` repeats its edge."""
    z, y, x = DEFORMATION.axes()
    inside = np.ones(DEFORMATION.shape, bool)
    for axis, low, extent in zip((x, y, z), TEMPLATE.first_mm, TEMPLATE.shape[::-1]):
        inside &= (axis >= low) & (axis <= low + extent - 1)
    return (values * inside).astype(np.float32)


def _brain_ml(displacement: Array) -> float:
    """Of the template's brain after a displacement."""
    brain = template().brain[::2, ::2, ::2].astype(np.float32)
    brain = _within_template(HALF.sample(brain, DEFORMATION))
    return float(warped(brain[None], displacement).sum() * DEFORMATION.step_mm**3 / 1000)


def stays_in_skull(velocity: Array) -> Array:
    """A velocity that fades towards the skull: a mass does not move bone."""
    return velocity * _inside_brain()

"""The voxels of a study's images, and where they lie on the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Box, Canvas
from PETAnomalyLib.engine.phantom.patient.patient import Patient
from PETAnomalyLib.engine.phantom.scanner.sampling import Matrix
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner

MOST_VOXELS = 14_000_000
"""Larger matrices are cut to a field of view round the body, as hospitals' exports are, too."""
MARGIN_MM = 6.0
COUCH_MM = 36.0  # behind the canvas, for the couch


@dataclass(frozen=True)
class ImageGrid:
    """The grid of PET, CT and truth; LPS, axes along the patient.

    Attributes:
        spacing_mm, size, origin_lps_mm: along x, y, z.
        first_mm: where on the canvas the first voxel lies, mm along x, y, z.
        box: voxels (k, j, i) that the canvas reaches; only air is outside.
    """

    spacing_mm: tuple[float, float, float]
    size: tuple[int, int, int]
    origin_lps_mm: tuple[float, float, float]
    first_mm: tuple[float, float, float]
    box: Box

    @property
    def shape(self) -> tuple[int, int, int]:
        """(k, j, i)."""
        return (self.size[2], self.size[1], self.size[0])

    def axis(self, axis: int) -> Matrix:
        """Positions on the canvas of the voxels of `box` along array axis 0 (z), 1 (y), 2 (x)."""
        column, extent = 2 - axis, self.box[axis]
        steps = np.arange(extent.start, extent.stop, dtype=np.float64)
        return self.first_mm[column] + steps * self.spacing_mm[column]

    def whole(self, part: NDArray[Any], outside: float) -> NDArray[Any]:
        """An array of `box` on the whole grid, `outside` round it."""
        if part.shape == self.shape:
            return part
        # Zeros cost nothing until they are touched.
        full = np.zeros(self.shape, part.dtype)
        if outside != 0:
            full[:] = outside
        full[self.box] = part
        return full

    def nearest(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Labels of the canvas's voxels at the nearest voxels of the whole grid; 0 outside."""
        found = labels
        for axis in range(3):
            middle = 0.0 if axis == 0 else (labels.shape[axis] // 2) * STEP_MM
            index = np.rint((self.axis(axis) + middle) / STEP_MM).astype(np.intp)
            inside = (index >= 0) & (index < labels.shape[axis])
            found = np.take(found, np.clip(index, 0, labels.shape[axis] - 1), axis)
            if not inside.all():
                found[(slice(None),) * axis + (~inside,)] = 0
        return self.whole(found, 0)

    def image(self, array: NDArray[Any]) -> sitk.Image:
        """An array of the whole grid as an image."""
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(self.spacing_mm)
        image.SetOrigin(self.origin_lps_mm)
        return image


def image_grid(canvas: Canvas, patient: Patient, scanner: Scanner) -> ImageGrid:
    """The scanner's voxels round the patient; the couch stands somewhere else each time."""
    rng = patient.stream("couch position")
    model = scanner.model
    slices = max(1, int(canvas.shape[0] * STEP_MM / model.spacing_mm[2]))
    size, first, extents = [], [], []
    for axis, cells in ((0, canvas.shape[2]), (1, canvas.shape[1])):
        step = model.spacing_mm[axis]
        reach = (cells // 2 + 0.5) * STEP_MM + MARGIN_MM
        behind = reach + (COUCH_MM if axis == 1 else 0)
        count, start = model.matrix, -(model.matrix - 1) / 2 * step + float(rng.normal(0, 4))
        if slices * model.matrix**2 > MOST_VOXELS:
            count, start = min(count, int((reach + behind) / step) + 1), -reach
        low = max(0, int(np.ceil((-reach - start) / step)))
        high = min(count, int(np.floor((behind - start) / step)) + 1)
        size.append(count)
        first.append(round(start, 3))
        extents.append(slice(low, high))
    first.append((model.spacing_mm[2] - STEP_MM) / 2)
    return ImageGrid(
        spacing_mm=model.spacing_mm,
        size=(size[0], size[1], slices),
        origin_lps_mm=_origin(rng, first),
        first_mm=(first[0], first[1], first[2]),
        box=(slice(0, slices), extents[1], extents[0]),
    )


def _origin(rng: np.random.Generator, first: Sequence[float]) -> tuple[float, float, float]:
    return (
        round(float(first[0] + rng.normal(0, 6)), 3),
        round(float(first[1] + rng.uniform(-190, -120)), 3),
        round(float(rng.uniform(-1250, -350)), 3),
    )

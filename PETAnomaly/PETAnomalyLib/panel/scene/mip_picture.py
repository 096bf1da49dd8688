"""The PET from the front as a picture: maximum intensity, black on white, the findings numbered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qt
import SimpleITK as sitk
import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.volume_files import ijkToRas

PIXEL_MM = 2.0
INK = (190, 0, 0)
BESIDE = 8  # pixels from a finding's centre to its number


def frontMip(pet: Any, highest: float) -> tuple[np.ndarray, Any]:
    """The highest SUV from front to back, as the reader faces the patient.

    Args:
        pet: the PET's node, its axes nearly those of the patient.
        highest: SUV that is black; 0 is white.

    Returns:
        (rows, columns) uint8 grey, head on top and the patient's right on the left; and a function
        from (R, A, S) mm to (column, row).
    """
    voxels, matrix = slicer.util.arrayFromVolume(pet), ijkToRas(pet)
    towards = [int(np.argmax(np.abs(matrix[axis, :3]))) for axis in range(3)]  # i, j, k of R, A, S
    right, front, head = towards
    image = voxels.max(axis=2 - front)  # the axes that are left, slow ones first: k, j, i
    left = [axis for axis in (2, 1, 0) if axis != front]
    if left[0] != head:
        image = image.T
    if matrix[2, head] > 0:
        image = image[::-1]  # head on top
    if matrix[0, right] > 0:
        image = image[:, ::-1]  # R grows to the left of the picture
    steps = np.linalg.norm(matrix[:3, :3], axis=0)
    rows = _resampled(image.shape[0], steps[head])
    columns = _resampled(image.shape[1], steps[right])
    grey = 255.0 * (1.0 - np.clip(image[np.ix_(rows, columns)] / highest, 0.0, 1.0))
    inverse = np.linalg.inv(matrix)

    def place(ras: Sequence[float]) -> tuple[float, float]:
        index = (inverse @ [*ras, 1.0])[:3]
        row, column = index[head] + 0.5, index[right] + 0.5
        if matrix[2, head] > 0:
            row = image.shape[0] - row
        if matrix[0, right] > 0:
            column = image.shape[1] - column
        return column * steps[right] / PIXEL_MM, row * steps[head] / PIXEL_MM

    return grey.astype(np.uint8), place


def writeNumberedMip(path: Path, pet: Any, rows: Sequence[Row], highest: float) -> None:
    """`frontMip` as a PNG, with each finding's number beside its centre."""
    grey, place = frontMip(pet, highest)
    sitk.WriteImage(sitk.GetImageFromArray(np.ascontiguousarray(grey)), str(path))
    picture = qt.QPixmap(str(path))
    painter = qt.QPainter()
    painter.begin(picture)
    painter.setPen(qt.QColor(*INK))
    for row in rows:
        finding = row.finding
        column, line = place((finding.centroid_r_mm, finding.centroid_a_mm, finding.centroid_s_mm))
        painter.drawText(round(column) + BESIDE, round(line), str(finding.number))
    painter.end()
    picture.save(str(path))


def _resampled(count: int, step: float) -> np.ndarray:
    """Index of the nearest voxel for each pixel along an axis."""
    pixels = max(1, round(count * step / PIXEL_MM))
    return np.minimum((np.arange(pixels) + 0.5) * count / pixels, count - 1).astype(int)

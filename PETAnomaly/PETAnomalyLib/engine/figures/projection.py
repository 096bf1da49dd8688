"""Volumes as pictures: projections, and the outlines of what is drawn in them.

Maximum-intensity projections in true millimetres, in the radiological view (the patient's right on
the left, anterior on the left, head up), whatever the grid's orientation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from PETAnomalyLib.engine.figures.drawing import Colour

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

SUV_WINDOW = 7.0  # SUV shown black
# Blue and green: seen on grey, on the map, and by colour-blind eyes.
FINDING: Colour = (0, 130, 255)
TRUTH: Colour = (0, 175, 70)


@dataclass(frozen=True)
class View:
    """One projection direction: which array axis is projected, and what is shown across."""

    name: str
    axis: int  # of (k, j, i) in LPS order
    across: int
    marks: tuple[str, str]  # at the left and right border


CORONAL = View("coronal", axis=1, across=2, marks=("R", "L"))
SAGITTAL = View("sagittal", axis=2, across=1, marks=("A", "P"))
VIEWS = (CORONAL, SAGITTAL)


def to_lps(image: sitk.Image) -> sitk.Image:
    """The image with its axes turned to left, posterior, superior."""
    direction = image.GetDirection()
    orientation = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(direction)
    return image if orientation == "LPS" else sitk.DICOMOrient(image, "LPS")


def mips(image: sitk.Image) -> tuple[NDArray, ...]:
    """The projections of an LPS image, one a view."""
    array = sitk.GetArrayViewFromImage(image)
    return tuple(array.max(axis=view.axis) for view in VIEWS)


def grey(
    flat: NDArray[np.float32], mm: tuple[float, float], scale: float, black: float, white: float
) -> Image.Image:
    """A projection as grey, head up.

    Args:
        flat: rows feet first, columns.
        mm: of a row and of a column.
        scale: pixels a millimetre.
        black, white: the values shown black and white.
    """
    shades = np.clip((flat[::-1].astype(np.float64) - black) / (white - black), 0, 1)
    tall, wide = (max(8, round(n * step * scale)) for n, step in zip(flat.shape, mm))
    picture = Image.fromarray(np.round(shades * 255).astype(np.uint8))
    return picture.resize((wide, tall), Image.Resampling.BICUBIC)


def map_range(mip: NDArray[np.float32], threshold: float | None) -> tuple[float, float]:
    """The values shown darkest and brightest.

    Not up to the highest: a few voxels that tower over all would leave the rest black.
    """
    low = float(mip.min())
    raised = mip[mip > low]
    if not raised.size:
        return low, low + 1.0
    high = float(np.percentile(raised, 99.5))
    return low, high if threshold is None else max(high, low + 1.25 * (threshold - low))


def outline(panel: Image.Image, shadow: NDArray[np.bool_], colour: Colour, dashed: bool) -> Box:
    """A line just outside a shadow (rows, columns), so that what it holds stays visible.

    Returns:
        The shadow's bounding box in the panel's pixels.
    """
    rows, columns = np.flatnonzero(shadow.any(axis=1)), np.flatnonzero(shadow.any(axis=0))
    if not rows.size:
        return (0, 0, 0, 0)
    tall, wide = panel.height / shadow.shape[0], panel.width / shadow.shape[1]
    room = [math.ceil(6 / tall), math.ceil(6 / wide)]  # voxels, for the line itself
    padded = np.pad(
        shadow[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1],
        ((room[0], room[0]), (room[1], room[1])),
    )
    size = (max(1, round(padded.shape[1] * wide)), max(1, round(padded.shape[0] * tall)))
    mask = Image.fromarray(padded.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    mask = mask.point([0] * 127 + [255] * 129)
    # The truth's line is the broader one: it shows also where a finding's lies on it.
    width = 7 if dashed else 5
    ring = ImageChops.subtract(mask.filter(ImageFilter.MaxFilter(width)), mask)
    if dashed:
        y, x = np.indices((ring.height, ring.width))
        ring = ImageChops.multiply(
            ring, Image.fromarray((((x + y) // 5) % 2 * 255).astype(np.uint8))
        )
    corner = (
        round((int(columns[0]) - room[1]) * wide),
        round((int(rows[0]) - room[0]) * tall),
    )
    panel.paste(colour, corner, ring)
    return (
        columns[0] * wide,
        rows[0] * tall,
        (columns[-1] + 1) * wide,
        (rows[-1] + 1) * tall,
    )

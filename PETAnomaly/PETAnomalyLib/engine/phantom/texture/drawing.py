"""What all textures are drawn with: fields of noise, lines and blobs on a square of pixels.

Positions are (row, column) in edges of the picture, 0 to 1.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Colour = tuple[float, float, float]

EDGE = 256  # pixels


def rows_and_columns() -> tuple[Array, Array]:
    """Of each pixel's middle."""
    along = (np.arange(EDGE) + 0.5) / EDGE
    rows, columns = np.meshgrid(along, along, indexing="ij")
    return rows, columns


def turned(degrees: float) -> tuple[Array, Array]:
    """`rows_and_columns` about the middle of the picture, turned; 0 in the middle."""
    rows, columns = rows_and_columns()
    angle = np.deg2rad(degrees)
    rows, columns = rows - 0.5, columns - 0.5
    return (
        rows * np.cos(angle) - columns * np.sin(angle),
        rows * np.sin(angle) + columns * np.cos(angle),
    )


def noise(random: np.random.Generator, sigma: float) -> Array:
    """Gaussian noise smoothed over `sigma` pixels, of mean 0 and standard deviation 1."""
    field = random.normal(size=(EDGE, EDGE))
    if sigma:
        field = ndimage.gaussian_filter(field, sigma, mode="wrap")
    field -= field.mean()
    return np.asarray(field / field.std())


def coloured(grey: Array, colour: Colour) -> Array:
    """H x W x 3: a colour, brighter and darker by a field round 1."""
    return grey[..., None] * np.array(colour)


def blended(image: Array, colour: Colour, share: Array) -> Array:
    """An image with a colour laid over it; share: H x W, 0 to 1."""
    return image + share[..., None] * (np.array(colour) - image)


def blob(random: np.random.Generator, middle: tuple[float, float], radius: float) -> Array:
    """How far each pixel lies inside a patch with an uneven border: above 0 within, in radii."""
    rows, columns = rows_and_columns()
    rows, columns = rows - middle[0], columns - middle[1]
    angle = np.arctan2(rows, columns)
    border = np.ones_like(rows)
    for waves in (2, 3, 5):
        border += random.uniform(0.05, 0.18) * np.cos(waves * angle + random.uniform(0, 2 * np.pi))
    return np.asarray(border - np.hypot(rows, columns) / radius)


def distance_to_curve(
    random: np.random.Generator, middle: tuple[float, float], length: float, bend: float
) -> Array:
    """Distance of each pixel to a curve, in edges of the picture.

    Args:
        random: its direction and bends.
        middle: of the curve.
        length: along it, in edges.
        bend: the largest change of direction from point to point, radians.
    """
    points = 24
    direction = random.uniform(0, 2 * np.pi) + np.cumsum(random.uniform(-bend, bend, points))
    steps = np.stack([np.sin(direction), np.cos(direction)], 1) * length / points
    path = np.cumsum(steps, 0)
    path += np.array(middle) - path.mean(0)
    rows, columns = rows_and_columns()
    found = np.full(rows.shape, np.inf)
    for (r0, c0), (r1, c1) in pairwise(path):
        dr, dc = r1 - r0, c1 - c0
        along = ((rows - r0) * dr + (columns - c0) * dc) / max(dr * dr + dc * dc, 1e-12)
        along = along.clip(0, 1)
        found = np.minimum(found, np.hypot(rows - r0 - along * dr, columns - c0 - along * dc))
    return found


def soft(inside: Array, width: float) -> Array:
    """1 where a field lies above 0, 0 below, with an edge of `width` on either side."""
    return np.asarray((inside / (2 * width) + 0.5).clip(0, 1))

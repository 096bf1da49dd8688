"""The largest diameter of a finding, in any direction.

Between the points of its surface that lie half a voxel outwards from its outermost voxels' centres:
Maximum3DDiameter of PyRadiomics, whose mesh has its vertices there
(https://pyradiomics.readthedocs.io/en/latest/features.html#module-radiomics.shape).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

CORNERS_AT_ONCE = 500  # whose distances to all others are taken in one step
HALF_STEPS = np.concatenate([0.5 * np.eye(3), -0.5 * np.eye(3)])


def largest_diameter(inside: NDArray[np.bool_], axes: NDArray[np.float64]) -> float:
    """The largest distance between two points of the surface, in mm; 0 without voxels.

    Args:
        inside: (k, j, i), where the finding is.
        axes: (3, 3), its columns the steps of i, j and k in mm.
    """
    ijk = np.argwhere(_row_ends(inside))[:, ::-1]
    if not len(ijk):
        return 0.0
    points = (ijk[:, None] + HALF_STEPS).reshape(-1, 3)
    corners = points[ConvexHull(points).vertices] @ axes.T  # a diameter ends in corners
    parts = range(0, len(corners), CORNERS_AT_ONCE)
    return max(float(cdist(corners[at : at + CORNERS_AT_ONCE], corners).max()) for at in parts)


def _row_ends(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first and the last voxel of each row: the others are no corners."""
    ends = np.zeros_like(inside)
    k, j = np.nonzero(inside.any(axis=2))
    rows = inside[k, j]
    ends[k, j, rows.argmax(axis=1)] = True
    ends[k, j, inside.shape[2] - 1 - rows[:, ::-1].argmax(axis=1)] = True
    return ends

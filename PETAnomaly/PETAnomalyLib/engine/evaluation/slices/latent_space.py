"""Points of a latent space in the plane, their clusters, and an ellipse for each.

References:
    Paper 4 (Rashmi et al., MIDL 2024), section 4.1: UMAP, k-means of the points, and eigenvectors
    and eigenvalues of each cluster's covariance; L. McInnes et al., UMAP, 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.runtime.known_error import require_package

Points = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

CLUSTERS = 2
"""Healthy and with a lesion, if the model tells them apart."""

WITHIN = 2.0  # standard deviations along each axis of an ellipse
_NEIGHBOURS = 15  # UMAP's own default


@dataclass(frozen=True)
class Ellipse:
    """Spread and direction of a cluster.

    Attributes:
        centre: x, y.
        semi_axes: `WITHIN` standard deviations along the longer and the shorter axis.
        degrees: of the longer axis from x towards y, -90 to 90.
    """

    centre: tuple[float, float]
    semi_axes: tuple[float, float]
    degrees: float


def require_umap() -> None:
    """Refuse to begin where UMAP cannot be had.

    Raises:
        MissingPackageError: umap-learn is not installed.
    """
    require_package(
        "umap", "umap-learn", "which lays the latent space into the plane", "pip install umap-learn"
    )


def in_the_plane(vectors: npt.NDArray[np.floating]) -> Points:
    """UMAP of n vectors (n x d, four or more): n x 2, always the same."""
    from umap import UMAP

    neighbours = min(_NEIGHBOURS, len(vectors) - 1)
    # From random places: its spectral start fails where there are hardly more points than axes.
    laid = UMAP(n_neighbors=neighbours, random_state=0, n_jobs=1, init="random")
    return np.asarray(laid.fit_transform(vectors), np.float64)


def clusters_of(points: Points) -> Labels:
    """The `CLUSTERS` clusters of k-means, n numbers from 0."""
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(CLUSTERS, n_init=10, random_state=0).fit_predict(points), np.int64)


def ellipse_of(points: Points) -> Ellipse:
    """Of n x 2 points, two or more: by eigenvectors and eigenvalues of their covariance."""
    values, vectors = np.linalg.eigh(np.cov(points.T))  # the smaller first
    x, y = vectors[:, 1]
    degrees = math.degrees(math.atan2(y, x))
    x_mean, y_mean = points.mean(0)
    longer, shorter = WITHIN * np.sqrt(np.maximum(values[::-1], 0))
    turned = degrees - 180 * round(degrees / 180)  # an axis has no direction
    return Ellipse((float(x_mean), float(y_mean)), (float(longer), float(shorter)), turned)


def told_apart(clusters: Labels, groups: Labels) -> float:
    """The share of points in the cluster that is mostly of their group, 0.5 to 1.

    1 where the two clusters are the two groups; 0.5 where they have nothing to do with them.

    Args:
        clusters, groups: 0 or 1, n of each, as many of both groups.
    """
    share = float(np.mean(clusters == groups))
    return max(share, 1 - share)

"""Small volumes that are known before any file is written."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fuzz.case import Array, affine

TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")

AXES = [
    np.array([[sign if row == place else 0.0 for place, sign in zip(places, signs)]
              for row in range(3)])
    for places in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]  # fmt: skip
"""The 48 ways in which three axes can lie along a patient's."""


@st.composite
def values(draw: st.DrawFn, types: tuple[str, ...] = TYPES) -> tuple[Array, str]:
    """Voxels, D x H x W, and how they can be read: as `image`, also as `pet` or as `ct`."""
    kind = np.dtype(draw(st.sampled_from(types)))
    shape = tuple(draw(st.integers(2, 6)) for _ in range(3))
    noise = np.random.default_rng(draw(st.integers(0, 2**32)))
    ways = ["image", "image", "image", "pet", "lesions"]
    if kind.kind in "if" and kind.itemsize > 1:
        ways.append("ct")
    way = draw(st.sampled_from(ways))
    low, high = {"ct": (-1000, 600), "pet": (0, 6), "lesions": (0, 3)}.get(way, (0, 120))
    made = noise.uniform(low, high, shape)
    made[0, 0, 0], made[-1, -1, -1] = low, high - 1
    return (made if kind.kind == "f" else np.floor(made)).astype(kind), way


@st.composite
def affines(draw: st.DrawFn, right_handed: bool = False) -> Array:
    """(4, 4), LPS, mm: one of the 48 orientations, some of them turned by a few degrees."""
    axes = draw(st.sampled_from(AXES))
    if right_handed and np.linalg.det(axes) < 0:
        axes = axes * [1.0, 1.0, -1.0]
    if draw(st.booleans()):
        axes = turn(draw(st.floats(-0.4, 0.4)), draw(st.integers(0, 2))) @ axes
    steps = [draw(st.sampled_from((1.0, 2.5, 4.07283, 5.0, 3.27))) for _ in range(3)]
    origin = [draw(st.sampled_from((0.0, -250.5, 17.25, 900.0))) for _ in range(3)]
    return affine(axes, steps, origin)


def turn(angle: float, about: int) -> Any:
    """The rotation by `angle` about a coordinate axis, (3, 3)."""
    a, b = (axis for axis in range(3) if axis != about)
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def oblong(matrix: Array) -> tuple[Array, Array, Array]:
    """Unit vectors in columns, steps and origin of an affine (4, 4)."""
    with np.errstate(all="ignore"):
        steps = np.linalg.norm(matrix[:3, :3], axis=0)
        return matrix[:3, :3] / steps, steps, matrix[:3, 3]


def is_regular(matrix: Array, tolerance: float = 3e-3) -> bool:
    """Whether the axes of an affine are finite, of some length and perpendicular."""
    if not np.isfinite(matrix).all():
        return False
    directions, steps, _ = oblong(matrix)
    if not (np.isfinite(directions).all() and steps.min() > 0):
        return False
    return bool(np.abs(directions.T @ directions - np.eye(3)).max() <= tolerance)


def corners(matrix: Array, size: Any) -> Array:
    """Where the outermost voxels of a volume lie, (3, 8), mm."""
    last = np.asarray(size[:3]) - 1
    places = np.array([[*(last * choice), 1] for choice in itertools.product((0, 1), repeat=3)])
    with np.errstate(all="ignore"):
        found: Array = (matrix @ places.T)[:3]
        return found

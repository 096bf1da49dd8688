"""Reference uptake: the liver and the blood pool, and where they are measured.

Liver: a sphere of 3 cm in the right lobe. Blood pool: a cylinder 1 cm wide and 2 cm long, along the
body, in the descending thoracic aorta (PERCIST: Wahl et al., J Nucl Med 2009;50 Suppl 1:122S;
O et al., Radiology 2016;280:576). A voxel belongs to a region whose centre lies in it.

An affine is (4, 4), from voxel indices (i, j, k) to RAS mm, as in nibabel and Slicer; arrays are
(k, j, i). NumPy and SciPy only: this file runs inside Slicer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.findings.components import NEIGHBOURS_26
from PETAnomalyLib.engine.runtime.errors import InputError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

LIVER_RADIUS_MM = 15.0
BLOOD_POOL_RADIUS_MM = 5.0
BLOOD_POOL_LENGTH_MM = 20.0
# Below its highest point the aorta's arch has gone: what lies behind there is the descending part.
BELOW_ARCH_MM = (50.0, 130.0)


@dataclass(frozen=True)
class Uptake:
    """Of a reference region.

    Attributes:
        mean, sd, maximum: SUVbw, g/ml; sd is that of its voxels (divided by their number).
        voxels: how many they are.
    """

    mean: float
    sd: float
    maximum: float
    voxels: int


def liver_place(liver: Mask, affine: Floats, radius: float = LIVER_RADIUS_MM) -> Floats:
    """Centre of the sphere, RAS mm: the voxel deepest inside the right half of the liver.

    Args:
        liver: (k, j, i).
        affine: of its grid.
        radius: of the sphere, mm.

    Raises:
        InputError: the sphere does not fit in.
    """
    right = _points(liver, affine)[:, 0]
    middle = (right.min() + right.max()) / 2 if len(right) else 0.0
    candidates = liver.copy()
    candidates[liver] = right >= middle
    return _deepest(liver, candidates, affine, radius, "the right lobe of the liver")


def blood_pool_place(aorta: Mask, affine: Floats) -> Floats:
    """Centre of the cylinder, RAS mm: the voxel deepest inside the descending thoracic aorta.

    That is the rearmost of the aorta's parts between 5 and 13 cm below its highest point, where the
    arch has parted into an ascending and a descending vessel.

    Args:
        aorta: (k, j, i), the arch in it.
        affine: of its grid.

    Raises:
        InputError: the cylinder does not fit in, or there is no such part.
    """
    height = _points(aorta, affine)[:, 2]
    below = height.max() - height if len(height) else height
    band = np.zeros(aorta.shape, bool)
    band[aorta] = (below >= BELOW_ARCH_MM[0]) & (below <= BELOW_ARCH_MM[1])
    parts, count = ndimage.label(band, NEIGHBOURS_26)
    place = "the descending thoracic aorta"
    if not count:
        raise _does_not_fit(place)
    behind = [float(_points(parts == part, affine)[:, 1].mean()) for part in range(1, count + 1)]
    descending = parts == 1 + int(np.argmin(behind))
    return _deepest(aorta, descending, affine, BLOOD_POOL_RADIUS_MM, place)


def liver_uptake(
    suv: NDArray[np.float32], affine: Floats, centre: Floats, radius: float = LIVER_RADIUS_MM
) -> Uptake:
    """Uptake of the liver.

    Args:
        suv: (k, j, i), SUVbw.
        affine: of its grid.
        centre: of the sphere, RAS mm.
        radius: of the sphere, mm.

    Raises:
        InputError: it does not lie in the PET.
    """
    low, high = _box(suv.shape, affine, centre, radius)
    offsets = _offsets(low, high, affine, centre)
    return _uptake(suv, low, high, (offsets**2).sum(axis=-1) <= radius**2)


def blood_pool_uptake(suv: NDArray[np.float32], affine: Floats, centre: Floats) -> Uptake:
    """Uptake of the blood pool; arguments and errors as of `liver_uptake`, its size is fixed."""
    half = BLOOD_POOL_LENGTH_MM / 2
    low, high = _box(suv.shape, affine, centre, float(np.hypot(BLOOD_POOL_RADIUS_MM, half)))
    offsets = _offsets(low, high, affine, centre)
    across = (offsets[..., :2] ** 2).sum(axis=-1) <= BLOOD_POOL_RADIUS_MM**2
    return _uptake(suv, low, high, across & (np.abs(offsets[..., 2]) <= half))


def _points(mask: Mask, affine: Floats) -> Floats:
    """Centres of a mask's voxels, (n, 3) RAS mm."""
    return np.argwhere(mask)[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]


def _deepest(organ: Mask, candidates: Mask, affine: Floats, radius: float, place: str) -> Floats:
    """Of the candidates the one farthest from what is not the organ."""
    if not candidates.any():
        raise _does_not_fit(place)
    where = np.argwhere(organ)
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(where.min(axis=0), where.max(axis=0)))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    depth = ndimage.distance_transform_edt(np.pad(organ[box], 1), sampling=spacing)[
        1:-1, 1:-1, 1:-1
    ]
    depth = np.where(candidates[box], depth, 0.0)
    if depth.max() < radius:
        raise _does_not_fit(place)
    k, j, i = (
        n + part.start for n, part in zip(np.unravel_index(depth.argmax(), depth.shape), box)
    )
    centre: Floats = affine[:3, :3] @ [i, j, k] + affine[:3, 3]
    return centre


def _box(
    shape: tuple[int, ...], affine: Floats, centre: Floats, reach: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and one after the last index (i, j, k) of the voxels within reach of the centre."""
    index = np.linalg.solve(affine[:3, :3], np.asarray(centre) - affine[:3, 3])
    # How far a sphere reaches along each index: the rows of the inverse, also on sheared grids.
    steps = reach * np.linalg.norm(np.linalg.inv(affine[:3, :3]), axis=1)
    low = np.maximum(np.ceil(index - steps), 0).astype(np.int64)
    high = np.minimum(np.floor(index + steps) + 1, shape[::-1]).astype(np.int64)
    return low, np.maximum(high, low)


def _offsets(
    low: NDArray[np.int64], high: NDArray[np.int64], affine: Floats, centre: Floats
) -> Floats:
    """From the centre to the voxels of a box, RAS mm, (k, j, i, 3)."""
    k, j, i = np.meshgrid(*(np.arange(a, b) for a, b in zip(low[::-1], high[::-1])), indexing="ij")
    offsets: Floats = np.stack([i, j, k], axis=-1) @ affine[:3, :3].T + (affine[:3, 3] - centre)
    return offsets


def _uptake(
    suv: NDArray[np.float32], low: NDArray[np.int64], high: NDArray[np.int64], inside: Mask
) -> Uptake:
    box = tuple(slice(int(a), int(b)) for a, b in zip(low[::-1], high[::-1]))
    values = suv[box][inside].astype(np.float64)
    if not values.size:
        raise InputError("A reference region lies outside the PET.", "Move it into the organ.")
    return Uptake(float(values.mean()), float(values.std()), float(values.max()), values.size)


def _does_not_fit(place: str) -> InputError:
    return InputError(
        f"The reference region does not fit into {place}.",
        "Check the segmentation, or place the region by hand.",
    )

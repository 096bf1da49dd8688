"""Images whose voxels lie on another's, in whatever order of the axes: carried over unchanged."""

from __future__ import annotations

from itertools import product

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError

# Of a voxel: what header fields in single precision and rounded positions come to.
TOLERANCE = 0.05


def on_voxels_of(image: sitk.Image, pet: sitk.Image, name: str, whole: bool) -> sitk.Image:
    """An image on the PET's grid, each of its voxels the PET's voxel at the same place.

    Args:
        image: cut out, mirrored or with other axes first, but with voxels where the PET has some.
        pet: whose grid counts.
        name: of the image, for errors.
        whole: it must cover the PET; otherwise 0 is around it, and what lies outside the PET must
            be 0.

    Raises:
        InputError: its voxels lie elsewhere.
    """
    last = np.array(image.GetSize()) - 1
    corners = [
        pet.TransformPhysicalPointToContinuousIndex(
            image.TransformIndexToPhysicalPoint([int(n) for n in last * corner])
        )
        for corner in product((0, 1), repeat=3)
    ]  # 000, 001, 010, ...: 8 x 3
    places = np.rint(corners)
    apart = np.abs(places - corners).max() > TOLERANCE
    steps = np.abs(places[[4, 2, 1]] - places[0])  # along the image's axes, in the PET's
    along = sorted(zip(steps.max(axis=1).tolist(), steps.sum(axis=1).tolist()))
    expected = sorted((float(n), float(n)) for n in last)
    outside = places.min() < 0 or (places.max(axis=0) > np.array(pet.GetSize()) - 1).any()
    covered = (np.ptp(places, axis=0) == np.array(pet.GetSize()) - 1).all()
    if apart or along != expected or (whole and (outside or not covered)):
        raise _elsewhere(name)
    carried = sitk.Resample(image, pet, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    if outside and _count(carried) != _count(image):
        raise _elsewhere(name)
    return carried


def _count(image: sitk.Image) -> int:
    return int(np.count_nonzero(sitk.GetArrayViewFromImage(image)))


def _elsewhere(name: str) -> InputError:
    return InputError(
        f"{name} does not lie on the voxels of the PET.", "Give the PET that it was made from."
    )

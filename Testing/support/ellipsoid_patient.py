"""A patient of ellipsoids, on any grid and moved rigidly: for what depends on geometry alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.frame.alignment import Alignment
from scipy import special

# Centre (mm), half-axes (mm) and SUV of a patient made of ellipsoids; z is up, 0 the middle.
ORGANS = [
    ((0, 0, 0), (170, 105, 430), 0.6),  # trunk
    ((0, -15, 480), (60, 70, 90), 0.6),  # neck
    ((0, -20, 640), (80, 95, 110), 5.0),  # head
    ((-85, 10, -620), (70, 75, 400), 0.5),  # legs
    ((85, 10, -620), (70, 75, 400), 0.5),
    ((-75, 0, 220), (60, 75, 110), -0.35),  # lungs: less than the trunk around
    ((75, 0, 220), (60, 75, 110), -0.35),
    ((40, -40, 170), (40, 40, 45), 3.0),  # heart
    ((-75, -10, 50), (75, 75, 65), 1.8),  # liver
    ((-60, 60, -40), (25, 25, 50), 3.0),  # kidneys
    ((60, 60, -20), (25, 25, 50), 3.0),
    ((0, -40, -330), (40, 35, 35), 12.0),  # bladder
]


def body_at(points: np.ndarray) -> np.ndarray:
    """SUV of the patient at points (..., 3), LPS mm, with edges about 8 mm wide."""
    suv = np.zeros(points.shape[:-1], dtype=np.float32)
    for centre, half_axes, uptake in ORGANS:
        scaled = (points - np.array(centre, np.float32)) / np.array(half_axes, np.float32)
        radius = np.sqrt(np.einsum("...i,...i", scaled, scaled))
        suv += uptake * special.expit((1 - radius) * min(half_axes) / 4)
    return np.maximum(suv, 0)


def grid(
    size: Sequence[int],
    spacing: Sequence[float],
    centre: Sequence[float] = (0, 0, 0),
    direction: np.ndarray | None = None,
) -> sitk.Image:
    axes = np.eye(3) if direction is None else direction
    image = sitk.Image(list(size), sitk.sitkFloat32)
    image.SetSpacing(list(spacing))
    image.SetDirection([float(x) for x in axes.ravel()])
    half = axes @ [(n - 1) / 2 * s for n, s in zip(size, spacing)]
    image.SetOrigin([float(c - h) for c, h in zip(centre, half)])
    return image


def points_of(image: sitk.Image) -> np.ndarray:
    """LPS mm of every voxel's centre: (k, j, i, 3)."""
    k, j, i = np.indices(sitk.GetArrayViewFromImage(image).shape)
    index = np.stack([i, j, k], axis=-1) * np.array(image.GetSpacing())
    axes = np.reshape(image.GetDirection(), (3, 3))
    return index @ axes.T + np.array(image.GetOrigin())


def filled(image: sitk.Image, values: np.ndarray) -> sitk.Image:
    result = sitk.GetImageFromArray(values.astype(np.float32))
    result.CopyInformation(image)
    return result


def motion(
    rotation_deg: Sequence[float] = (0, 0, 0), shift_mm: Sequence[float] = (0, 0, 0)
) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*(math.radians(angle) for angle in rotation_deg))
    transform.SetTranslation([float(mm) for mm in shift_mm])
    return transform


def patient_on(image: sitk.Image, moved_by: sitk.Euler3DTransform | None = None) -> sitk.Image:
    """The patient, moved rigidly, as a scanner with this grid would see them."""
    points = points_of(image)
    if moved_by is not None:
        matrix = np.reshape(moved_by.GetMatrix(), (3, 3))
        points = (points - np.array(moved_by.GetTranslation())) @ matrix
    return filled(image, body_at(points.astype(np.float32)))


IDENTITY = Alignment(motion(), 1.0)

"""Small random changes of a study (paper 1, appendices C.2 and D.2) or a picture (paper 5).

Elastic deformation and shift move the anatomy, PET and CT alike; contrast, intensity shift and
Gaussian noise change the values. A picture is turned, scaled and moved in place of being deformed;
paper 5 says what is done and not how much.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

Volume = np.ndarray

CONTROL = 8  # voxels between the points that are displaced at random
DISPLACEMENT = 1.0  # voxels, standard deviation of each component at these points
REACH = 4  # voxels: hardly a displacement is larger

CONTRAST = 0.1  # a factor within 1 +- this
INTENSITY_SHIFT = 0.01  # of the model's intensity unit, 0 to 1
NOISE = 0.005  # standard deviation, likewise

# Of a picture: each within +- this.
ROTATION = 5.0  # degrees
SCALING = 0.05
TRANSLATION = 0.04  # of its edges


def shifted(volumes: Sequence[Volume], largest: int, random: np.random.Generator) -> list[Volume]:
    """The same whole-voxel shift of all volumes, edges repeated: -largest..largest along each axis.

    Tokens span several voxels: a shift of a few voxels gives the same anatomy other tokens.
    """
    shift = random.integers(-largest, largest + 1, size=3)
    padding = [(largest, largest)] * 3
    window = tuple(slice(largest + s, largest + s + n) for s, n in zip(shift, volumes[0].shape))
    return [np.pad(volume, padding, mode="edge")[window] for volume in volumes]


def deformed(
    volumes: Sequence[Volume],
    random: np.random.Generator,
    control: int = CONTROL,
    displacement: float = DISPLACEMENT,
) -> list[Volume]:
    """The same elastic deformation of all volumes, float32, edges repeated.

    Cubic splines: linear interpolation halves the noise, and what a network learns from smoothed
    studies it does not find in those it is given later.

    Args:
        volumes: D x H x W each, all of one shape.
        random: what is drawn from.
        control: voxels between the points that are displaced.
        displacement: voxels, standard deviation of each component at these points.
    """
    shape = volumes[0].shape
    points = (3, *(-(-n // control) + 1 for n in shape))
    at_points = torch.from_numpy(random.normal(0.0, displacement, points))
    field = functional.interpolate(at_points[None], shape, mode="trilinear", align_corners=True)[
        0
    ].numpy()
    places = np.indices(shape) + field
    return [
        ndimage.map_coordinates(volume.astype(np.float32), places, order=3, mode="nearest")
        for volume in volumes
    ]


def placed_anew(picture: Volume, random: np.random.Generator) -> Volume:
    """A picture, C x H x W, turned and scaled about its middle and moved; float32, edges mirrored.

    Cubic splines, as of `deformed`.
    """
    angle = np.deg2rad(random.uniform(-ROTATION, ROTATION))
    scale = 1.0 + random.uniform(-SCALING, SCALING)
    size = np.array(picture.shape[1:])
    moved = random.uniform(-TRANSLATION, TRANSLATION, 2) * size
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    matrix = np.array([[cosine, sine], [-sine, cosine]])
    middle = (size - 1) / 2
    offset = middle - matrix @ (middle + moved)
    return np.stack(
        [
            ndimage.affine_transform(channel.astype(np.float32), matrix, offset, mode="mirror")
            for channel in picture
        ]
    )


def intensity_changed(volume: Volume, random: np.random.Generator) -> Volume:
    """Contrast, intensity shift and Gaussian noise, float32."""
    contrast = random.uniform(1.0 - CONTRAST, 1.0 + CONTRAST)
    shift = random.uniform(-INTENSITY_SHIFT, INTENSITY_SHIFT)
    noise = random.normal(0.0, NOISE, volume.shape)
    return (volume * contrast + shift + noise).astype(np.float32)

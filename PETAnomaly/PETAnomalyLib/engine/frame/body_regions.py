"""Head, thorax, abdomen, pelvis and limbs in a model's frame: what a foreign region is called.

Planes across the long axis, and how far from the midline an arm begins; a bundle carries both. They
are derived from its template, by the liver, the largest organ of even, raised uptake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.frame.coarse_pet import BODY_SUV
from PETAnomalyLib.engine.frame.measured_regions import REGIONS

_LIVER_SUV = (1.6, 3.5)
_LIVER_ML = 300.0
_APART_MM = 18.0  # heart and bowel touch it by less
# Of an adult, mm: from the liver's top to the shoulders, from its bottom to the pelvis; half the
# widths of trunk and head, beyond which there are arms.
_THORAX_MM, _BELOW_LIVER_MM = 200.0, 60.0
_TRUNK_MM, _HEAD_MM = 200.0, 110.0


@dataclass(frozen=True)
class RegionBorders:
    """Where the regions of a frame meet, LPS mm in the frame's own space.

    Attributes:
        shoulders, diaphragm, pelvis: z of the planes between head (with neck), thorax, abdomen, and
            pelvis (with thighs).
        midline: x of the body's middle.
        trunk, head: farther than this from the midline is a limb.
    """

    shoulders: float
    diaphragm: float
    pelvis: float
    midline: float
    trunk: float = _TRUNK_MM
    head: float = _HEAD_MM

    @classmethod
    def of_template(cls, template: sitk.Image) -> RegionBorders:
        """From the liver of a mean PET (SUV, g/ml); where it shows none, by parts of the body."""
        suv = sitk.GetArrayFromImage(template)
        body = suv > BODY_SUV
        _, _, columns = np.nonzero(body)
        z_of = template.GetOrigin()[2] + template.GetSpacing()[2] * np.arange(len(suv))
        x_of = template.GetOrigin()[0] + template.GetSpacing()[0] * np.arange(suv.shape[2])
        midline = float(x_of[[int(columns.min()), int(columns.max())]].mean())
        liver = _liver(suv, template.GetSpacing())
        if liver is None:
            rows = np.flatnonzero(body.any(axis=(1, 2)))
            bottom, length = z_of[rows[0]], z_of[rows[-1]] - z_of[rows[0]]
            planes = (float(bottom + part * length) for part in (0.85, 0.6, 0.35))
            shoulders, diaphragm, pelvis = planes
            return cls(shoulders, diaphragm, pelvis, midline)
        low, high = float(z_of[liver.start]), float(z_of[liver.stop - 1])
        return cls(high + _THORAX_MM, high, low - _BELOW_LIVER_MM, midline)

    @classmethod
    def from_values(cls, values: Mapping[str, float]) -> RegionBorders:
        """From a manifest's section, checked before."""
        return cls(**values)

    def values(self) -> dict[str, float]:
        """For a manifest."""
        return {name: round(value, 1) for name, value in asdict(self).items()}

    def region_at(self, points: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Number in `REGIONS` of points, (..., 3) LPS mm in the frame."""
        z, lateral = points[..., 2], np.abs(points[..., 0] - self.midline)
        region = np.select(
            [z > self.shoulders, z > self.diaphragm, z > self.pelvis], [0, 1, 2], default=3
        )
        widest = np.where(z > self.shoulders, self.head, self.trunk)
        return np.where(lateral > widest, REGIONS.index("limbs"), region).astype(np.uint8)


def _liver(suv: NDArray[np.floating], spacing: Sequence[float]) -> slice | None:
    """The slices of the largest part of raised, even uptake; None where it is smaller than one."""
    voxel_ml = float(np.prod(spacing)) / 1000
    even = ndimage.binary_opening(
        (suv > _LIVER_SUV[0]) & (suv < _LIVER_SUV[1]),
        iterations=max(1, round(_APART_MM / max(spacing))),
    )
    labels, count = ndimage.label(even)
    if count == 0:
        return None
    volumes = np.bincount(labels.ravel())[1:]
    largest = int(volumes.argmax())
    if volumes[largest] * voxel_ml < _LIVER_ML:
        return None
    slices: slice = ndimage.find_objects(labels)[largest][0]
    return slices

"""What each finding measures: SUVmax, SUVmean, SUVpeak, MTV, TLG, centroid, score.

SUVpeak is the largest mean SUV over a sphere of 1 cm3 (radius 6.204 mm) whose centre is a voxel of
the finding; the sphere itself may reach beyond the finding (PERCIST: Wahl et al., J Nucl Med 2009;
50 Suppl 1:122S). Every voxel counts with the part of it that lies in the sphere, so the value does
not jump with the voxel size; at the image's border the mean is over the part inside the image.

MTV is the number of voxels times the volume of one; TLG = SUVmean x MTV (SUVbw in g/ml, so g).
The centroid is that of the volume (every voxel counts the same), in RAS mm as Slicer shows it:
SimpleITK's physical points are LPS, so the first two coordinates change sign.

NumPy, SciPy and SimpleITK only: this file runs inside Slicer.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

PEAK_SPHERE_ML = 1.0
PEAK_RADIUS_MM = (3000.0 * PEAK_SPHERE_ML / (4.0 * math.pi)) ** (1.0 / 3.0)
_FOREIGN = 2  # in scored_mask.nii.gz
SUBVOXEL_MM = 0.3  # pieces in which the part of a voxel that lies in the sphere is counted
CENTRES_AT_ONCE = 512  # spheres summed in one step: they fit into the processor's cache


class FindingRow(Protocol):
    """A finding of whatever kind: a dataclass whose fields are the columns of `findings.csv`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def number(self) -> int:
        """The label in the segmentation."""

    @property
    def in_words(self) -> str:
        """What tells it from others, in a segment's name."""


@dataclass(frozen=True)
class Finding:
    """One row of `findings.csv`; the fields are its columns, in this order."""

    number: int  # the label in the segmentation
    suv_max: float  # g/ml
    suv_mean: float  # g/ml
    suv_peak: float  # g/ml
    mtv_ml: float
    tlg_g: float
    centroid_r_mm: float
    centroid_a_mm: float
    centroid_s_mm: float
    score_max: float  # unit of the map
    score_mean: float
    growth_limited: bool
    unfamiliar: bool = False  # most of it lies where the study is unlike what the model knows

    @property
    def in_words(self) -> str:
        """What tells it from others, in a segment's name."""
        return f"SUVmax {self.suv_max:.1f}"


@dataclass(frozen=True)
class Totals:
    """Of all findings of a study."""

    count: int
    tmtv_ml: float
    tlg_g: float


def measure(
    labels: sitk.Image,
    pet: sitk.Image,
    score: sitk.Image,
    growth_limited: Sequence[bool] = (),
    scored_mask: sitk.Image | None = None,
) -> list[Finding]:
    """Measure every label of a study, in the order of the labels.

    Args:
        labels: integers, 0 is background; a label may be missing (a finding that was deleted).
        pet: SUVbw (g/ml) on the same grid.
        score: the anomaly map on the same grid.
        growth_limited: for labels 1, 2, ...; labels beyond its end were not limited.
        scored_mask: 2 where the study is unlike what the model knows, on the same grid; or None.
    """
    label_array = sitk.GetArrayViewFromImage(labels)
    pet_array = sitk.GetArrayViewFromImage(pet)
    score_array = sitk.GetArrayViewFromImage(score)
    voxel_ml = math.prod(pet.GetSpacing()) / 1000.0
    sphere = sphere_coverage(pet.GetSpacing()[::-1])
    foreign = None if scored_mask is None else sitk.GetArrayViewFromImage(scored_mask) == _FOREIGN

    found = []
    for number, box in bounding_boxes(label_array):
        inside = label_array[box] == number
        suv = pet_array[box][inside].astype(np.float64)
        scores = score_array[box][inside].astype(np.float64)
        mtv_ml = suv.size * voxel_ml
        kji = [axis.mean() + part.start for axis, part in zip(np.nonzero(inside), box)]
        left, posterior, superior = pet.TransformContinuousIndexToPhysicalPoint(
            (float(kji[2]), float(kji[1]), float(kji[0]))
        )
        found.append(
            Finding(
                number=number,
                suv_max=float(suv.max()),
                suv_mean=float(suv.mean()),
                suv_peak=_peak(pet_array, box, inside, sphere),
                mtv_ml=mtv_ml,
                tlg_g=float(suv.mean()) * mtv_ml,
                centroid_r_mm=-left,
                centroid_a_mm=-posterior,
                centroid_s_mm=superior,
                score_max=float(scores.max()),
                score_mean=float(scores.mean()),
                growth_limited=number <= len(growth_limited) and bool(growth_limited[number - 1]),
                unfamiliar=foreign is not None and bool(foreign[box][inside].mean() > 0.5),
            )
        )
    return found


def total(findings: Sequence[Finding]) -> Totals:
    """TMTV and TLG of the study."""
    return Totals(
        count=len(findings),
        tmtv_ml=math.fsum(finding.mtv_ml for finding in findings),
        tlg_g=math.fsum(finding.tlg_g for finding in findings),
    )


def write_csv(
    path: Path,
    findings: Sequence[FindingRow],
    further: Mapping[str, Sequence[float | str]] | None = None,
    row: type[FindingRow] = Finding,
) -> None:
    """Write one row a finding under a header row, UTF-8, decimal points, `true` and `false`.

    Four decimals: more than any of the numbers is worth, enough to add them up again.

    Args:
        path: the file.
        findings: the rows.
        further: columns after those of `row`, a value a finding.
        row: what the findings are.
    """
    columns = further or {}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(field.name for field in fields(row)), *columns])
        for index, finding in enumerate(findings):
            values = [*astuple(finding), *(column[index] for column in columns.values())]
            writer.writerow([cell(value) for value in values])


def sphere_coverage(spacing_kji_mm: Sequence[float]) -> NDArray[np.float64]:
    """The part of each voxel that lies in the 1 cm3 sphere centred on the middle voxel.

    Returns:
        (2a+1, 2b+1, 2c+1) values in 0..1; times a voxel's volume they add up to 1 ml (0.5 %).
    """
    squares, pieces, voxels = [], [], []
    for spacing in spacing_kji_mm:
        reach = math.ceil(PEAK_RADIUS_MM / spacing - 0.5)
        voxels.append(2 * reach + 1)
        pieces.append(math.ceil(spacing / SUBVOXEL_MM))
        middles = (np.arange(voxels[-1] * pieces[-1]) + 0.5) / pieces[-1] - voxels[-1] / 2
        squares.append((middles * spacing) ** 2)
    inside = (
        squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
        <= PEAK_RADIUS_MM**2
    )
    parts = inside.reshape(voxels[0], pieces[0], voxels[1], pieces[1], voxels[2], pieces[2])
    return parts.mean(axis=(1, 3, 5))


def bounding_boxes(
    labels: NDArray[np.integer],
) -> list[tuple[int, tuple[slice, slice, slice]]]:
    """Each label of an array (k, j, i) with its bounding box; missing labels are left out."""
    where = [np.flatnonzero(labels.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not where[0].size:
        return []
    starts = [int(indices[0]) for indices in where]
    around = tuple(slice(int(indices[0]), int(indices[-1]) + 1) for indices in where)
    boxes = []
    for index, box in enumerate(ndimage.find_objects(labels[around])):
        if box is None:
            continue
        k, j, i = (slice(part.start + start, part.stop + start) for part, start in zip(box, starts))
        boxes.append((index + 1, (k, j, i)))
    return boxes


def _peak(
    pet: NDArray[np.float32],
    box: tuple[slice, slice, slice],
    inside: NDArray[np.bool_],
    sphere: NDArray[np.float64],
) -> float:
    """The largest sphere mean over the voxels `inside` the box.

    A mean above L needs a voxel above L in its sphere. With L the mean round the hottest voxel,
    few centres are left, and the result is the same as over all of them.
    """
    reach = [size // 2 for size in sphere.shape]
    suv = pet[box]
    start = np.array([part.start for part in box])
    hottest = np.unravel_index(np.argmax(np.where(inside, suv, -np.inf)), suv.shape)
    reached = _sphere_means(pet, np.array(hottest)[None] + start, sphere).max()

    low = [max(0, part.start - r) for part, r in zip(box, reach)]
    wide = tuple(slice(first, part.stop + r) for first, part, r in zip(low, box, reach))
    hot = (pet[wide] > reached).astype(np.uint8)
    near = ndimage.maximum_filter(hot, size=sphere.shape, mode="constant")
    core = tuple(slice(part.start - first, part.stop - first) for part, first in zip(box, low))
    centres = np.argwhere(inside & (near[core] > 0)) + start
    if not len(centres):
        return float(reached)
    return float(max(reached, _sphere_means(pet, centres, sphere).max()))


def _sphere_means(
    pet: NDArray[np.float32], centres: NDArray[np.int64], sphere: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted mean SUV over the sphere round each centre (n x 3), inside the image."""
    reach = np.array(sphere.shape) // 2
    low, high = centres.min(axis=0) - reach, centres.max(axis=0) + reach + 1
    first, last = np.maximum(low, 0), np.minimum(high, pet.shape)
    crop = pet[tuple(slice(a, b) for a, b in zip(first, last))].astype(np.float64)
    outside = [(int(f - a), int(b - e)) for a, f, e, b in zip(low, first, last, high)]
    if not any(max(pair) for pair in outside):
        return _sphere_sums(crop, centres - low, sphere) / sphere.sum()
    suv_sums = _sphere_sums(np.pad(crop, outside), centres - low, sphere)
    weights = _sphere_sums(np.pad(np.ones_like(crop), outside), centres - low, sphere)
    return suv_sums / weights


def _sphere_sums(
    crop: NDArray[np.float64], centres: NDArray[np.int64], sphere: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted sums round centres whose spheres lie in the crop, some centres at a time."""
    strides = np.array([crop.shape[1] * crop.shape[2], crop.shape[2], 1])
    steps = (np.argwhere(sphere > 0) - np.array(sphere.shape) // 2) @ strides
    weights = sphere[sphere > 0]
    middles = centres @ strides
    voxels = crop.reshape(-1)
    sums = np.empty(len(centres))
    for first in range(0, len(centres), CENTRES_AT_ONCE):
        part = slice(first, first + CENTRES_AT_ONCE)
        sums[part] = (voxels[middles[part, None] + steps] * weights).sum(axis=1)
    return sums


def cell(value: float | str) -> str:
    """A value as findings.csv has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return f"{value + 0.0:.4f}"

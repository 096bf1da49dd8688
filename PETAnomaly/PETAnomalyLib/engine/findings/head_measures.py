"""What each finding in brain MR measures: volume, largest diameter, centroid, site, score.

An MR has no unit: nothing of its intensity is measured. NumPy, SciPy and SimpleITK only: this file
runs inside Slicer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.findings.diameter import largest_diameter
from PETAnomalyLib.engine.findings.measures import bounding_boxes


@dataclass(frozen=True)
class HeadFinding:
    """One row of `findings.csv` of an MR; the fields are its columns, in this order."""

    number: int  # the label in the segmentation
    volume_ml: float
    diameter_mm: float  # the largest, in any direction
    centroid_r_mm: float
    centroid_a_mm: float
    centroid_s_mm: float
    score_max: float  # unit of the map
    score_mean: float

    @property
    def in_words(self) -> str:
        """What tells it from others, in a segment's name."""
        return f"{self.volume_ml:.1f} ml"


def measure_head(labels: sitk.Image, score: sitk.Image) -> list[HeadFinding]:
    """Measure every label of a head, in the order of the labels.

    Args:
        labels: integers, 0 is background; a label may be missing (a finding that was deleted).
        score: the anomaly map on the same grid.
    """
    label_array = sitk.GetArrayViewFromImage(labels)
    score_array = sitk.GetArrayViewFromImage(score)
    voxel_ml = math.prod(labels.GetSpacing()) / 1000.0
    axes = np.reshape(labels.GetDirection(), (3, 3)) * np.array(labels.GetSpacing())
    found = []
    for number, box in bounding_boxes(label_array):
        inside = label_array[box] == number
        scores = score_array[box][inside].astype(np.float64)
        kji = [axis.mean() + part.start for axis, part in zip(np.nonzero(inside), box)]
        left, posterior, superior = labels.TransformContinuousIndexToPhysicalPoint(
            (float(kji[2]), float(kji[1]), float(kji[0]))
        )
        found.append(
            HeadFinding(
                number=number,
                volume_ml=int(inside.sum()) * voxel_ml,
                diameter_mm=largest_diameter(inside, axes),
                centroid_r_mm=-left,
                centroid_a_mm=-posterior,
                centroid_s_mm=superior,
                score_max=float(scores.max()),
                score_mean=float(scores.mean()),
            )
        )
    return found


def total_volume_ml(findings: Sequence[HeadFinding]) -> float:
    """Of all findings of a head."""
    return math.fsum(finding.volume_ml for finding in findings)

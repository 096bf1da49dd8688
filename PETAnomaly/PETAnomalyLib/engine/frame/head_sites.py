"""Where in the brain a finding lies: lobe, cerebellum or brainstem, left or right.

From the place of its centroid between the outermost points of the template's brain, carried to MNI
space; the lobes' borders there are those that the brain phantoms have, good to a centimetre.
NumPy and SimpleITK only: this file runs inside Slicer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.phantom.brain.places import place_name

COLUMN = "site"
"""Of findings.csv, after the measures."""

# The extent of the brain of ICBM 152 in MNI space, RAS mm, as nilearn's mask has it.
_MNI_LOW, _MNI_HIGH = np.array([-72.0, -107.0, -72.0]), np.array([72.0, 73.0, 82.0])


def head_sites(
    findings: Sequence[HeadFinding], template_mask: sitk.Image, alignment: Alignment
) -> list[str]:
    """A place in words a finding, such as "left frontal lobe".

    Args:
        findings: of a head, centroids in RAS mm.
        template_mask: 1 in the template's brain.
        alignment: from the model's frame to the head.
    """
    low, high = _extent(template_mask)
    to_frame = alignment.transform.GetInverse()
    sites = []
    for one in findings:
        lps = (-one.centroid_r_mm, -one.centroid_a_mm, one.centroid_s_mm)
        in_frame = np.array(to_frame.TransformPoint(lps)) * (-1, -1, 1)
        share = (in_frame - low) / (high - low)
        x, y, z = (float(mm) for mm in _MNI_LOW + share * (_MNI_HIGH - _MNI_LOW))
        sites.append(place_name((x, y, z)))
    return sites


def _extent(mask: sitk.Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The outermost voxels' centres, RAS mm; the mask lies along LPS."""
    kji = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)
    corners = [
        np.array(mask.TransformContinuousIndexToPhysicalPoint([float(n) for n in ijk]))
        for ijk in (kji.min(0)[::-1], kji.max(0)[::-1])
    ]
    ras = np.array(corners) * (-1, -1, 1)
    return ras.min(0), ras.max(0)

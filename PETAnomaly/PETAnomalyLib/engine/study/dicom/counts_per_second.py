"""SUVbw from counts per second in a voxel (Units CPS) that are calibrated with a dose calibrator.

IBSI manual on SUV computation: with DCAL in Corrected Image (0028,0051) a count per second is a
Becquerel, so that Bq/ml = value / volume of a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.activity import from_bqml
from PETAnomalyLib.engine.study.dicom.conversion import SuvConversion
from PETAnomalyLib.engine.study.dicom.tags import number, numbers, tag_name, text

# Of the stated thickness and the distance of the slices.
THICKNESS_TOLERANCE = 0.02


def from_cps(headers: Sequence[Dataset]) -> SuvConversion:
    """The factor of a series in counts per second.

    Args:
        headers: the datasets of all its slices.

    Raises:
        InputError: not calibrated, no voxel volume, or see `from_bqml`.
    """
    corrections = text(headers[0], "CorrectedImage").upper().split("\\")
    if "DCAL" not in corrections:
        raise InputError(
            f"{tag_name('Units')} is CPS and {tag_name('CorrectedImage')} does not list DCAL: "
            "counts that are not calibrated are no activity.",
            "Reconstruct or export the series in Bq/ml (BQML).",
        )
    millilitres = _voxel_ml(headers)
    bqml = from_bqml(headers)
    return SuvConversion(
        bqml.factor / millilitres,
        f"calibrated counts per second in a voxel of {millilitres:.4g} ml to {bqml.rule}",
        {"voxel_ml": millilitres, **bqml.description},
        bqml.warnings,
        bqml.decay,
    )


def _voxel_ml(headers: Sequence[Dataset]) -> float:
    rows, columns = numbers(headers[0], "PixelSpacing", 2)
    thickness = number(headers[0], "SliceThickness")
    if thickness is None or min(rows, columns, thickness) <= 0:
        raise InputError(
            f"{tag_name('Units')} is CPS and {tag_name('SliceThickness')} or "
            f"{tag_name('PixelSpacing')} is missing or not positive: the volume of a voxel is not "
            "known.",
            "Export the series again, or in Bq/ml (BQML).",
        )
    distance = _slice_distance(headers)
    if distance is not None and abs(distance / thickness - 1) > THICKNESS_TOLERANCE:
        raise InputError(
            f"{tag_name('Units')} is CPS and {tag_name('SliceThickness')} is {thickness:g} mm, but "
            f"the slices lie {distance:g} mm apart: the volume of a voxel is not known.",
            "Export the series in Bq/ml (BQML).",
        )
    return rows * columns * thickness / 1000.0


def _slice_distance(headers: Sequence[Dataset]) -> float | None:
    """Mean distance of the slices (mm), None for a single one or without positions."""
    if len(headers) < 2 or not all(text(header, "ImagePositionPatient") for header in headers):
        return None
    places = np.array([numbers(header, "ImagePositionPatient", 3) for header in headers])  # (n, 3)
    from_first = np.linalg.norm(places - places[0], axis=1)
    ends = np.linalg.norm(places - places[int(from_first.argmax())], axis=1)
    return float(ends.max()) / (len(headers) - 1)

"""From the files of one DICOM series to an image with its exact geometry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.series import Series
from PETAnomalyLib.engine.study.dicom.stored_values import stored_values
from PETAnomalyLib.engine.study.dicom.tags import number, numbers, tag_name, text
from PETAnomalyLib.engine.study.formats.grid import without_denormals
from PETAnomalyLib.engine.study.input_path import open_input, shown
from PETAnomalyLib.engine.study.validation import SPACING_LIMITS_MM

# A gap this far from the median gap means a missing slice or a series of mixed spacing.
GAP_TOLERANCE = 0.25
# Smaller deviations are rounding of the positions, not worth a warning.
GAP_WARNING = 0.01
TILT_TOLERANCE_MM = 0.5
SAME_DIRECTION = 1e-3
# Of a voxel from the origin; tables are within metres of it.
FARTHEST_MM = 1e5


@dataclass(frozen=True)
class DicomVolume:
    """A series as it is stored, rescaled.

    Attributes:
        image: float32, stored value * rescale slope + intercept of each slice; LPS, mm. The third
            axis runs along the slices' normal.
        headers: one dataset a slice, without pixel data, in the order of the third axis.
        description: JSON-able, without anything that names the patient.
    """

    image: sitk.Image
    headers: tuple[Dataset, ...]
    description: dict[str, Any]
    warnings: tuple[str, ...]


def read_volume(series: Series) -> DicomVolume:
    """Reads, sorts and checks the slices of a series.

    Slices lie on a uniform grid whose spacing is the mean gap; their values are not interpolated.

    Raises:
        InputError: a slice is unreadable or truncated; sizes, orientations or frames of reference
            are mixed; positions are missing, doubled, tilted or have holes.
    """
    with np.errstate(over="ignore"):  # what becomes infinite is refused as such
        read = [_read_slice(path) for path in series.files]
    headers = [header for header, _ in read]
    for keyword in ("Rows", "Columns", "FrameOfReferenceUID", "PixelSpacing"):
        _refuse_mixed(series, keyword, headers)
    directions = [numbers(header, "ImageOrientationPatient", 6) for header in headers]
    across, down, normal = _axes(series, directions)
    positions = np.array([numbers(h, "ImagePositionPatient", 3) for h in headers])  # (n, 3) mm
    _refuse_outlandish(series, positions)
    order = np.argsort(positions @ normal, kind="stable")
    headers = [headers[i] for i in order]
    gap, uneven, warnings = _gap(series, headers, positions[order], normal)
    between_rows, between_columns = _pixel_spacing(series, headers[0])
    slices = np.stack([read[i][1] for i in order])  # (k, j, i)
    # Classic MR has none as a rule, and its values no unit (DICOM PS3.3, C.8.3.1).
    if series.modality != "MR" and any(not text(header, "RescaleSlope") for header in headers):
        warnings.append(f"{tag_name('RescaleSlope')} is missing: values are taken as stored.")

    image = sitk.GetImageFromArray(slices)
    image.SetSpacing((between_columns, between_rows, gap))
    image.SetOrigin(positions[order][0].tolist())
    direction = without_denormals(np.column_stack([across, down, normal]))
    image.SetDirection(direction.ravel().tolist())
    warnings += _declared_slices(headers)
    description = {
        "format": "DICOM",
        "modality": series.modality,
        "series_description": series.description,
        "series_instance_uid": series.uid,
        "frame_of_reference_uid": series.frame_of_reference,
        "slices": len(headers),
        "slice_position_error_mm": round(uneven, 4),
    }
    return DicomVolume(image, tuple(headers), description, tuple(warnings))


def _refuse_mixed(series: Series, keyword: str, headers: list[Dataset]) -> None:
    found = sorted({text(header, keyword) for header in headers})
    if len(found) > 1 or (keyword in ("Rows", "Columns") and found == [""]):
        raise InputError(
            f"The slices of the series are mixed: {tag_name(keyword)} is "
            f"{' and '.join(repr(value) for value in found[:3])} ({series}).",
            "Give a folder with the slices of one series only.",
        )


def _pixel_spacing(series: Series, header: Dataset) -> tuple[float, float]:
    """mm between rows and between columns."""
    rows, columns = numbers(header, "PixelSpacing", 2)
    low, high = SPACING_LIMITS_MM
    if not (low <= rows <= high and low <= columns <= high):
        raise InputError(
            f"{tag_name('PixelSpacing')} is {rows:g} and {columns:g} mm, an implausible voxel "
            f"spacing ({series}).",
            "Correct the attribute in the DICOM files, or export the series again.",
        )
    return rows, columns


def _refuse_outlandish(series: Series, positions: Any) -> None:
    farthest = float(np.abs(positions).max())
    if farthest > FARTHEST_MM:
        raise InputError(
            f"{tag_name('ImagePositionPatient')} is {farthest:g} mm away ({series}).",
            "Correct the attribute in the DICOM files, or export the series again.",
        )


def _axes(series: Series, directions: list[tuple[float, ...]]) -> tuple[Any, Any, Any]:
    """Unit vectors along a row, down a column and through the slices (PS3.3 C.7.6.2.1.1)."""
    first = np.array(directions[0])
    if any(
        abs(a - b) > SAME_DIRECTION for other in directions for a, b in zip(other, directions[0])
    ):
        raise InputError(
            f"The slices have mixed orientations, {tag_name('ImageOrientationPatient')} "
            f"({series}).",
            "Give a folder with the slices of one series only, without scouts.",
        )
    across, down = first[:3], first[3:]
    outlandish = np.abs(first).max() > 1.1
    lengths = (0.0, 0.0) if outlandish else (np.linalg.norm(across), np.linalg.norm(down))
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(across @ down) > SAME_DIRECTION:
        raise InputError(
            f"{tag_name('ImageOrientationPatient')} is {first.tolist()}, not two perpendicular "
            f"unit vectors ({series}).",
            "Export the series again.",
        )
    across = across / lengths[0]
    down = down - (down @ across) * across
    down = down / np.linalg.norm(down)
    return across, down, np.cross(across, down)


def _gap(
    series: Series, headers: list[Dataset], positions: Any, normal: Any
) -> tuple[float, float, list[str]]:
    """Mean distance of the sorted slices (mm), and how far the worst lies off a uniform grid."""
    if len(headers) == 1:
        thickness = number(headers[0], "SliceThickness")
        if thickness is None or thickness <= 0:
            raise InputError(
                f"The series has one slice and no {tag_name('SliceThickness')} ({series}).",
                "Give the whole series.",
            )
        return thickness, 0.0, []
    heights = (positions - positions[0]) @ normal  # (n,) mm along the normal
    gaps = np.diff(heights)
    median = float(np.median(gaps))
    if gaps.min() < 0.01 or median <= 0:
        doubled = int((gaps < 0.01).sum())
        raise InputError(
            f"{doubled} slices lie at the position of another, "
            f"{tag_name('ImagePositionPatient')}: a dynamic, gated or mixed series ({series}).",
            "Give one volume: a static whole-body series.",
        )
    sideways = positions - positions[0] - np.outer(heights, normal)
    if np.linalg.norm(sideways, axis=1).max() > TILT_TOLERANCE_MM:
        raise InputError(
            f"The slices are tilted or shifted sideways by {np.abs(sideways).max():.1f} mm "
            f"(gantry tilt), {tag_name('ImagePositionPatient')} ({series}).",
            "Resample the series to a regular grid first.",
        )
    worst = int(np.argmax(np.abs(gaps - median)))
    if abs(gaps[worst] - median) > GAP_TOLERANCE * median:
        what = "Slices are missing" if gaps[worst] > median else "Slices are unevenly spaced"
        raise InputError(
            f"{what}: the gap after slice {worst + 1} of {len(headers)} is {gaps[worst]:.2f} mm, "
            f"elsewhere {median:.2f} mm, "
            f"{tag_name('ImagePositionPatient')} ({series}).",
            "Copy or export the whole series again.",
        )
    mean = float(heights[-1] / len(gaps))
    error = float(np.abs(heights - mean * np.arange(len(heights))).max())
    if np.abs(gaps - mean).max() <= GAP_WARNING * mean:
        return mean, error, []
    return (
        mean,
        error,
        [
            f"Slice gaps are uneven ({gaps.min():.2f}-{gaps.max():.2f} mm) and were taken as "
            f"{mean:.3f} mm throughout: positions are off by at most {error:.2f} mm."
        ],
    )


def _declared_slices(headers: list[Dataset]) -> list[str]:
    declared = number(headers[0], "NumberOfSlices")
    if declared is None or declared == len(headers):
        return []
    return [
        f"{tag_name('NumberOfSlices')} says {declared:g} slices, {len(headers)} are there: parts "
        "of the scan may be missing."
    ]


def _read_slice(path: Path) -> tuple[Dataset, Any]:
    """One file's header, without pixel data, and its rescaled values, (rows, columns) float32."""
    try:
        with open_input(path) as file:
            header = pydicom.dcmread(file, force=True)
        _state_transfer_syntax(header)
        stored = stored_values(path, header)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # damaged files make pydicom raise errors of every kind
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"The DICOM slice {shown(path)} is truncated or unreadable: {reason}",
            "Copy or export the series again.",
        ) from error
    slope, intercept = _rescaling(path, header)
    del header.PixelData
    # A fresh dataset of the same elements: the one that was read keeps its pixels.
    return Dataset(header), (stored * slope + intercept).astype(np.float32)


def _rescaling(path: Path, header: Dataset) -> tuple[float, float]:
    slope, intercept = number(header, "RescaleSlope"), number(header, "RescaleIntercept")
    slope = 1.0 if slope is None else slope
    if slope <= 0:
        raise InputError(
            f"{tag_name('RescaleSlope')} of {shown(path)} is {slope:g}; it must be positive.",
            "Export the series again.",
        )
    return slope, intercept or 0.0


def _state_transfer_syntax(header: Dataset) -> None:
    """Files without a meta header are implicit little endian (PS3.5, 10.1); pydicom must know."""
    if not hasattr(header, "file_meta"):
        header.file_meta = pydicom.dataset.FileMetaDataset()
    if "TransferSyntaxUID" not in header.file_meta:
        header.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian

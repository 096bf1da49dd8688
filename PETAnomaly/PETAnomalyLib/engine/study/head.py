"""Reading a head: one MR of the brain and, where somebody has one, the mask of its brain.

A path is an image file (NIfTI, NRRD, MetaImage), a DICOM folder, or one file of a DICOM series.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.contrast import contrast_of_header, contrast_of_name
from PETAnomalyLib.engine.study.dicom.series import find_series
from PETAnomalyLib.engine.study.dicom.volume import read_volume
from PETAnomalyLib.engine.study.image_file import read_image_file, read_mask_file
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.study.study import checked_volume, described_grid, is_dicom_path
from PETAnomalyLib.engine.study.validation import HU_BELOW_TISSUE

GIVEN, STRIPPED = "given", "skull-stripped image"
"""Where a brain mask comes from, as the report has it; a third is `head_alignment.REGISTERED`."""

LARGEST_HEAD_MM = 420.0  # with neck and shoulders in the field of view
_BRAIN_ML = (300.0, 2500.0)  # of a mask: with room for children, atrophy and dura
_EMPTY_OF_STRIPPED = 0.4  # of all voxels: a head in its field of view has noise in its air


@dataclass(frozen=True)
class Head:
    """What a detection in brain MR works on.

    Attributes:
        image: float32, arbitrary units, on its own grid; LPS, mm.
        mask: uint8, 1 in the brain, on the image's grid; None where there is none yet.
        mask_from: `GIVEN`, `STRIPPED` or "".
        contrast: as headers or names tell it, "" where they do not.
        description: JSON-able: `mr` and `mask`. Nothing names the patient.
        warnings: suspicious but usable properties, sentences for the user.
    """

    image: sitk.Image
    mask: sitk.Image | None
    mask_from: str
    contrast: str
    description: dict[str, Any]
    warnings: tuple[str, ...]


def read_head(mr: Path, mask: Path | None = None, wanted: str = "") -> Head:
    """Reads and checks an MR of a head, and the mask of its brain where there is one.

    Args:
        mr: image file, DICOM folder, or file of a DICOM series.
        mask: image file, not 0 in the brain, on the MR's grid.
        wanted: the contrast that is taken of a DICOM folder with several.

    Raises:
        InputError: unreadable, no volume, no MR of a head; a mask on another grid, or of no brain.
    """
    mr = Path(mr)
    name = f"The MR {shown(mr)}"
    notes: tuple[str, ...]
    if is_dicom_path(mr):
        series, chosen = find_series(mr, "MR", contrast=wanted)
        volume = read_volume(series)
        image, found, notes = volume.image, volume.description, (*chosen, *volume.warnings)
        contrast = contrast_of_header(volume.headers[0])
    else:
        image, found, notes = read_image_file(mr)
        contrast = contrast_of_name(mr.name)
    image, suspicions = checked_volume(image, name, small_part_of_body=False)
    suspicions += check_head(image, name, said_to_be_mr=is_dicom_path(mr))
    stated = {"contrast": contrast or "not stated"}
    description: dict[str, Any] = {
        "mr": {**described_grid(mr, image), "modality": "MR", **stated, **found}
    }
    drawn, mask_from = None, ""
    if mask is not None:
        drawn, of_mask = _read_mask(mask, image, name)
        notes, mask_from = (*notes, *of_mask), GIVEN
        description["mask"] = {"path": shown(mask)}
    else:
        drawn = stripped_mask(image)
        mask_from = "" if drawn is None else STRIPPED
    return Head(image, drawn, mask_from, contrast, description, (*notes, *suspicions))


def check_head(image: sitk.Image, name: str, said_to_be_mr: bool = False) -> list[str]:
    """Refuses what cannot be an MR of a head; returns suspicions.

    Args:
        image: float32, a checked volume.
        name: how messages call it.
        said_to_be_mr: a DICOM modality vouches for it, whatever its values.

    Raises:
        InputError: a CT, or a volume larger or much smaller than a head.
    """
    values = sitk.GetArrayViewFromImage(image)
    is_dark = np.mean(values < HU_BELOW_TISSUE) > 0.01 and values.min() >= -4096
    if is_dark and not said_to_be_mr:
        raise InputError(
            f"{name} looks like a CT in HU: its values go down to {values.min():g}.",
            "Give a magnitude image of MR.",
        )
    extent = [n * step for n, step in zip(image.GetSize(), image.GetSpacing())]
    words = " x ".join(f"{edge:.0f}" for edge in extent)
    if max(extent) > LARGEST_HEAD_MM:
        raise InputError(
            f"{name} is no MR of a head: it shows {words} mm.",
            "Give an MR of the head; a PET/CT is given with --pet and --ct.",
        )
    if sorted(extent)[1] < 100.0:
        raise InputError(
            f"{name} shows only {words} mm: no whole brain.", "Give an MR of the whole brain."
        )
    if min(extent) < 100.0:
        return [f"{name} shows only {words} mm: what of the brain lies beyond is not scored."]
    return []


def stripped_mask(image: sitk.Image) -> sitk.Image | None:
    """The brain of a skull-stripped image, holes filled; None where the head is still round it.

    Outside the brain a stripped image has one and the same value in nearly half of its field of
    view or more: that of all its corners, which is not the least where intensities were made to
    have a mean of 0 afterwards; else the least. What is left is one piece of a brain's size.
    """
    values = sitk.GetArrayViewFromImage(image)
    corners = values[:: values.shape[0] - 1, :: values.shape[1] - 1, :: values.shape[2] - 1]
    outside = corners.flat[0] if np.ptp(corners) == 0 else values.min()
    inside = values != outside
    if inside.mean() > 1 - _EMPTY_OF_STRIPPED:
        return None
    brain = _filled(inside)
    if not is_brain_sized(marked_ml(brain, image)):
        return None
    mask = sitk.GetImageFromArray(brain.astype(np.uint8))
    mask.CopyInformation(image)
    return mask


def _filled(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected piece, its holes filled."""
    pieces, count = ndimage.label(inside)
    if count == 0:
        return np.zeros(inside.shape, bool)
    largest = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(largest)
    return filled


def marked_ml(inside: NDArray[np.bool_], image: sitk.Image) -> float:
    """The volume of a mask on the image's grid."""
    return float(inside.sum()) * float(np.prod(image.GetSpacing())) / 1000.0


def is_brain_sized(ml: float) -> bool:
    """Whether a brain may have this volume."""
    return _BRAIN_ML[0] <= ml <= _BRAIN_ML[1]


def _read_mask(path: Path, image: sitk.Image, name: str) -> tuple[sitk.Image, tuple[str, ...]]:
    try:
        mask, warnings = read_mask_file(path)
    except InputError as error:
        raise InputError(f"the brain mask cannot be used: {error.message}", error.hint) from error
    if mask.GetSize() != image.GetSize() or not all(
        np.allclose(own, other, atol=1e-3)
        for own, other in (
            (mask.GetSpacing(), image.GetSpacing()),
            (mask.GetOrigin(), image.GetOrigin()),
            (mask.GetDirection(), image.GetDirection()),
        )
    ):
        raise InputError(
            f"The brain mask {shown(path)} has another grid than the MR: "
            f"{' x '.join(map(str, mask.GetSize()))} voxels for "
            f"{' x '.join(map(str, image.GetSize()))}, or elsewhere in space.",
            "Give the mask of this very image; a skull-stripped image needs none.",
        )
    mask.CopyInformation(image)
    inside = sitk.GetArrayViewFromImage(mask) > 0
    ml = marked_ml(inside, image)
    if not is_brain_sized(ml):
        raise InputError(
            f"The brain mask {shown(path)} marks {ml:.0f} ml, which is no brain's volume.",
            "Give a mask that is not 0 in the brain, or leave it out.",
        )
    if not np.any(sitk.GetArrayViewFromImage(image)[inside] != 0):
        raise InputError(
            f"{name} is 0 in all of the brain mask.", "Check that they belong together."
        )
    return mask, tuple(f"the brain mask: {warning}" for warning in warnings)

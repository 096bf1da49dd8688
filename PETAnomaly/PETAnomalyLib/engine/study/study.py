"""Reading a study: a PET in SUVbw and, if there is one, the CT of the same examination.

A path is an image file (NIfTI, NRRD, MetaImage), a DICOM folder, or one file of a DICOM series.
Whatever is wrong with the images is found here, before anything is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.dicom_files import is_dicom
from PETAnomalyLib.engine.study.dicom.series import find_series
from PETAnomalyLib.engine.study.dicom.suv import read_suv_volume
from PETAnomalyLib.engine.study.dicom.volume import read_volume
from PETAnomalyLib.engine.study.image_file import image_suffix, read_image_file
from PETAnomalyLib.engine.study.input_path import is_folder, shown
from PETAnomalyLib.engine.study.tracer import NOT_STATED
from PETAnomalyLib.engine.study.validation import check_ct, check_overlap, check_pet, check_volume


@dataclass(frozen=True)
class Study:
    """What a detection works on.

    Attributes:
        pet: float32, SUVbw (g/ml), on its own grid; LPS, mm.
        ct: float32, HU, on its own grid; None when there is none.
        description: JSON-able: `pet` and `ct`, each with path, format, size, spacing, units, and
            for DICOM the series, the tracer and how SUV was computed. Nothing names the patient.
        warnings: suspicious but usable properties, sentences for the user.
        pet_slices: of a PET from DICOM the headers of its slices, without pixel data, in the order
            of the third axis; they do name the patient. Empty for an image file.
    """

    pet: sitk.Image
    ct: sitk.Image | None
    description: dict[str, Any]
    warnings: tuple[str, ...]
    pet_slices: tuple[Dataset, ...] = ()


def read_study(pet: Path, ct: Path | None = None) -> Study:
    """Reads and checks a PET and the CT that belongs to it.

    Raises:
        InputError: an image cannot be used (see `read_pet`, `read_ct`), or the CT does not overlap
            the PET.
    """
    pet_image, pet_description, warnings, slices = _read_pet(Path(pet))
    description: dict[str, Any] = {"pet": pet_description}
    if ct is None:
        return Study(pet_image, None, description, warnings, slices)
    ct_image, ct_description, ct_warnings = read_ct(
        ct, pet_description.get("frame_of_reference_uid", "")
    )
    description["ct"] = ct_description
    warnings = (*warnings, *ct_warnings, *check_overlap(pet_image, ct_image))
    return Study(pet_image, ct_image, description, warnings, slices)


def read_pet(path: Path) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """A PET in SUVbw, float32: from DICOM computed, from other files taken as it is and checked.

    Raises:
        InputError: DESIGN, section 6: unreadable, no volume, not convertible to SUV or not in SUV.
    """
    return _read_pet(Path(path))[:3]


def read_ct(
    path: Path, frame_of_reference: str = ""
) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...]]:
    """A CT in HU, float32.

    Args:
        path: as for the PET; a folder may be the same one, the modality tells the series apart.
        frame_of_reference: the PET's UID; of several CT series the one that shares it is taken.

    Raises:
        InputError: DESIGN, section 6: unreadable, no volume, or not in HU.
    """
    path = Path(path)
    name = f"The CT {shown(path)}"
    notes: tuple[str, ...]
    if is_dicom_path(path):
        series, chosen = find_series(path, "CT", frame_of_reference)
        volume = read_volume(series)
        image, found, notes = volume.image, volume.description, (*chosen, *volume.warnings)
    else:
        image, found, notes = read_image_file(path)
    image, warnings = checked_volume(image, name)
    warnings += check_ct(image, name)
    description = {**described_grid(path, image), "modality": "CT", "units": "HU", **found}
    return image, description, (*notes, *warnings)


def _read_pet(
    path: Path,
) -> tuple[sitk.Image, dict[str, Any], tuple[str, ...], tuple[Dataset, ...]]:
    """What `read_pet` gives, and the slices' headers."""
    slices: tuple[Dataset, ...] = ()
    if is_dicom_path(path):
        volume = read_suv_volume(path)
        image, found, warnings, slices = (
            volume.image, volume.description, volume.warnings, volume.slices,
        )  # fmt: skip
    else:
        name = f"The PET {shown(path)}"
        image, found, notes = read_image_file(path)
        image, checks = checked_volume(image, name)
        checks += check_pet(image, name, found["stated_units"])
        found, warnings = {**found, "tracer": NOT_STATED}, (*notes, *checks)
    description = {**described_grid(path, image), "modality": "PT", "units": "SUVbw g/ml", **found}
    return image, description, warnings, slices


def is_dicom_path(path: Path) -> bool:
    """Whether a path is read as DICOM: a folder, or a file of a series."""
    return is_folder(path) or (not image_suffix(path) and is_dicom(path))


def checked_volume(
    image: sitk.Image, name: str, small_part_of_body: bool = True
) -> tuple[sitk.Image, list[str]]:
    """An image in float32, and suspicions about its grid.

    Args:
        image: as it was read.
        name: how messages call it.
        small_part_of_body: whether it is worth a word that it is small.

    Raises:
        InputError: complex values, or see `check_volume`.
    """
    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError(f"{name} has complex values.", "Give the magnitude image.")
    image = sitk.Cast(image, sitk.sitkFloat32)
    return image, check_volume(image, name, small_part_of_body)


def described_grid(path: Path, image: sitk.Image) -> dict[str, Any]:
    """What a description says of where an image lies (LPS, mm)."""
    return {
        "path": shown(path),
        "size": list(image.GetSize()),
        "spacing_mm": list(image.GetSpacing()),
        "origin_mm": list(image.GetOrigin()),
        "direction": list(image.GetDirection()),
    }

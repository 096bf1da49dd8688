"""Organs that somebody has segmented: `--organs`.

Three forms: a label image with a JSON file of names beside it (`organs.nii.gz`, `organs.json`), a
Slicer segmentation (`.seg.nrrd`), or a folder of one mask an organ (`liver.nii.gz`, ...), as
TotalSegmentator and MOOSE write them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.organs import MOST_ORGANS, Organs, painted
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.study.image_file import (
    FORMATS,
    image_suffix,
    read_image_file,
    read_layers,
    read_mask_file,
)
from PETAnomalyLib.engine.study.input_path import is_folder, shown
from PETAnomalyLib.engine.study.segmentation_file import is_segmentation, segments_of

Mask = tuple[str, NDArray[np.integer[Any]]]

_BACKGROUND = 0
_WHOLE_NUMBER = re.compile(r"\d{1,5}")
_NAMES_HINT = (
    'Give the names as {"1": "liver", "2": "spleen"} in a JSON file of the image\'s name beside '
    "it, a Slicer segmentation (.seg.nrrd), or a folder of one mask an organ."
)


def read_organs(path: Path, pet: sitk.Image) -> tuple[Organs, dict[str, Any], tuple[str, ...]]:
    """The organs on the PET's grid: each voxel's is that at its centre.

    Args:
        path: see above. Any grid, by physical position.
        pet: whose grid counts.

    Returns:
        The organs; a JSON-able description (path, form, names); warnings.

    Raises:
        InputError: unreadable, no labels, labels without a name, or nothing of it on the PET.
    """
    warnings: tuple[str, ...] = ()
    if is_folder(path):
        form = "folder of masks"
        masks, warnings = _masks_of_folder(path, pet)
    else:
        layers, notes = read_layers(path)
        if is_segmentation(notes):
            form = "Slicer segmentation"
            masks = _masks_of_segments(path, layers, notes, pet)
        else:
            form = "label image"
            masks, warnings = _masks_of_labels(path, pet)
    if not any(len(voxels) for _, voxels in masks):
        raise InputError(
            f"The organs {shown(path)} lie nowhere on the PET, or are empty.",
            "Give the organs of this very study.",
        )
    organs = painted(sitk.GetArrayViewFromImage(pet).shape, masks)
    description = {"path": shown(path), "form": form, "names": list(organs.names)}
    return organs, description, warnings


def _masks_of_folder(folder: Path, pet: sitk.Image) -> tuple[list[Mask], tuple[str, ...]]:
    files = sorted(
        file
        for file in folder.iterdir()
        if image_suffix(file) and not file.name.startswith(".")  # macOS leaves ._liver.nii.gz
    )
    if not files:
        raise InputError(
            f"The folder {shown(folder)} holds no masks of organs.",
            f"Its files are named after the organs: liver.nii.gz, ... ({', '.join(FORMATS)}).",
        )
    if len(files) > MOST_ORGANS:
        raise InputError(f"The folder {shown(folder)} holds {len(files)} images.", _NAMES_HINT)
    masks: list[Mask] = []
    warnings: list[str] = []
    for file in files:
        mask, notes = read_mask_file(file)
        name = shown(Path(file.name[: -len(image_suffix(file))]))
        masks.append((name, np.flatnonzero(_on_pet(mask, pet))))
        warnings += [f"the organ {name}: {note}" for note in notes]
    return masks, tuple(warnings)


def _masks_of_segments(
    path: Path, layers: list[sitk.Image], notes: dict[str, str], pet: sitk.Image
) -> list[Mask]:
    on_pet = [_on_pet(layer, pet) for layer in layers]
    segments = segments_of(notes, len(layers), f"The segmentation {shown(path)}")
    return [
        (segment.name, np.flatnonzero(on_pet[segment.layer] == segment.value))
        for segment in segments
    ]


def _masks_of_labels(path: Path, pet: sitk.Image) -> tuple[list[Mask], tuple[str, ...]]:
    image, _, warnings = read_image_file(path)
    present = np.unique(sitk.GetArrayViewFromImage(image))
    if (present != np.rint(present)).any() or present[0] < 0 or present[-1] > MOST_ORGANS:
        raise InputError(
            f"{shown(path)} is no label image: its values are not whole numbers from 0 to "
            f"{MOST_ORGANS}.",
            _NAMES_HINT,
        )
    numbers = [int(value) for value in present if value != _BACKGROUND]
    names = _names_beside(path)
    unnamed = [number for number in numbers if number not in names]
    if unnamed:
        raise InputError(
            f"{shown(path)} has the label {unnamed[0]}, which the file of names beside it does "
            "not name.",
            _NAMES_HINT,
        )
    on_pet = _on_pet(image, pet)
    return [(names[n], np.flatnonzero(on_pet == n)) for n in sorted(names)], warnings


def _names_beside(path: Path) -> dict[int, str]:
    """Number -> name, from `{"1": "liver"}` or `{"liver": 1}`, also under the key `labels` as in
    nnU-Net's dataset.json.
    """
    beside = path.with_name(path.name[: -len(image_suffix(path))] + ".json")
    if not beside.exists():
        raise InputError(
            f"The label image {shown(path)} has no file of names: {shown(beside)} does not exist.",
            _NAMES_HINT,
        )
    try:
        said = read_json(beside)
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(beside)} cannot be read: {error}.", _NAMES_HINT) from error
    if isinstance(said, dict) and isinstance(said.get("labels"), dict):
        said = said["labels"]
    pairs = [_pair(key, value) for key, value in said.items()] if isinstance(said, dict) else []
    names = {pair[0]: pair[1] for pair in pairs if pair is not None and pair[0] != _BACKGROUND}
    twice = len(names) != sum(pair is not None and pair[0] != _BACKGROUND for pair in pairs)
    if not names or twice or None in pairs:
        raise InputError(f"{shown(beside)} holds no names of labels.", _NAMES_HINT)
    return names


def _pair(key: str, value: Any) -> tuple[int, str] | None:
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(key):
        return int(key), value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_ORGANS:
        return value, key
    return None


def _on_pet(image: sitk.Image, pet: sitk.Image) -> NDArray[np.generic]:
    """D x H x W, each voxel what lies at its centre; 0 outside."""
    carried = sitk.Resample(image, pet, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    array: NDArray[np.generic] = sitk.GetArrayFromImage(carried)
    return array

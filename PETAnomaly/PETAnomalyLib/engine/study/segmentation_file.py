"""A Slicer segmentation of findings, as it was written or as it was corrected in Slicer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.findings.segmentation import IDENTIFIER, NUMBER_TAG
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_layers
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.study.lattice import on_voxels_of

_NUMBER = r"(\d{1,5})"
_NUMBER_TAG = re.compile(rf"(?:^|\|){re.escape(NUMBER_TAG)}:{_NUMBER}(?:\||$)")
_IDENTIFIER = re.compile(re.escape(IDENTIFIER) + _NUMBER)
_MOST = int(np.iinfo(np.uint16).max)


@dataclass(frozen=True)
class Segment:
    """What a header says of a segment: its label in its layer, and the finding it is of, if any."""

    name: str
    layer: int
    value: int
    number: int | None


def read_finding_labels(path: Path, pet: sitk.Image) -> sitk.Image:
    """The findings' numbers, uint16, on the PET's grid.

    Args:
        path: `.seg.nrrd`. A segment that says no number, added in Slicer, gets the next free one.
        pet: the PET that it was drawn on.

    Raises:
        InputError: no readable segmentation, one that lies elsewhere than the PET, segments that
            overlap or share a number, voxels of no segment.
    """
    name = f"The segmentation {shown(path)}"
    layers, notes = read_layers(path)
    values = [sitk.GetArrayFromImage(layer) for layer in layers]
    labels = np.zeros(values[0].shape, np.uint16)
    claimed = [np.zeros(one.shape, bool) for one in values]
    for segment, number in _numbered(segments_of(notes, len(layers), name), name):
        inside = values[segment.layer] == segment.value
        claimed[segment.layer] |= inside
        if labels[inside].any():
            raise InputError(
                f"In {shown(path)} the segment '{segment.name}' overlaps another: its voxels would "
                "count twice.",
                "In Slicer's Segment Editor, take what they share out of one of the two.",
            )
        labels[inside] = number
    if any(bool(one[~of_segment].any()) for one, of_segment in zip(values, claimed)):
        raise InputError(
            f"{name} has voxels that belong to no segment.", "Save it again in Slicer."
        )
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(layers[0])
    return on_voxels_of(image, pet, name, whole=False)


def is_segmentation(notes: dict[str, str]) -> bool:
    """Whether a header is that of a Slicer segmentation with segments."""
    return "segment0_id" in notes


def segments_of(notes: dict[str, str], layers: int, name: str) -> list[Segment]:
    """Those that the header lists (vtkMRMLSegmentationStorageNode).

    Args:
        notes: what the header says, by its key in small letters.
        layers: how many there are.
        name: of the segmentation, for errors.

    Raises:
        InputError: a segment without a layer or label.
    """
    found: list[Segment] = []
    while f"segment{len(found)}_id" in notes:
        prefix = f"segment{len(found)}_"
        identifier = notes[prefix + "id"]
        tag = _NUMBER_TAG.search(notes.get(prefix + "tags", ""))
        said = tag or _IDENTIFIER.fullmatch(identifier)
        try:
            layer = int(notes.get(prefix + "layer", "0"))
            value = int(notes.get(prefix + "labelvalue", "1"))
        except ValueError:
            layer, value = -1, 0
        if not 0 <= layer < layers or value < 1:
            raise InputError(
                f"{name} has a segment '{identifier}' without a layer or label of its own.",
                "Save it again in Slicer.",
            )
        number = int(said[1]) if said else None
        found.append(Segment(notes.get(prefix + "name", identifier), layer, value, number))
    return found


def _numbered(segments: list[Segment], name: str) -> list[tuple[Segment, int]]:
    taken = [segment.number for segment in segments if segment.number is not None]
    twice = sorted({number for number in taken if taken.count(number) > 1})
    if twice:
        raise InputError(
            f"{name} has two segments for finding {twice[0]}.",
            "Delete one of them in Slicer, or merge them.",
        )
    highest = max(taken, default=0)
    numbered = []
    for segment in segments:
        number = segment.number
        if not number:
            highest += 1
            number = highest
        if number > _MOST:
            raise InputError(f"{name} has a finding {number}.", "Number the findings from 1.")
        numbered.append((segment, number))
    return numbered

"""What is known of a phantom beyond its lesion mask: the lesions' sites, and every voxel's organ.

A phantom's `description.json` lies beside its PET. Organs are not written down: they are painted
again from the seed (seconds), and believed only where the description comes out the same, as it
does not once the painting has changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.phantom.body import Envelope
from PETAnomalyLib.engine.phantom.canvas import GRID_IJ, Canvas
from PETAnomalyLib.engine.phantom.cohort import LARGEST_SEED
from PETAnomalyLib.engine.phantom.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.regions import on_left, regions
from PETAnomalyLib.engine.phantom.study import paint_patient
from PETAnomalyLib.engine.phantom.tissue import Tissue
from PETAnomalyLib.engine.runtime.json_file import read_json

DESCRIPTION = "description.json"

Tissues = npt.NDArray[np.uint8]


def describes(pet: Path) -> dict[str, Any] | None:
    """The description of a phantom; None for any other PET."""
    beside = pet.with_name(DESCRIPTION)
    if pet.name != "SUV.nii.gz" or not beside.exists():
        return None
    try:
        description = read_json(beside)
    except (OSError, ValueError):  # another program's file
        return None
    return description if _is_of_phantom(description) else None


def _is_of_phantom(description: Any) -> bool:
    if not isinstance(description, dict):
        return False
    seed, lesions = description.get("seed"), description.get("lesions")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        return False
    return isinstance(lesions, list) and all(_is_lesion(lesion) for lesion in lesions)


def _is_lesion(lesion: Any) -> bool:
    if not isinstance(lesion, dict) or not isinstance(lesion.get("site"), str):
        return False
    centre = lesion.get("centre_lps_mm")
    if not isinstance(centre, list) or len(centre) != 3:
        return False
    return all(isinstance(x, (int, float)) and math.isfinite(x) for x in centre)


def sites(
    description: dict[str, Any], centres_lps_mm: Sequence[tuple[float, float, float]]
) -> list[str]:
    """The kind of place of each lesion of the mask: node, lung, liver, bone, soft tissue.

    Args:
        description: of the phantom.
        centres_lps_mm: of the mask's lesions. Two that touch are one in the mask: the nearer
            painted one counts.
    """
    painted = description["lesions"]
    if not painted:
        return ["" for _ in centres_lps_mm]
    places = np.array([lesion["centre_lps_mm"] for lesion in painted])
    nearest = [int(np.linalg.norm(places - centre, axis=1).argmin()) for centre in centres_lps_mm]
    return [painted[number]["site"].split(":")[0] for number in nearest]


def tissues(description: dict[str, Any], pet: sitk.Image) -> Tissues | None:
    """What each voxel of a phantom's PET is made of, lesions aside, D x H x W `Tissue` codes.

    None where this program does not paint that phantom any more.
    """
    painted = _painted(description, pet)
    return None if painted is None else _on_grid(painted[0], painted[0].tissue)


def body_regions(
    description: dict[str, Any], pet: sitk.Image
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]] | None:
    """`Region` of each voxel of a phantom's PET, 0 for none, and whether it lies on the left.

    None where this program does not paint that phantom any more.
    """
    painted = _painted(description, pet)
    if painted is None:
        return None
    canvas, envelope, patient = painted
    return (
        _on_grid(canvas, regions(canvas, envelope, patient)),
        _on_grid(canvas, on_left(canvas).astype(np.uint8)) > 0,
    )


def _painted(
    description: dict[str, Any], pet: sitk.Image
) -> tuple[Canvas, Envelope, Patient] | None:
    """The phantom, painted again without its lesions; None where it does not come out the same."""
    patient = draw_patient(int(description["seed"]))
    uptake = {name: round(value, 3) for name, value in vars(patient.uptake).items()}
    size = (GRID_IJ, GRID_IJ, patient.pose.slices)
    if uptake != description.get("uptake_suv") or pet.GetSize() != size:
        return None
    canvas, envelope = paint_patient(patient)
    if sorted(set(patient.variants)) != description.get("variants"):
        return None
    if patient.benign_findings != description.get("benign_findings"):
        return None
    return canvas, envelope, patient


def _on_grid(canvas: Canvas, part: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A canvas's voxels on the whole grid of the PET, 0 beyond them."""
    whole = np.zeros((canvas.shape[0], GRID_IJ, GRID_IJ), np.uint8)
    _, j, i = canvas.first
    whole[:, j : j + canvas.shape[1], i : i + canvas.shape[2]] = part
    return whole


def organ_name(tissue: int) -> str:
    """For tables: `Tissue.BROWN_FAT` is "brown fat"."""
    return Tissue(tissue).name.lower().replace("_", " ")


@dataclass(frozen=True)
class PhantomAnatomy:
    """The sites of a phantom's lesions and the organs at its voxels.

    Attributes:
        description: from `describes`.
        tissue: from `tissues`.
    """

    description: dict[str, Any]
    tissue: Tissues | None

    def sites(self, centres_lps_mm: Sequence[tuple[float, float, float]]) -> list[str]:
        """See `sites`."""
        return sites(self.description, centres_lps_mm)

    def organs(self, voxels: Sequence[int]) -> tuple[str, ...] | None:
        """The organ at each voxel, by its flat index; None where it cannot be painted again."""
        if self.tissue is None:
            return None
        return tuple(organ_name(int(self.tissue.reshape(-1)[voxel])) for voxel in voxels)


def anatomy_of_phantom(path: Path, pet: sitk.Image) -> PhantomAnatomy | None:
    """What is known of a phantom, given its PET; None for any other study."""
    description = describes(path)
    return None if description is None else PhantomAnatomy(description, tissues(description, pet))

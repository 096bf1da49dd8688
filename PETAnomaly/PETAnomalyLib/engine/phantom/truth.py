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

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.cohort import LARGEST_SEED
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import organ_name
from PETAnomalyLib.engine.phantom.patient.patient import draw_patient
from PETAnomalyLib.engine.phantom.regions import on_left, regions
from PETAnomalyLib.engine.phantom.scanner.image_grid import ImageGrid, image_grid
from PETAnomalyLib.engine.phantom.scanner.scanners import draw_scanner
from PETAnomalyLib.engine.phantom.study import description_of, paint_patient
from PETAnomalyLib.engine.runtime.json_file import read_json

DESCRIPTION = "description.json"

Organs = npt.NDArray[np.uint8]


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
    """The kind of place of each lesion of the mask: node, lung, liver, bone, primary, ...

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


def organs(description: dict[str, Any], pet: sitk.Image) -> Organs | None:
    """What each voxel of a phantom's PET is, lesions aside, D x H x W `Organ` codes.

    None where this program does not paint that phantom any more.
    """
    painted = _painted(description, pet)
    if painted is None:
        return None
    canvas, _, grid = painted
    return grid.nearest(canvas.organ)


def body_regions(
    description: dict[str, Any], pet: sitk.Image
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]] | None:
    """`Region` of each voxel of a phantom's PET, 0 for none, and whether it lies on the left.

    None where this program does not paint that phantom any more.
    """
    painted = _painted(description, pet)
    if painted is None:
        return None
    canvas, envelope, grid = painted
    return (
        grid.nearest(regions(canvas, envelope)),
        grid.nearest(on_left(canvas).astype(np.uint8)) > 0,
    )


def _painted(
    description: dict[str, Any], pet: sitk.Image
) -> tuple[Canvas, Envelope, ImageGrid] | None:
    """The phantom, painted again without its lesions, and the grid of its PET; None where it does
    not come out the same."""
    patient = draw_patient(int(description["seed"]))
    scanner = draw_scanner(patient)
    # Cheap to ask before anything is painted: another version draws other patients.
    drawn = description_of(patient, scanner)
    if any(description.get(name) != drawn[name] for name in ("uptake_suv", "scanner")):
        return None
    canvas, envelope = paint_patient(patient)
    grid = image_grid(canvas, patient, scanner)
    painted = description_of(patient, scanner)
    if any(description.get(name) != value for name, value in painted.items()):
        return None
    return (canvas, envelope, grid) if pet.GetSize() == grid.size else None


@dataclass(frozen=True)
class PhantomAnatomy:
    """The sites of a phantom's lesions and the organs at its voxels.

    Attributes:
        description: from `describes`.
        organ: from `organs`.
    """

    description: dict[str, Any]
    organ: Organs | None

    def sites(self, centres_lps_mm: Sequence[tuple[float, float, float]]) -> list[str]:
        """See `sites`."""
        return sites(self.description, centres_lps_mm)

    def organs(self, voxels: Sequence[int]) -> tuple[str, ...] | None:
        """The organ at each voxel, by its flat index; None where it cannot be painted again."""
        if self.organ is None:
            return None
        return tuple(organ_name(int(self.organ.reshape(-1)[voxel])) for voxel in voxels)


def anatomy_of_phantom(path: Path, pet: sitk.Image) -> PhantomAnatomy | None:
    """What is known of a phantom, given its PET; None for any other study."""
    description = describes(path)
    return None if description is None else PhantomAnatomy(description, organs(description, pet))

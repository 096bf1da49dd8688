"""What of a study the model can see: the scored voxels, and the body that lies outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.body_regions import RegionBorders
from PETAnomalyLib.engine.frame.coarse_pet import BODY_SUV
from PETAnomalyLib.engine.frame.familiarity import cell_regions
from PETAnomalyLib.engine.frame.grids import to_study_grid
from PETAnomalyLib.engine.frame.measured_regions import REGIONS
from PETAnomalyLib.engine.runtime.errors import InputError


def scored_mask(pet: sitk.Image, template: sitk.Image, alignment: Alignment) -> sitk.Image:
    """The PET's voxels whose centre lies in the model's field of view: uint8 on the PET's grid.

    The field of view reaches to the outer faces of the template's outermost voxels.
    """
    everywhere = sitk.Image(template.GetSize(), sitk.sitkUInt8) + 1
    everywhere.CopyInformation(template)
    return to_study_grid(everywhere, pet, alignment, outside=0, nearest=True)


def marked_foreign(
    scored: sitk.Image,
    template: sitk.Image,
    alignment: Alignment,
    borders: RegionBorders,
    regions: Sequence[str],
) -> sitk.Image:
    """`scored` with 2 where it was 1, in regions that are unlike what the model knows.

    Args:
        scored: from `scored_mask`.
        borders: of the model's regions.
        regions: names in `REGIONS`.
    """
    size = template.GetSize()
    everywhere = cell_regions(
        borders, template.GetOrigin(), template.GetSpacing(), size, size[::-1]
    )
    foreign = np.isin(everywhere, [REGIONS.index(region) for region in regions])
    on_template = sitk.GetImageFromArray(foreign.astype(np.uint8))
    on_template.CopyInformation(template)
    on_study = to_study_grid(on_template, scored, alignment, outside=0, nearest=True)
    return scored + sitk.And(scored, on_study)


def unscored_body(pet: sitk.Image, scored: sitk.Image) -> tuple[float, tuple[str, ...]]:
    """How much of the patient the model could not see.

    Args:
        pet: in SUV (g/ml).
        scored: from `scored_mask`, on the grid of `pet`.

    Returns:
        the share of the body's voxels (SUV above `BODY_SUV`) outside, 0 to 1; and warnings.

    Raises:
        InputError: (nearly) all of the body lies outside.
    """
    body = sitk.GetArrayViewFromImage(pet) > BODY_SUV
    total = int(np.count_nonzero(body))
    seen = int(np.count_nonzero(body & (sitk.GetArrayViewFromImage(scored) > 0)))
    share = 1.0 - seen / total if total else 1.0
    if share > 0.95:
        raise InputError(
            f"{100 * share:.0f} % of the body in the PET lies outside the model's field of view.",
            "Use a study that shows the part of the body that the model was made for.",
        )
    if share < 0.01:
        return share, ()
    return share, (
        f"{100 * share:.0f} % of the body (SUV > {BODY_SUV:g}) lies outside the model's field of "
        "view and is not scored: a lesion there is not found.",
    )

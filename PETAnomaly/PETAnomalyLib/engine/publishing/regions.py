"""`petanomaly calibrate --regions`: an atlas of the body's parts in a model's frame, from phantoms.

Each phantom is aligned as a detection aligns a study, and painted again from its seed, so that the
part of the body is known at every voxel. What most phantoms say of a voxel of the frame counts;
where hardly any has body, the nearest voxel's answer does: a finding of a larger patient lies
there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.measured_regions import REGIONS
from PETAnomalyLib.engine.frame.region_atlas import voted
from PETAnomalyLib.engine.phantom.regions import Region
from PETAnomalyLib.engine.phantom.truth import body_regions, describes
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import require_writable, write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.study import read_pet

FEWEST_PHANTOMS = 20
FEWEST_VOTES = 3
_LEFT = len(REGIONS)


def calibrate_regions(
    bundle: Bundle, studies: Sequence[CohortStudy], out: Path, reporter: Reporter
) -> Path:
    """Make the atlas, and name it in the section `region_atlas` of `out` (JSON).

    Args:
        bundle: whose template the phantoms are aligned to.
        studies: phantoms, as `petanomaly phantom` writes them; at least 20.
        out: the JSON file; what it holds beside this section stays. The atlas lies beside it.
        reporter: told of the progress.

    Returns:
        The atlas's file.

    Raises:
        InputError: too few studies, one that is no phantom of this version, or a file that cannot
            be read or written.
    """
    if len(studies) < FEWEST_PHANTOMS:
        raise InputError(
            f"{len(studies)} phantoms are too few to tell the parts of the body",
            f"give at least {FEWEST_PHANTOMS}",
        )
    atlas = out.with_name(f"{out.stem}.regions.nii.gz")
    require_writable(out)
    require_writable(atlas)
    reporter.stage("regions", f"Looking where the parts of {len(studies)} bodies lie")
    template = read_float_image(bundle.template)
    votes = np.zeros((len(REGIONS) + 1, *sitk.GetArrayViewFromImage(template).shape), np.uint16)
    for number, study in enumerate(studies):
        votes += _votes(study, template)
        reporter.progress((number + 1) / len(studies))
        reporter.check_cancelled()
    image = sitk.GetImageFromArray(_filled(votes))
    image.CopyInformation(template)
    sitk.WriteImage(image, str(atlas), useCompression=True)
    earlier = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    section = {"phantoms": len(studies), "file": atlas.name}
    write_whole(out, json.dumps({**earlier, "region_atlas": section}, indent=2) + "\n")
    return atlas


def _votes(study: CohortStudy, template: sitk.Image) -> NDArray[np.uint16]:
    """1 where the phantom has a region, and at last where it has its left; on the template."""
    pet = read_pet(study.pet)[0]
    description: dict[str, Any] | None = describes(study.pet)
    known = None if description is None else body_regions(description, pet)
    if known is None:
        raise InputError(
            f"{study.pet} is no phantom of this version of petanomaly",
            "make phantoms with `petanomaly phantom`",
        )
    alignment = align(pet, template)
    region, left = known
    # Both in one image: the side is worth more than all regions.
    image = sitk.GetImageFromArray(region + np.uint8(len(Region) + 1) * left)
    image.CopyInformation(pet)
    carried = sitk.GetArrayFromImage(
        sitk.Resample(image, template, alignment.transform, sitk.sitkNearestNeighbor, 0)
    )
    found = np.zeros((len(REGIONS) + 1, *carried.shape), np.uint16)
    for one in Region:
        found[REGIONS.index(one.name.lower())] = carried % (len(Region) + 1) == one
    found[_LEFT] = (carried > len(Region)) & (carried % (len(Region) + 1) > 0)
    return found


def _filled(votes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The atlas's voxels."""
    seldom = votes[:_LEFT].sum(axis=0) < FEWEST_VOTES
    codes = voted(votes[:_LEFT], votes[_LEFT])
    nearest = ndimage.distance_transform_edt(seldom, return_distances=False, return_indices=True)
    filled: NDArray[np.uint8] = codes[tuple(nearest)]
    return filled

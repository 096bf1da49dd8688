"""`petanomaly cohort check` of brain MR: what can be read, and what lesions it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.head_lesions import lesions_of_head
from PETAnomalyLib.engine.study.image_file import read_image_file, read_mask_file
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.study.lesion_mask import number_lesions
from PETAnomalyLib.engine.study.validation import check_volume
from PETAnomalyLib.engine.training.cohort_check import check_each

"""Header coordinates of one grid differ by rounding alone."""


@dataclass(frozen=True)
class CheckedBrainStudy:
    """What was found of one study.

    Attributes:
        name, patient, layout: as in the cohort.
        problem: why it cannot be used, None if it can.
        warnings: what is suspicious but usable.
        contrasts: name -> voxels along x, y, z; empty if it cannot be used, as all below.
        spacing_mm: name -> mm along x, y, z.
        has_mask: whether there is a mask of the brain.
        lesions: number of true lesions, None where they are not known.
        lesion_volume_ml: of all of them together, None likewise.
    """

    name: str
    patient: str
    layout: str
    problem: str | None
    warnings: tuple[str, ...] = ()
    contrasts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    spacing_mm: dict[str, tuple[float, ...]] = field(default_factory=dict)
    has_mask: bool = False
    lesions: int | None = None
    lesion_volume_ml: float | None = None


def check_brain_cohort(
    studies: Sequence[BrainStudy], reporter: Reporter
) -> list[CheckedBrainStudy]:
    """Read every image and mask.

    Args:
        studies: the cohort.
        reporter: told of the progress; asked whether to stop.
    """
    return check_each(studies, _check, reporter)


def in_words(checked: Sequence[CheckedBrainStudy]) -> str:
    """For the person who is about to train: first what is wrong, then what there is."""
    lines = [f"unusable  {one.name}: {one.problem}" for one in checked if one.problem]
    lines += [f"warning   {one.name}: {text}" for one in checked for text in one.warnings]
    usable = [one for one in checked if one.problem is None]
    layouts = ", ".join(sorted({one.layout for one in checked}))
    patients = len({one.patient for one in usable})
    lines.append(
        f"Brain MR, named as {layouts}: {len(usable)} of {len(checked)} studies are usable, of "
        f"{patients} patients."
    )
    if usable:
        contrasts = Counter(name for one in usable for name in one.contrasts)
        lines.append(
            "Contrasts: " + ", ".join(f"{name} of {n}" for name, n in sorted(contrasts.items()))
        )
        known = [one.lesions for one in usable if one.lesions is not None]
        lines.append(
            f"With a brain mask: {sum(one.has_mask for one in usable)}. With known lesions: "
            f"{len(known)} ({sum(count > 0 for count in known)} have any, {sum(known)} lesions in "
            "all)."
        )
    return "\n".join(lines)


def _check(study: BrainStudy) -> CheckedBrainStudy:
    try:
        warnings: list[str] = []
        images = {name: _read(path, warnings) for name, path in study.images.items()}
        lesions = volume = None
        if study.lesions:
            reference, truth = lesions_of_head(study, list(images.values()), warnings)
            lesions = int(number_lesions(truth).max(initial=0))
            volume = round(float(truth.sum() * np.prod(reference.GetSpacing()) / 1000.0), 3)
        if study.mask is not None:
            mask, notes = read_mask_file(study.mask)
            warnings += notes
            if not sitk.GetArrayViewFromImage(mask).any():
                raise InputError(f"the brain mask {shown(study.mask)} is empty")
    except PETAnomalyError as error:
        return CheckedBrainStudy(study.name, study.patient, study.layout, error.message)
    return CheckedBrainStudy(
        name=study.name,
        patient=study.patient,
        layout=study.layout,
        problem=None,
        warnings=tuple(warnings),
        contrasts={name: image.GetSize() for name, image in images.items()},
        spacing_mm={name: image.GetSpacing() for name, image in images.items()},
        has_mask=study.mask is not None,
        lesions=lesions,
        lesion_volume_ml=volume,
    )


def _read(path: Path, warnings: list[str]) -> sitk.Image:
    image, _, notes = read_image_file(path)
    warnings += notes
    name = f"The image {shown(path)}"
    if "complex" in image.GetPixelIDTypeAsString():
        raise InputError(f"{name} has complex values.", "Give the magnitude image.")
    check_volume(sitk.Cast(image, sitk.sitkFloat32), name)
    return image

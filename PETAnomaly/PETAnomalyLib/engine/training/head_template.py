"""The template of a model of brain MR: mean skull-stripped heads in the model's intensity."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.head_alignment import AlignedHead, align_head
from PETAnomalyLib.engine.frame.head_input import head_input
from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.head import Head, read_head

ROUNDS = 2  # the first mean is that of one head's pose, the second of the mean's
MASK_NAME = "template_mask.nii.gz"


def build_head_template(
    studies: Sequence[BrainStudy],
    contrast: str,
    frame: Mapping[str, Any],
    intensity: Mapping[str, Any],
    path: Path,
    reporter: Reporter,
) -> None:
    """Average heads whose brain is known into a template and its mask, and write both.

    Args:
        studies: the first few of a cohort; of those the ones with a mask, or stripped, are taken.
        contrast: T1w, T2w or FLAIR.
        frame: `size_voxels` and `spacing_mm` along x, y, z (LPS).
        intensity: how arbitrary units become the model's intensity.
        path: where to write the template (NIfTI); the mask lies beside it, as `MASK_NAME`.
        reporter: told of the progress.

    Raises:
        InputError: of none of the heads the brain is known.
    """
    reporter.stage("template", f"Averaging up to {len(studies)} heads into a template")
    heads = _usable(studies, contrast, reporter)
    first = heads[0]
    assert first.mask is not None
    template = _centred_grid(frame)
    placed = AlignedHead(Alignment(_shift_to(first.mask), 1.0), first.mask, first.mask_from)
    mean, brain = head_input(first.image, placed, template, intensity)
    template, mask = _image(mean, template), _image(brain.astype(np.uint8), template)
    for turn in range(ROUNDS):
        total, share, used = np.zeros(mean.shape), np.zeros(mean.shape), 0
        for number, head in enumerate(heads):
            try:
                placed = align_head(head, template, mask, anyway=turn == 0)
            except PETAnomalyError as error:
                reporter.log("warning", f"a head is left out of the template: {error.message}")
                continue
            image, brain = head_input(head.image, placed, template, intensity)
            total, share, used = total + image, share + brain, used + 1
            reporter.progress(0.02 * (turn * len(heads) + number + 1) / (ROUNDS * len(heads)))
            reporter.check_cancelled()
        inside = share >= 0.5 * used
        mean = (total / np.maximum(share, 1) * inside).astype(np.float32)
        template, mask = _image(mean, template), _image(inside.astype(np.uint8), template)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The template comes last: where it lies, every later stage believes both.
    for made, file in ((mask, path.with_name(MASK_NAME)), (template, path)):
        partial = file.with_name(f"{os.getpid()}.partial.{file.name}")
        sitk.WriteImage(made, str(partial), useCompression=True)
        partial.replace(file)


def _usable(studies: Sequence[BrainStudy], contrast: str, reporter: Reporter) -> list[Head]:
    heads = []
    for study in studies:
        try:
            head = read_head(study.images[contrast], study.mask, contrast)
        except PETAnomalyError as error:
            reporter.log("warning", f"{study.name} left out: {error.message}")
            continue
        if head.mask is not None:
            heads.append(head)
    if not heads:
        raise InputError(
            "of none of the first heads of the cohort the brain is known",
            "give brain masks beside them, or skull-stripped images, for a template to be made",
        )
    return heads


def _centred_grid(frame: Mapping[str, Any]) -> sitk.Image:
    size, spacing = frame["size_voxels"], frame["spacing_mm"]
    grid = sitk.Image([int(n) for n in size], sitk.sitkFloat32)
    grid.SetSpacing([float(mm) for mm in spacing])
    grid.SetOrigin([-(n - 1) * mm / 2 for n, mm in zip(size, spacing)])
    return grid


def _shift_to(mask: sitk.Image) -> sitk.Euler3DTransform:
    """From the frame's centre, 0, to the middle of the brain's extent."""
    k, j, i = np.nonzero(sitk.GetArrayViewFromImage(mask))
    middle = [(float(n.min()) + float(n.max())) / 2 for n in (i, j, k)]
    shift = sitk.Euler3DTransform()
    shift.SetTranslation(mask.TransformContinuousIndexToPhysicalPoint(middle))
    return shift


def _image(array: np.ndarray, grid: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(grid)
    return image

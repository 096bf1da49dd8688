"""Heads of a cohort of brain MR in the frame of a model, on disk as `cohort.py` keeps PETs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.frame.head_alignment import align_head
from PETAnomalyLib.engine.frame.head_input import head_input
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.brain_cohort import LAYOUTS, BrainStudy, find_brain_studies
from PETAnomalyLib.engine.study.head import read_head
from PETAnomalyLib.engine.study.head_lesions import lesions_of_head
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy, Inputs, aligned, write_aligned


def find_heads(cohort: Path, contrast: str) -> list[BrainStudy]:
    """The studies of a cohort that have a contrast, by name.

    Raises:
        InputError: there are none, or see `find_brain_studies`.
    """
    if not cohort.is_dir():
        raise InputError(
            f"the cohort {shown(cohort)} is no folder", f"layouts of brain MR: {LAYOUTS}"
        )
    found = find_brain_studies(cohort)
    heads = [study for study in found if contrast in study.images]
    if not heads:
        others = sorted({name for study in found for name in study.images})
        raise InputError(
            f"no study with {contrast} in the cohort {shown(cohort)}"
            + (f"; it has {', '.join(others)}" if others else ""),
            f"layouts of brain MR: {LAYOUTS}",
        )
    return heads


def aligned_heads(
    studies: Sequence[BrainStudy],
    contrast: str,
    template: Path,
    template_mask: Path,
    intensity: Mapping[str, Any],
    cache: Path,
    reporter: Reporter,
    other: str = "",
) -> list[AlignedStudy]:
    """Every usable head in the model frame, from the cache where it already is.

    A head that cannot be used is named in a warning and left out.

    Args:
        studies: all have the contrast.
        contrast: T1w, T2w or FLAIR.
        template, template_mask: files of the model's frame.
        intensity: how arbitrary units become the model's intensity.
        cache: folder of the files.
        reporter: told of the progress.
        other: the contrast of the image that is wanted, where it is another one: the head is laid
            by `contrast`, and this one goes with it, as the two lie on each other.

    Raises:
        InputError: not a single head is usable.
    """
    seen = (contrast, *([other] if other else []))
    common = (template.read_bytes(), template_mask.read_bytes(), *(c.encode() for c in seen))
    inputs = [
        Inputs(
            study.name,
            tuple(
                p
                for p in (*map(study.images.get, seen), study.mask, *study.lesions)
                if p is not None
            ),
            (study, contrast, template, template_mask, dict(intensity), other),
        )
        for study in studies
    ]
    return aligned(inputs, align_into, b"".join(common), intensity, cache, reporter)


def heads_in_frame(
    bundle: Bundle, studies: Sequence[BrainStudy], cache: Path, reporter: Reporter, other: str = ""
) -> list[AlignedStudy]:
    """`aligned_heads` in the frame of a model of brain MR."""
    assert bundle.template_mask is not None  # the manifest of a model of MR has one
    return aligned_heads(
        studies,
        bundle.contrast,
        bundle.template,
        bundle.template_mask,
        bundle.intensity,
        cache,
        reporter,
        other,
    )


def align_into(
    file: Path,
    study: BrainStudy,
    contrast: str,
    template_path: Path,
    mask_path: Path,
    intensity: Mapping[str, Any],
    other: str = "",
) -> None:
    """Read a head, lay it onto the template, and write it, or its other contrast in its place.

    Raises:
        InputError: it cannot be used.
    """
    head = read_head(study.images[contrast], study.mask, contrast)
    template = read_float_image(template_path)
    template_mask = sitk.Cast(read_float_image(mask_path), sitk.sitkUInt8)
    placed = align_head(head, template, template_mask)
    if other:
        head = read_head(study.images[other], wanted=other)
        placed = replace(placed, mask=_resampled_mask(placed.mask, head.image))
    image, brain = head_input(head.image, placed, template, intensity)
    arrays: dict[str, np.ndarray] = {
        "image": image.astype(np.float16),
        "brain": brain.astype(np.uint8),
    }
    if study.lesions:
        grid, truth = lesions_of_head(study, [head.image], [])
        drawn = sitk.GetImageFromArray(truth.astype(np.float32))
        drawn.CopyInformation(grid)
        share = sitk.GetArrayFromImage(to_model_frame(drawn, template, placed.alignment, 0.0))
        arrays["lesions"] = (share >= 0.5).astype(np.uint8)
    write_aligned(file, arrays)


def _resampled_mask(mask: sitk.Image, image: sitk.Image) -> sitk.Image:
    """A mask on the grid of another image of the same head; itself where that is the same."""
    return sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)

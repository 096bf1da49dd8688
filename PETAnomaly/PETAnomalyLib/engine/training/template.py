"""The template that studies are aligned to: a smooth mean PET in SUV on the model's grid."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.study import read_study

BODY_SUV = 0.15  # between the air's noise and fat, 0.2-0.35
ROUNDS = 2  # the first mean is that of one patient's alignment, the second of the mean's


def build_template(
    studies: Sequence[CohortStudy], frame: dict[str, Any], path: Path, reporter: Reporter
) -> None:
    """Average studies into a template and write it.

    The first study is centred on the grid by the middle of its body; the others are aligned to it
    and averaged; then all are aligned to that mean and averaged again.

    Args:
        studies: the first few of a cohort.
        frame: `size_voxels` and `spacing_mm` along x, y, z (LPS).
        path: where to write it (NIfTI, SUV).
        reporter: told of the progress.
    """
    reporter.stage("template", f"Averaging {len(studies)} studies into a template")
    pets = {s.name: sitk.Cast(read_study(s.pet).pet, sitk.sitkFloat32) for s in studies}
    average_into_template(pets, frame, path, reporter)


def average_into_template(
    pets: Mapping[str, sitk.Image], frame: dict[str, Any], path: Path, reporter: Reporter
) -> None:
    """As `build_template`, of studies that have been read: name -> PET, float32, SUVbw."""
    template = _centred(next(iter(pets.values())), frame)
    for turn in range(ROUNDS):
        total = np.zeros(sitk.GetArrayViewFromImage(template).shape)
        used = 0
        for i, (name, pet) in enumerate(pets.items()):
            try:
                alignment = align(pet, template)
            except PETAnomalyError as error:
                reporter.log("warning", f"{name} left out: {error.message}")
                continue
            total += sitk.GetArrayFromImage(to_model_frame(pet, template, alignment, 0.0))
            used += 1
            reporter.progress(0.02 * (turn * len(pets) + i + 1) / (ROUNDS * len(pets)))
        mean = sitk.GetImageFromArray((total / used).astype(np.float32))
        mean.CopyInformation(template)
        template = mean
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{os.getpid()}.partial.{path.name}")
    sitk.WriteImage(template, str(partial), useCompression=True)
    partial.replace(path)  # a kill leaves no half template, which every later stage would believe


def _centred(pet: sitk.Image, frame: dict[str, Any]) -> sitk.Image:
    k, j, i = np.nonzero(sitk.GetArrayViewFromImage(pet) > BODY_SUV)
    middle = [(float(n.min()) + float(n.max())) / 2 for n in (i, j, k)]
    centre = pet.TransformContinuousIndexToPhysicalPoint(middle)
    size, spacing = frame["size_voxels"], frame["spacing_mm"]
    half = [(n - 1) * s / 2 for n, s in zip(size, spacing)]
    grid = sitk.Image(size, sitk.sitkFloat32)
    grid.SetSpacing(spacing)
    grid.SetOrigin([-h for h in half])  # the template's own physical space is centred on zero
    shift = sitk.TranslationTransform(3, list(centre))
    return sitk.Resample(pet, grid, shift, sitk.sitkLinear, 0.0)

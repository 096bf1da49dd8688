"""Cohorts split by patient, and their PET studies in the model's frame: see `aligned_cache.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import Alignment, align
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.lesion_mask import read_lesions
from PETAnomalyLib.engine.study.study import Study, read_study
from PETAnomalyLib.engine.training.aligned_cache import (
    AlignedStudy,
    Inputs,
    aligned,
    aligned_files,
    write_aligned,
)

OfCohort = TypeVar("OfCohort", CohortStudy, BrainStudy)


def split_by_patient(
    studies: list[OfCohort], validation_share: float, seed: int
) -> tuple[list[OfCohort], list[OfCohort]]:
    """Training and validation studies; no patient is in both, and the seed fixes which."""
    patients = sorted({study.patient for study in studies})
    shuffled = np.random.default_rng(seed).permutation(patients)
    held_out = set(shuffled[: max(1, round(validation_share * len(patients)))])
    training = [s for s in studies if s.patient not in held_out]
    validation = [s for s in studies if s.patient in held_out]
    if not training:
        raise InputError(
            f"{len(patients)} patient is too few to train on",
            "give a cohort of at least two patients, so that one can be held out",
        )
    return training, validation


def aligned_studies(
    studies: list[CohortStudy],
    template: Path,
    intensity: Mapping[str, Any],
    cache: Path,
    reporter: Reporter,
) -> list[AlignedStudy]:
    """Every usable study in the model frame, from the cache where it already is.

    A study that cannot be used is named in a warning and left out.

    Raises:
        InputError: not a single study is usable.
    """
    inputs = _inputs(studies, template, intensity)
    return aligned(inputs, align_into, template.read_bytes(), intensity, cache, reporter)


def aligned_study_files(
    studies: list[CohortStudy],
    template: Path,
    intensity: Mapping[str, Any],
    cache: Path,
    reporter: Reporter,
) -> list[tuple[str, Path]]:
    """Name and file of every usable study in the model frame; else as `aligned_studies`."""
    inputs = _inputs(studies, template, intensity)
    return aligned_files(inputs, align_into, template.read_bytes(), intensity, cache, reporter)


def _inputs(
    studies: list[CohortStudy], template: Path, intensity: Mapping[str, Any]
) -> list[Inputs]:
    return [
        Inputs(
            study.name,
            tuple(p for p in (study.pet, study.ct, study.lesions) if p is not None),
            (study, template, dict(intensity)),
        )
        for study in studies
    ]


def align_into(
    file: Path, study: CohortStudy, template_path: Path, intensity: Mapping[str, Any]
) -> None:
    """Read a study, lay it onto the template, and write it.

    Raises:
        InputError: it cannot be used.
    """
    read = read_study(study.pet, study.ct)
    template = read_float_image(template_path)
    alignment, arrays = laid_onto(read, template, intensity)
    if study.lesions is not None:
        lesions = sitk.GetImageFromArray(
            read_lesions(study.lesions, read.pet)[0].astype(np.float32)
        )
        lesions.CopyInformation(read.pet)
        share = sitk.GetArrayFromImage(to_model_frame(lesions, template, alignment, 0.0))
        arrays["lesions"] = (share >= 0.5).astype(np.uint8)
    write_aligned(file, arrays)


def laid_onto(
    study: Study, template: sitk.Image, intensity: Mapping[str, Any]
) -> tuple[Alignment, dict[str, np.ndarray]]:
    """Where a study lies, and its `image` and, where it has one, `ct` as `AlignedStudy` has them.

    Raises:
        InputError: it cannot be aligned.
    """
    alignment = align(study.pet, template)
    pet, ct = model_input(study, template, alignment, intensity)
    arrays = {"image": pet.astype(np.float16)}
    if ct is not None:
        arrays["ct"] = ct.astype(np.float16)
    return alignment, arrays

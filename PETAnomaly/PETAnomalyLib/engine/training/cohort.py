"""Cohorts split by patient, and their studies aligned to the template, on disk.

Alignment and resampling take seconds a study and never change, so they are done once and kept as
`<cache>/<patient>__<study>.npz` (float16 intensities, uint8 lesions, in the model frame).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.frame import align, to_model_frame
from PETAnomalyLib.engine.lesion_mask import read_lesions
from PETAnomalyLib.engine.model_input import model_input
from PETAnomalyLib.engine.study import read_study
from PETAnomalyLib.engine.training.cohort_layout import CohortStudy
from PETAnomalyLib.engine.worker_pool import worker_pool


@dataclass(frozen=True)
class AlignedStudy:
    """One study in the model frame.

    Attributes:
        name: `<patient>__<study>`.
        pet: D x H x W float16, the model's PET intensity.
        ct: D x H x W float16, the model's CT intensity, or None.
        lesions: D x H x W uint8, 1 in lesions, or None.
    """

    name: str
    pet: np.ndarray
    ct: np.ndarray | None
    lesions: np.ndarray | None


def split_by_patient(
    studies: list[CohortStudy], validation_share: float, seed: int
) -> tuple[list[CohortStudy], list[CohortStudy]]:
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
    """Every usable study in the model frame, from the cache where it is already there.

    A study that cannot be used is named in a warning and left out.

    Raises:
        InputError: not a single study is usable.
    """
    cache.mkdir(parents=True, exist_ok=True)
    missing = [study for study in studies if not (cache / f"{study.name}.npz").exists()]
    if missing:
        reporter.stage("align", f"Aligning {len(missing)} studies")
        with worker_pool(None) as pool:
            jobs = {
                pool.submit(_align_into_cache, s, template, dict(intensity), cache): s
                for s in missing
            }
            for done, job in enumerate(as_completed(jobs), 1):
                try:
                    job.result()
                except PETAnomalyError as error:
                    reporter.log("warning", f"{jobs[job].name} left out: {error.message}")
                reporter.progress(0.05 * done / len(missing))
                reporter.check_cancelled()
    usable = [_load(cache / f"{s.name}.npz") for s in studies if (cache / f"{s.name}.npz").exists()]
    if not usable:
        raise InputError("not one study of the cohort is usable", "the warnings above say why")
    return usable


def _align_into_cache(
    study: CohortStudy, template_path: Path, intensity: Mapping[str, Any], cache: Path
) -> None:
    read = read_study(study.pet, study.ct)
    template = sitk.ReadImage(str(template_path))
    alignment = align(read.pet, template)
    pet, ct = model_input(read, template, alignment, intensity)
    arrays: dict[str, Any] = {"pet": pet.astype(np.float16)}
    if ct is not None:
        arrays["ct"] = ct.astype(np.float16)
    if study.lesions is not None:
        lesions = sitk.GetImageFromArray(read_lesions(study.lesions, read.pet).astype(np.float32))
        lesions.CopyInformation(read.pet)
        share = sitk.GetArrayFromImage(to_model_frame(lesions, template, alignment, 0.0))
        arrays["lesions"] = (share >= 0.5).astype(np.uint8)
    partial = cache / f"{study.name}.{os.getpid()}.partial.npz"
    np.savez(partial, **arrays)
    partial.replace(cache / f"{study.name}.npz")


def _load(path: Path) -> AlignedStudy:
    with np.load(path) as arrays:
        return AlignedStudy(
            name=path.stem,
            pet=arrays["pet"],
            ct=arrays.get("ct"),
            lesions=arrays.get("lesions"),
        )

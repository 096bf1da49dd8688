"""Cohorts split by patient, and their studies aligned to the template, on disk.

Alignment and resampling take seconds a study, so they are done once and kept as
`<cache>/<patient>__<study>-<inputs>.npz` (float16 intensities, uint8 lesions, in the model frame).
<inputs> is a hash of what went into it: a study that was written anew, another template or another
intensity is aligned again, and never mistaken for what lies there under its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.grids import to_model_frame
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.lesion_mask import read_lesions
from PETAnomalyLib.engine.study.study import read_study


@dataclass(frozen=True)
class AlignedStudy:
    """One study in the model frame.

    Attributes:
        name: `<patient>__<study>`.
        image: D x H x W float16, the model's intensity of the PET or the MR.
        ct: D x H x W float16, the model's CT intensity, or None.
        lesions: D x H x W uint8, 1 in lesions, or None.
        brain: D x H x W uint8, 1 in the brain; None of a PET.
    """

    name: str
    image: np.ndarray
    ct: np.ndarray | None
    lesions: np.ndarray | None
    brain: np.ndarray | None = None


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
    """Every usable study in the model frame, from the cache where it already is.

    A study that cannot be used is named in a warning and left out.

    Raises:
        InputError: not a single study is usable.
    """
    cache.mkdir(parents=True, exist_ok=True)
    files = _cache_files(studies, template, intensity, cache)
    aligned = {study.name: _kept(study.name, files[study.name]) for study in studies}
    missing = [study for study in studies if aligned[study.name] is None]
    if missing:
        reporter.stage("align", f"Aligning {len(missing)} studies")
        jobs = [(study, template, dict(intensity), files[study.name]) for study in missing]
        whys = for_each(_align_or_say_why_not, jobs, os.cpu_count() or 1, reporter, (0.0, 0.05))
        for study, why in zip(missing, whys):
            if why is not None:
                reporter.log("warning", f"{study.name} left out: {why}")
            else:
                aligned[study.name] = _kept(study.name, files[study.name])
    usable = [found for found in (aligned[study.name] for study in studies) if found is not None]
    if not usable:
        raise InputError("not one study of the cohort is usable", "the warnings above say why")
    return usable


def _cache_files(
    studies: list[CohortStudy], template: Path, intensity: Mapping[str, Any], cache: Path
) -> dict[str, Path]:
    common = template.read_bytes() + json.dumps(dict(intensity), sort_keys=True).encode()
    files = {}
    for study in studies:
        inputs = hashlib.sha256(common)
        for place in (study.pet, study.ct, study.lesions):
            inputs.update(repr(_state(place)).encode())
        files[study.name] = cache / f"{study.name}-{inputs.hexdigest()[:12]}.npz"
    return files


def _state(place: Path | None) -> list[tuple[str, int, int]]:
    """Name, size and time of the last change of an image file, or of all files of a folder.

    Not their content: reading a cohort of DICOM folders takes as long as aligning it.
    """
    if place is None:
        return []
    found = sorted(place.rglob("*")) if place.is_dir() else [place]
    return [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in found if f.is_file()]


def _align_or_say_why_not(
    study: CohortStudy, template_path: Path, intensity: Mapping[str, Any], file: Path
) -> str | None:
    try:
        _align_into_cache(study, template_path, intensity, file)
    except PETAnomalyError as error:
        return error.message
    return None


def _align_into_cache(
    study: CohortStudy, template_path: Path, intensity: Mapping[str, Any], file: Path
) -> None:
    read = read_study(study.pet, study.ct)
    template = read_float_image(template_path)
    alignment = align(read.pet, template)
    pet, ct = model_input(read, template, alignment, intensity)
    arrays: dict[str, Any] = {"image": pet.astype(np.float16)}
    if ct is not None:
        arrays["ct"] = ct.astype(np.float16)
    if study.lesions is not None:
        lesions = sitk.GetImageFromArray(
            read_lesions(study.lesions, read.pet)[0].astype(np.float32)
        )
        lesions.CopyInformation(read.pet)
        share = sitk.GetArrayFromImage(to_model_frame(lesions, template, alignment, 0.0))
        arrays["lesions"] = (share >= 0.5).astype(np.uint8)
    partial = file.with_suffix(f".{os.getpid()}.partial.npz")
    np.savez(partial, **arrays)
    partial.replace(file)


def _kept(name: str, path: Path) -> AlignedStudy | None:
    """From the cache; None: not there, another version's, or left short by a power cut."""
    try:
        with np.load(path) as arrays:
            return AlignedStudy(
                name=name,
                image=arrays["image"],
                ct=arrays.get("ct"),
                lesions=arrays.get("lesions"),
                brain=arrays.get("brain"),
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None

"""Cohorts of synthetic heads on disk, in the folders of `<patient>/<study>` that autoPET has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.phantom.brain.sequences import ALWAYS
from PETAnomalyLib.engine.phantom.brain.study import check_options, generate_brain
from PETAnomalyLib.engine.phantom.cohort import check_request
from PETAnomalyLib.engine.phantom.cohort_folder import cohort_folder, write_study


def write_brain_cohort(
    out: Path,
    count: int,
    seed: int,
    healthy: bool = False,
    disease: str | None = None,
    contrasts: Sequence[str] = ALWAYS,
    voxel_mm: float = 1.0,
    skull_stripped: bool = False,
) -> list[dict[str, Any]]:
    """Write the heads of seeds `seed` .. `seed` + `count` - 1.

    Each becomes `<out>/brain-<seed>/0/` with an image of each contrast (`T1w.nii.gz`, ..., int16),
    `SEG.nii.gz` (uint8, the values of `lesion.LABELS`, 0 where there is no lesion), `MASK.nii.gz`
    (uint8, 1 in the brain), all on one grid, and `description.json` (subject, protocol, volumes,
    disease, every lesion). A study's folder appears in one move; one that is already there is
    replaced.

    Args:
        out: the cohort's folder, made if it is missing.
        count: number of heads, 1 or more.
        seed: the first head's seed, 0 or more.
        healthy, disease, contrasts, voxel_mm, skull_stripped: see `generate_brain`.

    Returns:
        One JSON-able summary a study: its `path`, `patient`, `lesion_count` and description.

    Raises:
        InputError: a count below 1, a negative seed, an unknown disease or contrast, a folder that
            cannot be written.
        MissingPackageError: nilearn is not installed.
    """
    check_request(count, seed)
    check_options(healthy, disease, contrasts, voxel_mm)
    made = []
    with cohort_folder(out, megabytes=60):
        for number in range(int(count)):
            study = generate_brain(
                int(seed) + number, healthy, disease, contrasts, voxel_mm, skull_stripped
            )
            images = {**study.images, "SEG": study.lesions, "MASK": study.mask}
            patient = f"brain-{study.description['seed']}"
            made.append(write_study(Path(out), patient, images, study.description))
    return made

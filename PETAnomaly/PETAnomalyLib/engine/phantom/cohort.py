"""Cohorts of phantoms on disk, in the autoPET layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.phantom.cohort_folder import cohort_folder, write_study
from PETAnomalyLib.engine.phantom.study import PhantomStudy, generate
from PETAnomalyLib.engine.runtime.errors import InputError

LARGEST_SEED = 2**63 - 1


def write_cohort(out: Path, count: int, seed: int, healthy: bool = False) -> list[dict[str, Any]]:
    """Write the phantoms of seeds `seed` .. `seed` + `count` - 1.

    Each becomes `<out>/phantom-<seed>/0/` with `SUV.nii.gz` (float32, g/ml), `CTres.nii.gz`
    (int16, HU), `SEG.nii.gz` (uint8, 1 = lesion), all on one grid, as in autoPET, and
    `description.json` (patient, variants, every lesion). A study's folder appears in one move;
    one that is already there is replaced.

    Args:
        out: the cohort's folder, made if it is missing.
        count: number of patients, 1 or more.
        seed: the first patient's seed, 0 or more.
        healthy: leave the lesions out.

    Returns:
        One JSON-able summary a study: its `path`, `patient`, `lesion_count` and description.

    Raises:
        InputError: a count below 1, a negative seed, a folder that cannot be written.
    """
    check_request(count, seed)
    with cohort_folder(out, megabytes=20):
        return [_write(Path(out), generate(int(seed) + n, healthy)) for n in range(int(count))]


def check_request(count: int, seed: int) -> None:
    """Raises:
    InputError: a count below 1, a seed that is negative or too large.
    """
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise InputError(
                f"The phantom cohort's {name} is {value!r}.",
                f"Give a whole number of {least} or more.",
            )
    if int(seed) + int(count) - 1 > LARGEST_SEED:
        raise InputError(f"The phantom seed {seed} is too large.", f"Stay below {LARGEST_SEED}.")


def _write(out: Path, study: PhantomStudy) -> dict[str, Any]:
    images = {
        "SUV": study.suv,
        "CTres": sitk.Cast(study.ct, sitk.sitkInt16),
        "SEG": sitk.Cast(study.lesions > 0, sitk.sitkUInt8),
    }
    return write_study(out, f"phantom-{study.description['seed']}", images, study.description)

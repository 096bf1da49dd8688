"""Cohorts of phantoms on disk, in the autoPET layout."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

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
    for name, value, least in (("count", count, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise InputError(
                f"The phantom cohort's {name} is {value!r}.",
                f"Give a whole number of {least} or more.",
            )
    if int(seed) + int(count) - 1 > LARGEST_SEED:
        raise InputError(f"The phantom seed {seed} is too large.", f"Stay below {LARGEST_SEED}.")
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        return [_write(out, generate(int(seed) + n, healthy)) for n in range(int(count))]
    except OSError as error:
        raise InputError(
            f"The phantom cohort cannot be written to {out}: {error.strerror or error}.",
            "Choose a folder that you may write to, with 20 MB of free space for each patient.",
        ) from error


def _write(out: Path, study: PhantomStudy) -> dict[str, Any]:
    """Write one study beside its place, then move it there."""
    patient = f"phantom-{study.description['seed']}"
    final = out / patient / "0"
    (out / patient).mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=out / patient))
    try:
        _save(study.suv, work / "SUV.nii.gz")
        _save(sitk.Cast(study.ct, sitk.sitkInt16), work / "CTres.nii.gz")
        _save(sitk.Cast(study.lesions > 0, sitk.sitkUInt8), work / "SEG.nii.gz")
        text = json.dumps(study.description, indent=2, ensure_ascii=False)
        (work / "description.json").write_text(text + "\n", encoding="utf-8")
        work.chmod(0o755)
        if final.exists():
            shutil.rmtree(final)
        work.replace(final)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {
        "path": str(final),
        "patient": patient,
        "lesion_count": len(study.description["lesions"]),
        "description": study.description,
    }


def _save(image: sitk.Image, path: Path) -> None:
    try:
        sitk.WriteImage(image, str(path), True)
    except RuntimeError as error:  # ITK reports a full disk or a lost folder this way
        raise OSError(f"{path.name} could not be written") from error

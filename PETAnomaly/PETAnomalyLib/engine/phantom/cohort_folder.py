"""Where a phantom's files lie in a cohort: `<patient>/0/`, whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.runtime.errors import InputError


@contextmanager
def cohort_folder(out: Path, megabytes: int) -> Iterator[None]:
    """The folder of a cohort, made if it is missing, for as long as it is written to.

    Args:
        out: the folder.
        megabytes: free space that a patient needs.

    Raises:
        InputError: it cannot be written.
    """
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise InputError(
            f"The phantom cohort cannot be written to {out}: {error.strerror or error}.",
            f"Choose a folder that you may write to, with {megabytes} MB of free space for each "
            "patient.",
        ) from error


def write_study(
    out: Path, patient: str, images: Mapping[str, sitk.Image], description: dict[str, Any]
) -> dict[str, Any]:
    """Write one study beside its place, then move it there.

    Args:
        out: the cohort's folder.
        patient: the name of the patient's folder.
        images: by the names of their files, without `.nii.gz`.
        description: for `description.json`; has `lesions`.

    Returns:
        The study's `path`, `patient`, `lesion_count` and `description`.

    Raises:
        OSError: a file could not be written.
    """
    final = out / patient / "0"
    (out / patient).mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=out / patient))
    try:
        for name, image in images.items():
            _save(image, work / f"{name}.nii.gz")
        text = json.dumps(description, indent=2, ensure_ascii=False)
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
        "lesion_count": len(description["lesions"]),
        "description": description,
    }


def _save(image: sitk.Image, path: Path) -> None:
    try:
        sitk.WriteImage(image, str(path), True)
    except RuntimeError as error:  # ITK reports a full disk or a lost folder this way
        raise OSError(f"{path.name} could not be written") from error

"""Phantoms in the frame of a model, made for a training and never stored.

Of the seeds from the first one on, `HELD_OUT` are held out, and kept in the cache as every held-out
study is; the ones after them are trained on, of which the first `TEMPLATE_PHANTOMS` make the
template, where there is none yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine import phantom
from PETAnomalyLib.engine.phantom.study import generate
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.study import Study
from PETAnomalyLib.engine.training.aligned_cache import (
    AlignedStudy,
    Inputs,
    aligned,
    write_aligned,
)
from PETAnomalyLib.engine.training.cohort import laid_onto
from PETAnomalyLib.engine.training.study_stream import Made
from PETAnomalyLib.engine.training.template import average_into_template

HELD_OUT = 8
TEMPLATE_PHANTOMS = 12
INSTEAD = 2**40
"""Added to the seed of a phantom that cannot be aligned: so far on that nothing else is there."""
TRIES = 4


@dataclass(frozen=True)
class PhantomSource:
    """The phantoms of the seeds from `first` on, in the frame of a model.

    Attributes:
        first: seed of study 0.
        healthy: without lesions.
        template: file of the model's frame.
        intensity: how SUV and HU become the model's.
    """

    first: int
    healthy: bool
    template: Path
    intensity: Mapping[str, Any]

    def __call__(self, number: int) -> Made:
        """See `Source`. For a phantom that cannot be aligned comes another, by its number too."""
        warnings: list[str] = []
        for turn in range(TRIES):
            seed = self.first + number + turn * INSTEAD
            try:
                arrays = _in_frame(seed, self.healthy, self.template, self.intensity)
            except InputError as error:
                warnings.append(f"phantom-{seed}__0 left out: {error.message}")
                continue
            name = f"phantom-{seed}__0"
            study = AlignedStudy(name, arrays["image"], arrays.get("ct"), None)
            return Made(study, tuple(warnings))
        raise InputError(
            f"{TRIES} phantoms in a row cannot be used; the last: {warnings[-1]}",
            f"is {self.template} the template of another kind of study?",
        )


def prepared_phantoms(
    first: int,
    healthy: bool,
    frame: dict[str, Any],
    intensity: Mapping[str, Any],
    models: Path,
    processes: int,
    reporter: Reporter,
) -> tuple[list[AlignedStudy], PhantomSource]:
    """The held-out phantoms, and where those to train on come from.

    Args:
        first: the first seed.
        healthy: without lesions.
        frame: `size_voxels` and `spacing_mm` along x, y, z (LPS), for the template.
        intensity: how SUV and HU become the model's.
        models: folder of the template and the cache.
        processes: that make phantoms at the same time.
        reporter: told of the progress.

    Raises:
        InputError: not one of the held-out phantoms can be aligned.
    """
    template = models / "template.nii.gz"
    if not template.exists():
        seeds = range(first + HELD_OUT, first + HELD_OUT + TEMPLATE_PHANTOMS)
        reporter.stage("template", f"Averaging {TEMPLATE_PHANTOMS} phantoms into a template")
        jobs = [(seed, healthy) for seed in seeds]
        pets = for_each(_pet, jobs, processes, reporter, (0.0, 0.01))
        names = [f"phantom-{seed}__0" for seed in seeds]
        average_into_template(dict(zip(names, pets)), frame, template, reporter)
    held_out = [
        Inputs(f"phantom-{seed}__0", (), (seed, healthy, template, dict(intensity)))
        for seed in range(first, first + HELD_OUT)
    ]
    common = template.read_bytes() + _generator() + bytes([healthy])
    validation = aligned(held_out, _write, common, intensity, models / "aligned", reporter)
    return validation, PhantomSource(first + HELD_OUT, healthy, template, dict(intensity))


def _generator() -> bytes:
    """Hash of what makes phantoms: of another one, those in the cache are not the same."""
    folder = Path(str(phantom.__file__)).parent
    sources = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        sources.update(file.read_bytes())
    return sources.digest()


def _pet(seed: int, healthy: bool) -> sitk.Image:
    return generate(seed, healthy).suv


def _in_frame(
    seed: int, healthy: bool, template: Path, intensity: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    made = generate(seed, healthy)
    # As where a cohort is written and read back: HU are whole numbers.
    ct = sitk.Cast(sitk.Cast(made.ct, sitk.sitkInt16), sitk.sitkFloat32)
    study = Study(made.suv, ct, made.description, ())
    return laid_onto(study, read_float_image(template), intensity)[1]


def _write(
    file: Path, seed: int, healthy: bool, template: Path, intensity: Mapping[str, Any]
) -> None:
    write_aligned(file, _in_frame(seed, healthy, template, intensity))

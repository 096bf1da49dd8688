"""The pipeline of `petanomaly detect`: read, align, heal, score, delineate, measure, write.

A study flows straight down this file. Everything random comes from the seed; everything that was
decided is written into `report.json`. What depends on its being a PET/CT or an MR is the
`Examination`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.detection_settings import (
    DetectionSettings,
    require_device,
    resolve,
)
from PETAnomalyLib.engine.examination import Inputs
from PETAnomalyLib.engine.families.loaded_model import LoadedModel
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.measures import write_csv
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.frame.grids import to_study_grid
from PETAnomalyLib.engine.judgement import Judgement
from PETAnomalyLib.engine.pet_examination import PETInputs
from PETAnomalyLib.engine.report import write_report
from PETAnomalyLib.engine.runtime.output import output_folder
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.stages import Stages
from PETAnomalyLib.engine.schedule import Schedule
from PETAnomalyLib.engine.study.disclosure import Disclosure
from PETAnomalyLib.engine.study.image_file import read_float_image


def detect(
    pet: Path,
    ct: Path | None,
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter,
    model: LoadedModel | None = None,
    organs: Path | None = None,
) -> Path:
    """Find what does not belong in a PET(/CT) study and write the result folder.

    Args:
        pet: image file in SUVbw or DICOM folder.
        ct: the same in HU, or None.
        out, settings, reporter, model: see `detect_in`.
        organs: somebody's segmentation of the organs, see `read_organs`; None: no finding is
            placed.

    Returns:
        `out`.

    Raises:
        PETAnomalyError: see `detect_in`.
    """
    return detect_in(PETInputs(pet, ct, organs), out, settings, reporter, model)


def detect_in(
    inputs: Inputs,
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter,
    model: LoadedModel | None = None,
) -> Path:
    """Find what does not belong in an examination and write the result folder.

    Args:
        inputs: its files.
        out: the folder to fill; see DESIGN section 4 for the files.
        settings: what the user chose.
        reporter: told of stages and progress; asked whether to stop.
        model: the one that the settings name, for several studies; None: it is found by its name.

    Returns:
        `out`.

    Raises:
        InputError, BundleError: unusable input, settings, bundle or output folder.
        OutOfMemoryError: not even the smallest pieces on the CPU fit.
        Cancelled: the run was asked to stop; nothing is left behind.
    """
    model = model or LoadedModel(find_bundle(settings.model))
    bundle = model.bundle
    resolved = resolve(settings, bundle)
    inputs.check(bundle, settings)
    require_device(settings.device)
    told = Disclosure(inputs.paths, settings.anonymous)
    run = Stages(reporter)
    schedule = Schedule(settings.time_budget, resolved.samples, run)
    with output_folder(out) as partial:
        with run.stage("read", "Reading the study", 0.05):
            examination = inputs.read(bundle, settings, run)
        with run.stage("align", "Aligning to the model's template", 0.12):
            template = read_float_image(bundle.template)
            framed = examination.framed(template, run)
        with run.stage("heal", "Healing what the model finds unlikely", 0.5):
            from PETAnomalyLib.engine import maps  # torch; what was wrong so far needed none

            judgement = Judgement(bundle, template, settings.anyway, run)
            healing, device = maps.heal(
                model, framed.image, framed.ct, resolved, settings.device, run, judgement, schedule
            )
            framed = replace(framed, scored=judgement.marked(framed.scored, framed.alignment))
            reporter.check_cancelled()
        with run.stage("score", "Decoding and scoring every voxel", 0.82):
            keep = partial / "reconstructions.npz" if settings.keep_reconstructions else None
            scores = maps.score(model, framed.image, healing, resolved, keep, run, framed.brain)
            on_grid = {
                name: to_study_grid(
                    _like(template, score), examination.image, framed.alignment, float(score.min())
                )
                for name, score in scores.items()
            }
        with run.stage("delineate", "Drawing and measuring the findings", 0.88):
            score_image = on_grid[resolved.scorer]
            delineation = delineate(
                score_image,
                examination.image,
                resolved.threshold,
                grow=examination.grow(resolved),
                min_volume_ml=resolved.min_volume_ml,
                scored_mask=framed.scored,
            )
            measured = examination.measured(delineation, score_image, framed, run)
        with run.stage("write", "Writing the results", 0.99):
            labels = delineation.labels
            _write_images(partial, {**on_grid, "scored_mask": framed.scored})
            write_segmentation(partial / "segmentation.seg.nrrd", labels, measured.findings)
            write_csv(
                partial / "findings.csv", measured.findings, measured.further, examination.row
            )
            examination.write_further(partial, labels, measured, resolved)
            examination.draw(
                partial / "overview.png", score_image, labels, measured, resolved, told
            )
            reporter.check_cancelled()
        write_report(
            partial / "report.json",
            inputs=told.description(examination.description),
            bundle=bundle,
            model_path=told.model_path(bundle.path),
            settings=asdict(resolved),
            alignment=framed.alignment,
            fit={**framed.fit, **judgement.report()},
            body_not_scored=framed.body_not_scored,
            drawn=schedule.report(),
            healing=healing,
            findings=measured.totals,
            reference=measured.reference,
            warnings=[told.sentence(warning) for warning in run.warnings],
            device=device,
            seconds=run.seconds,
        )
    reporter.progress(1.0)
    reporter.result(out)
    return out


def _write_images(folder: Path, images: Mapping[str, sitk.Image]) -> None:
    for name, image in images.items():
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"), useCompression=True)


def _like(template: sitk.Image, array: npt.NDArray[np.generic]) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(template)
    return image

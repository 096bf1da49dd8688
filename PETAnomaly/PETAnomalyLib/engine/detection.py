"""The pipeline of `petanomaly detect`: read, align, heal, score, delineate, measure, write.

A study flows straight down this file. Everything random comes from the seed; everything that was
decided is written into `report.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.detection_settings import (
    DetectionSettings,
    ResolvedSettings,
    require_device,
    resolve,
)
from PETAnomalyLib.engine.dicom_results.reading import Detector, Judged, Reading
from PETAnomalyLib.engine.dicom_results.source import Source, source_of
from PETAnomalyLib.engine.families.loaded_model import LoadedModel
from PETAnomalyLib.engine.figures.overview import overview
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.measures import Finding, measure, write_csv
from PETAnomalyLib.engine.findings.organs import Organs
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.frame.alignment import Alignment, align
from PETAnomalyLib.engine.frame.doubt import spoken
from PETAnomalyLib.engine.frame.field_of_view import scored_mask, unscored_body
from PETAnomalyLib.engine.frame.grids import to_study_grid
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.frame.region_atlas import COLUMN as SITE
from PETAnomalyLib.engine.frame.study_fit import StudyFit, study_fit
from PETAnomalyLib.engine.judgement import Judgement
from PETAnomalyLib.engine.placing import Placing
from PETAnomalyLib.engine.report import versions, write_report
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import output_folder
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.stages import Stages
from PETAnomalyLib.engine.schedule import Schedule
from PETAnomalyLib.engine.study.disclosure import Disclosure
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.lesion_mask import read_lesions
from PETAnomalyLib.engine.study.organs import read_organs
from PETAnomalyLib.engine.study.study import Study, read_study
from PETAnomalyLib.engine.study.tracer import tracer_warnings


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
        out: the folder to fill; see DESIGN section 4 for the files.
        settings: what the user chose.
        reporter: told of stages and progress; asked whether to stop.
        model: the one that the settings name, for several studies; None: it is found by its name.
        organs: somebody's segmentation of the organs, see `read_organs`; None: no finding is
            placed.

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
    if bundle.ct == "required" and ct is None:
        raise InputError(
            f"the model '{bundle.name}' needs the CT of the study",
            "give it with --ct, or choose a model for PET alone such as pet-phantom",
        )
    require_device(settings.device)
    told = Disclosure([one for one in (pet, ct, organs) if one is not None], settings.anonymous)
    run = Stages(reporter)
    schedule = Schedule(settings.time_budget, resolved.samples, run)
    with output_folder(out) as partial:
        with run.stage("read", "Reading the study", 0.05):
            study = _read(bundle, pet, ct, run)
            known_organs = None if organs is None else _read_organs(organs, study, run)
            source = _source(study, settings)
            truth = _phantom_truth(pet, study.pet, run)
        with run.stage("align", "Aligning to the model's template", 0.12):
            template = read_float_image(bundle.template)
            alignment, fit = _aligned(study, template, settings.anyway, run)
            scored, unscored = _seen(study, template, alignment, run)
            image, ct_image = model_input(study, template, alignment, bundle.intensity)
        with run.stage("heal", "Healing what the model finds unlikely", 0.5):
            from PETAnomalyLib.engine import maps  # torch; what was wrong so far needed none

            judgement = Judgement(bundle, template, settings.anyway, run)
            healing, device = maps.heal(
                model, image, ct_image, resolved, settings.device, run, judgement, schedule
            )
            scored = judgement.marked(scored, alignment)
            reporter.check_cancelled()
        with run.stage("score", "Decoding and scoring every voxel", 0.82):
            keep = partial / "reconstructions.npz" if settings.keep_reconstructions else None
            scores = maps.score(model, image, healing, resolved, keep, run)
            on_pet_grid = {
                name: to_study_grid(
                    _like(template, score), study.pet, alignment, float(score.min())
                )
                for name, score in scores.items()
            }
        with run.stage("delineate", "Drawing and measuring the findings", 0.88):
            score_image = on_pet_grid[resolved.scorer]
            delineation = delineate(
                score_image,
                study.pet,
                resolved.threshold,
                grow=resolved.grow or None,
                min_volume_ml=resolved.min_volume_ml,
                scored_mask=scored,
            )
            findings = measure(
                delineation.labels, study.pet, score_image, delineation.growth_limited, scored
            )
            placing = Placing(bundle.region_atlas, alignment, known_organs, study.pet)
            run.warn(*placing.warnings)
            further = placing.columns(delineation.labels, findings)
        with run.stage("write", "Writing the results", 0.99):
            _write_images(partial, {**on_pet_grid, "scored_mask": scored})
            write_segmentation(partial / "segmentation.seg.nrrd", delineation.labels, findings)
            write_csv(partial / "findings.csv", findings, further)
            if source is not None:
                _write_dicom(
                    partial,
                    delineation.labels,
                    _judged(findings, further),
                    source,
                    bundle,
                    resolved,
                )
            overview(
                partial / "overview.png",
                study.pet,
                score_image,
                resolved.scorer,
                delineation.labels,
                findings,
                truth=truth,
                title=told.title(pet, bundle.title),
                threshold=resolved.threshold,
            )
            reporter.check_cancelled()
        write_report(
            partial / "report.json",
            inputs=told.description(study.description),
            bundle=bundle,
            model_path=told.model_path(bundle.path),
            settings=asdict(resolved),
            alignment=alignment,
            fit={**fit.report(), **judgement.report()},
            body_not_scored=unscored,
            drawn=schedule.report(),
            healing=healing,
            findings=findings,
            reference=placing.references.report(),
            warnings=[told.sentence(warning) for warning in run.warnings],
            device=device,
            seconds=run.seconds,
        )
    reporter.progress(1.0)
    reporter.result(out)
    return out


def _read(bundle: Bundle, pet: Path, ct: Path | None, run: Stages) -> Study:
    study = read_study(pet, ct if bundle.ct == "required" else None)
    tracer = study.description["pet"]["tracer"]
    run.warn(*tracer_warnings(tracer, bundle.tracer, bundle.name))
    if ct is not None and bundle.ct != "required":
        run.warn(f"the model '{bundle.name}' looks at PET alone: the CT is not used")
    run.warn(*study.warnings)
    return study


def _read_organs(path: Path, study: Study, run: Stages) -> Organs:
    """The organs; the study's description says which they are."""
    organs, study.description["organs"], warnings = read_organs(path, study.pet)
    run.warn(*warnings)
    return organs


def _write_images(folder: Path, images: Mapping[str, sitk.Image]) -> None:
    for name, image in images.items():
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"), useCompression=True)


def _judged(
    findings: Sequence[Finding], further: Mapping[str, Sequence[float | str]]
) -> tuple[Judged, ...]:
    """For DICOM: as no reader has seen them."""
    sites = further.get(SITE, [""] * len(findings))
    return tuple(Judged(one, site=str(site)) for one, site in zip(findings, sites))


def _source(study: Study, settings: DetectionSettings) -> Source | None:
    """What DICOM results are about, where they are wanted.

    Raises:
        InputError: they cannot be made of this PET: said before minutes are spent.
    """
    if not settings.dicom:
        return None
    return source_of(study, has_ct=study.ct is not None, anonymous=settings.anonymous)


def _write_dicom(
    folder: Path,
    labels: sitk.Image,
    judged: tuple[Judged, ...],
    source: Source,
    bundle: Bundle,
    resolved: ResolvedSettings,
) -> None:
    from PETAnomalyLib.engine.dicom_results.writing import write_objects  # highdicom, an extra

    version = versions().get("petanomaly", __version__)
    detector = Detector(version, bundle.name, bundle.sha256, asdict(resolved))
    write_objects(folder, Reading(labels, judged, detector, source))


def _aligned(
    study: Study, template: sitk.Image, anyway: bool, run: Stages
) -> tuple[Alignment, StudyFit]:
    """Where the study lies in the model's frame; what does not fit is refused or warned of."""
    alignment = align(study.pet, template, anyway)
    fit = study_fit(study, template, alignment)
    run.warn_first(*alignment.warnings, *spoken(fit.doubts, anyway))
    return alignment, fit


def _seen(
    study: Study, template: sitk.Image, alignment: Alignment, run: Stages
) -> tuple[sitk.Image, float]:
    """The mask of what the model can see, and the share of the body that it cannot."""
    scored = scored_mask(study.pet, template, alignment)
    unscored, warnings = unscored_body(study.pet, scored)
    run.warn(*warnings)
    return scored, unscored


def _like(template: sitk.Image, array: npt.NDArray[np.generic]) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(template)
    return image


def _phantom_truth(path: Path, pet: sitk.Image, run: Stages) -> sitk.Image | None:
    """The lesions of a synthetic phantom, which lie beside its PET; never of a real scan."""
    truth = path.parent / "SEG.nii.gz"
    if path.name != "SUV.nii.gz" or not (path.parent / "description.json").exists():
        return None
    if not truth.exists():
        return None
    try:
        lesions, warnings = read_lesions(truth, pet)
    except InputError as error:
        run.warn(f"the phantom's lesions are not drawn: {error.message}")
        return None
    run.warn(*warnings)
    return _like(pet, lesions.astype(np.uint8))

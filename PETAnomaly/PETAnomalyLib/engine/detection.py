"""The pipeline of `petanomaly detect`: read, align, heal, score, delineate, measure, write.

A study flows straight down this file. Everything random comes from the seed; everything that was
decided is written into `report.json`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings, ResolvedSettings, resolve
from PETAnomalyLib.engine.families.fallback import heal_within_memory, smaller_pieces
from PETAnomalyLib.engine.families.healer import Healing, HealingRequest
from PETAnomalyLib.engine.figures.overview import overview
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.measures import measure, write_csv
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.field_of_view import scored_mask, unscored_body
from PETAnomalyLib.engine.frame.grids import to_study_grid
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.report import write_report
from PETAnomalyLib.engine.runtime.devices import choose_device, is_out_of_memory, use_physical_cores
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import output_folder
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.scoring.reconstructions_file import reconstructions_file
from PETAnomalyLib.engine.scoring.scoring import Array, score_tiles
from PETAnomalyLib.engine.study.study import read_study


def detect(
    pet: Path, ct: Path | None, out: Path, settings: DetectionSettings, reporter: Reporter
) -> Path:
    """Find what does not belong in a PET(/CT) study and write the result folder.

    Args:
        pet: image file in SUVbw or DICOM folder.
        ct: the same in HU, or None.
        out: the folder to fill; see DESIGN section 4 for the files.
        settings: what the user chose.
        reporter: told of stages and progress; asked whether to stop.

    Returns:
        `out`.

    Raises:
        InputError, BundleError: unusable input, settings, bundle or output folder.
        OutOfMemoryError: not even the smallest pieces on the CPU fit.
        Cancelled: the run was asked to stop; nothing is left behind.
    """
    bundle = find_bundle(settings.model)
    resolved = resolve(settings, bundle)
    if bundle.ct == "required" and ct is None:
        raise InputError(
            f"the model '{bundle.name}' needs the CT of the study",
            "give it with --ct, or choose a model for PET alone such as pet-phantom",
        )
    device = choose_device(settings.device)
    use_physical_cores()
    run = _Stages(reporter)
    with output_folder(out) as partial:
        with run.stage("read", "Reading the study", 0.05):
            study = read_study(pet, ct if bundle.ct == "required" else None)
            if ct is not None and bundle.ct != "required":
                run.warn(f"the model '{bundle.name}' looks at PET alone: the CT is not used")
            run.warn(*study.warnings)
        with run.stage("align", "Aligning to the model's template", 0.12):
            template = sitk.ReadImage(str(bundle.template), sitk.sitkFloat32)
            alignment = align(study.pet, template)
            scored = scored_mask(study.pet, template, alignment)
            unscored, unscored_warnings = unscored_body(study.pet, scored)
            run.warn(*alignment.warnings, *unscored_warnings)
            image, ct_image = model_input(study, template, alignment, bundle.intensity)
        with run.stage("heal", "Healing what the model finds unlikely", 0.5):
            healing, used_device = _heal(bundle, image, ct_image, resolved, device, run)
            reporter.check_cancelled()
        with run.stage("score", "Decoding and scoring every voxel", 0.82):
            keep = partial / "reconstructions.npz" if settings.keep_reconstructions else None
            maps = _score(bundle, image, healing, resolved, keep, run)
            on_pet_grid = {
                name: to_study_grid(
                    _like(template, score), study.pet, alignment, float(score.min())
                )
                for name, score in maps.items()
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
                delineation.labels, study.pet, score_image, delineation.growth_limited
            )
        with run.stage("write", "Writing the results", 0.99):
            for name, score in on_pet_grid.items():
                sitk.WriteImage(score, str(partial / f"{name}.nii.gz"), useCompression=True)
            sitk.WriteImage(scored, str(partial / "scored_mask.nii.gz"), useCompression=True)
            write_segmentation(partial / "segmentation.seg.nrrd", delineation.labels, findings)
            write_csv(partial / "findings.csv", findings)
            overview(
                partial / "overview.png",
                study.pet,
                score_image,
                resolved.scorer,
                delineation.labels,
                findings,
                truth=_phantom_truth(pet),
                title=f"{pet.name} - {bundle.title}",
                threshold=resolved.threshold,
            )
            reporter.check_cancelled()
        write_report(
            partial / "report.json",
            inputs=study.description,
            bundle=bundle,
            settings=asdict(resolved),
            alignment=alignment,
            body_not_scored=unscored,
            healing=healing,
            findings=findings,
            warnings=run.warnings,
            device=used_device,
            seconds=run.seconds,
        )
    reporter.progress(1.0)
    reporter.result(out)
    return out


class _Stages:
    """Which stage a run is in, how long each took, and what the user was warned of."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []

    def warn(self, *messages: str) -> None:
        for message in messages:
            self.warnings.append(message)
            self.reporter.log("warning", message)

    @contextmanager
    def stage(self, name: str, label: str, done_after: float) -> Iterator[None]:
        self.reporter.check_cancelled()
        self.reporter.stage(name, label)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)
        self.reporter.progress(done_after)


def _heal(
    bundle: Bundle,
    image: Array,
    ct: Array | None,
    resolved: ResolvedSettings,
    device: torch.device,
    run: _Stages,
) -> tuple[Healing, torch.device]:
    request = HealingRequest(
        resolved.samples,
        resolved.decodes,
        resolved.seed,
        resolved.resampling_threshold,
        samples_at_once=resolved.samples,
    )

    def on_progress(share: float) -> None:
        run.reporter.check_cancelled()
        run.reporter.progress(0.12 + 0.38 * share)

    return heal_within_memory(bundle, device, image, ct, request, on_progress, run.warn)


def _score(
    bundle: Bundle,
    image: Array,
    healing: Healing,
    resolved: ResolvedSettings,
    keep: Path | None,
    run: _Stages,
) -> dict[str, Array]:
    """The maps in the model frame; the reconstructions go into the file `keep`, if given."""

    def on_progress(share: float) -> None:
        run.reporter.check_cancelled()
        run.reporter.progress(0.5 + 0.3 * share)

    with ExitStack() as while_scoring:
        file = None
        if keep is not None:
            shape = (healing.decoded.count, *healing.decoded.shape)
            file = while_scoring.enter_context(reconstructions_file(keep, shape))
        decoded = healing.decoded
        while True:
            tiles = decoded.tiles(on_progress)
            try:
                maps = score_tiles(
                    image,
                    tiles if file is None else file.following(tiles),
                    scorers=bundle.scorers,
                    min_bandwidth=resolved.min_bandwidth,
                    epsilon_percentile=resolved.epsilon_percentile,
                    elevated_only=resolved.elevated_only,
                )
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            decoded = smaller_pieces(decoded, run.warn)
        if file is not None:
            file.finish({"image": image, **maps, **_of_tokens(healing)})
    return maps


def _of_tokens(healing: Healing) -> dict[str, Array]:
    if healing.token_log_likelihood is None or healing.resampling_mask is None:
        return {}
    return {
        "token_log_likelihood": healing.token_log_likelihood.astype(np.float32),
        "resampling_mask": healing.resampling_mask.astype(np.float32),
    }


def _like(template: sitk.Image, array: Array) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(template)
    return image


def _phantom_truth(pet: Path) -> sitk.Image | None:
    """The lesions of a synthetic phantom, which lie beside its PET; never of a real scan."""
    truth = pet.parent / "SEG.nii.gz"
    if pet.name != "SUV.nii.gz" or not (pet.parent / "description.json").exists():
        return None
    return sitk.ReadImage(str(truth)) if truth.exists() else None

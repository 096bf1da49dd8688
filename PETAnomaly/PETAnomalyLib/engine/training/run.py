"""`petanomaly train`: one stage of one model, from a cohort to weights.

Runs of one model lie side by side: `<models>/template.nii.gz`, `<models>/aligned/` and
`<models>/tokens/` are made by whichever stage runs first and shared by all; `<models>/<run>/` holds
a stage's `config.json`, `checkpoint.pt`, the curves (`log.jsonl`, `curves.png`, `tensorboard/`), a
picture of what it makes of held-out studies and, at the end, `weights.safetensors`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Union

import torch
from safetensors.torch import save_file
from torch import nn

from PETAnomalyLib.engine.cohort_layout import CohortStudy, find_studies
from PETAnomalyLib.engine.errors import InputError
from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.networks.autoencoder import AutoencoderSizes
from PETAnomalyLib.engine.networks.performer import PerformerSizes
from PETAnomalyLib.engine.networks.registry import build_network, load_weights
from PETAnomalyLib.engine.networks.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.training.autoencoder import AutoencoderSettings, train_autoencoder
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.cohort import (
    AlignedStudy,
    aligned_studies,
    split_by_patient,
)
from PETAnomalyLib.engine.training.configuration import read_configuration
from PETAnomalyLib.engine.training.encoded_studies import EncodedStudies, Encoder
from PETAnomalyLib.engine.training.processes import QuietReporter, join_processes
from PETAnomalyLib.engine.training.template import build_template
from PETAnomalyLib.engine.training.transformer import TransformerSettings, train_transformer
from PETAnomalyLib.engine.training.vqgan import VQGANSettings, train_vqgan

TEMPLATE_STUDIES = 12
VALIDATION_SHARE = 0.08
SPLIT_SEED = 0

Settings = Union[VQGANSettings, TransformerSettings, AutoencoderSettings]
SETTINGS: Mapping[str, tuple[type[Any], type[Any]]] = {
    "vqgan": (VQGANSettings, VQGANSizes),
    "transformer": (TransformerSettings, PerformerSizes),
    "autoencoder": (AutoencoderSettings, AutoencoderSizes),
}
# Keys of the transformer's section that name the runs whose tokens it learns.
ENCODERS = ("pet_vqgan", "ct_vqgan")


def train(
    stage: str,
    cohort: Path,
    config: Path,
    out: Path,
    minutes: float | None,
    resume: bool,
    reporter: Reporter,
) -> Path:
    """Train one stage and write its weights.

    Args:
        stage: one of `SETTINGS`.
        cohort: folder in the autoPET layout.
        config: JSON file with the sections `frame`, `intensity` and the stage's own.
        out: the run's folder.
        minutes: stop after this time in all sessions together.
        resume: go on from the run's checkpoint.
        reporter: told of the progress.

    Returns:
        The weights, a safetensors file.

    Raises:
        InputError: an unusable cohort or configuration, a run that exists already.
    """
    configuration = read_configuration(config)
    settings = _settings(stage, configuration)  # before an hour is spent on the cohort
    fabric = join_processes()
    if not fabric.is_global_zero:
        reporter = QuietReporter(reporter)
    with fabric.rank_zero_first():  # it makes what the others then find
        if fabric.is_global_zero:
            _begin(config, out, resume, reporter)
        studies = _prepare(cohort, stage, configuration, out.parent, reporter)
    reporter.stage(stage, f"Training {stage}")
    run = Run(out, settings.steps, minutes, fabric)
    network = _train_stage(settings, configuration[stage], studies, run, resume, reporter)
    weights = out / "weights.safetensors"
    if fabric.is_global_zero:
        partial = weights.with_suffix(".partial")
        save_file({name: x.contiguous() for name, x in network.state_dict().items()}, partial)
        partial.replace(weights)
        reporter.log("info", f"Wrote {weights}")
    return weights


def _begin(config: Path, out: Path, resume: bool, reporter: Reporter) -> None:
    begun = (out / "checkpoint.pt").exists()
    if begun and not resume:
        raise InputError(
            f"{out} holds a training run already", "go on with --resume, or choose another --out"
        )
    if resume and not begun:
        # As where a job was stopped before its first checkpoint: started again, it must not fail.
        reporter.log(
            "info", f"There is nothing to resume in {out} yet: starting from the beginning"
        )
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(config, out / "config.json")


def _prepare(
    cohort: Path, stage: str, settings: dict[str, Any], models: Path, reporter: Reporter
) -> list[list[AlignedStudy]]:
    """Training and validation studies, aligned to the template that all runs beside share."""
    studies = find_studies(cohort)
    _require_inputs(settings[stage], studies, models)
    training, validation = split_by_patient(studies, VALIDATION_SHARE, SPLIT_SEED)
    template = models / "template.nii.gz"
    if not template.exists():
        build_template(training[:TEMPLATE_STUDIES], settings["frame"], template, reporter)
    return [
        aligned_studies(part, template, settings["intensity"], models / "aligned", reporter)
        for part in (training, validation)
    ]


def _require_inputs(section: Mapping[str, Any], studies: list[CohortStudy], models: Path) -> None:
    """What the stage cannot do without, before hours are spent on aligning the cohort."""
    without = [study.name for study in studies if study.ct is None]
    if without and (section.get("modality") == "ct" or section.get("ct_vqgan")):
        raise InputError(
            f"{len(without)} of the cohort's {len(studies)} studies have no CT: "
            f"{', '.join(without[:3])}",
            "leave them out of the cohort, or train a model without CT",
        )
    for key in ENCODERS:
        if section.get(key):
            load_vqgan(models / section[key])


def _train_stage(
    settings: Settings,
    section: Mapping[str, Any],
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> nn.Module:
    if isinstance(settings, VQGANSettings):
        training, validation = ([getattr(s, settings.modality) for s in part] for part in studies)
        return train_vqgan(settings, training, validation, run, resume, reporter)
    if isinstance(settings, AutoencoderSettings):
        training, validation = ([s.pet for s in part] for part in studies)
        return train_autoencoder(settings, training, validation, run, resume, reporter)
    models, device = run.folder.parent, run.fabric.device
    pet = _encoder(models / section["pet_vqgan"], device)
    ct = _encoder(models / section["ct_vqgan"], device) if section.get("ct_vqgan") else None
    encoded = [EncodedStudies(s, pet, ct, settings.variants) for s in studies]
    return train_transformer(settings, encoded[0], encoded[1], run, resume, reporter)


def _encoder(run: Path, device: torch.device) -> Encoder:
    return Encoder(load_vqgan(run).to(device), run.parent / "tokens")


def load_vqgan(run: Path) -> VQGAN:
    """The network of a finished `vqgan` run.

    Raises:
        InputError: the run has no weights yet.
    """
    weights = run / "weights.safetensors"
    if not weights.exists():
        raise InputError(f"{run} has no weights.safetensors", "train its vqgan stage to the end")
    network = build_network("vqgan", read_configuration(run / "config.json")["vqgan"]["sizes"])
    return load_weights(network, weights)  # type: ignore[return-value]  # by its name


def _settings(stage: str, settings: Mapping[str, Any]) -> Settings:
    for key in ("frame", "intensity", stage):
        if key not in settings:
            raise InputError(f"the configuration has no section '{key}'")
    if stage == "transformer" and not settings[stage].get("pet_vqgan"):
        raise InputError("the configuration's transformer names no 'pet_vqgan' run")
    kind, sizes = SETTINGS[stage]
    values = {k: v for k, v in settings[stage].items() if k not in ENCODERS}
    known = {field.name for field in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError(
            f"the configuration has an unknown key '{unknown[0]}'",
            f"known here: {', '.join(sorted(known))}",
        )
    try:
        return kind(**{**_with_tuples(values), "sizes": sizes(**_with_tuples(values["sizes"]))})
    except (TypeError, KeyError) as error:
        raise InputError(f"the configuration does not fit: {error}") from error


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}

"""`petanomaly train`: one stage of one model, from a cohort to weights.

Runs of one model lie side by side: `<models>/template.nii.gz`, `<models>/aligned/` and
`<models>/tokens/` are made by whichever stage runs first and shared by all; `<models>/<run>/` holds
a stage's `config.json`, `checkpoint.pt`, `log.jsonl` and, at the end, `weights.safetensors`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import save_file
from torch import nn

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
from PETAnomalyLib.engine.training.cohort_layout import find_studies
from PETAnomalyLib.engine.training.encoded_studies import EncodedStudies, Encoder
from PETAnomalyLib.engine.training.template import build_template
from PETAnomalyLib.engine.training.transformer import TransformerSettings, train_transformer
from PETAnomalyLib.engine.training.vqgan import VQGANSettings, train_vqgan

STAGES = ("vqgan", "transformer", "autoencoder")
TEMPLATE_STUDIES = 12
VALIDATION_SHARE = 0.08
SPLIT_SEED = 0

Section = TypeVar("Section")


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
        stage: one of `STAGES`.
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
    settings = _read(config)
    if (out / "checkpoint.pt").exists() and not resume:
        raise InputError(
            f"{out} holds a training run already", "go on with --resume, or choose another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(config, out / "config.json")
    training, validation = split_by_patient(find_studies(cohort), VALIDATION_SHARE, SPLIT_SEED)
    template = out.parent / "template.nii.gz"
    if not template.exists():
        build_template(training[:TEMPLATE_STUDIES], settings["frame"], template, reporter)
    cache = out.parent / "aligned"
    studies = [
        aligned_studies(part, template, settings["intensity"], cache, reporter)
        for part in (training, validation)
    ]
    reporter.stage(stage, f"Training {stage}")
    network = _train_stage(stage, settings, studies, out, minutes, resume, reporter)
    weights = out / "weights.safetensors"
    save_file({name: x.contiguous() for name, x in network.state_dict().items()}, weights)
    return weights


def _train_stage(
    stage: str,
    settings: dict[str, Any],
    studies: list[list[AlignedStudy]],
    out: Path,
    minutes: float | None,
    resume: bool,
    reporter: Reporter,
) -> nn.Module:
    section = dict(settings[stage])
    if stage == "vqgan":
        vqgan = _section(VQGANSettings, VQGANSizes, section)
        training, validation = ([getattr(s, vqgan.modality) for s in part] for part in studies)
        run = Run(out, vqgan.steps, minutes)
        return train_vqgan(vqgan, training, validation, run, resume, reporter)
    if stage == "autoencoder":
        autoencoder = _section(AutoencoderSettings, AutoencoderSizes, section)
        training, validation = ([s.pet for s in part] for part in studies)
        run = Run(out, autoencoder.steps, minutes)
        return train_autoencoder(autoencoder, training, validation, run, resume, reporter)
    cache = out.parent / "tokens"
    pet = Encoder(load_vqgan(out.parent / section.pop("pet_vqgan")), cache)
    ct_run = section.pop("ct_vqgan", None)
    ct = Encoder(load_vqgan(out.parent / ct_run), cache) if ct_run else None
    transformer = _section(TransformerSettings, PerformerSizes, section)
    encoded = [EncodedStudies(s, pet, ct, transformer.variants) for s in studies]
    run = Run(out, transformer.steps, minutes)
    return train_transformer(transformer, encoded[0], encoded[1], run, resume, reporter)


def load_vqgan(run: Path) -> VQGAN:
    """The network of a finished `vqgan` run.

    Raises:
        InputError: the run has no weights yet.
    """
    weights = run / "weights.safetensors"
    if not weights.exists():
        raise InputError(f"{run} has no weights.safetensors", "train its vqgan stage to the end")
    network = build_network("vqgan", _read(run / "config.json")["vqgan"]["sizes"])
    return load_weights(network, weights)  # type: ignore[return-value]  # by its name


def _section(settings: type[Section], sizes: type, values: Mapping[str, Any]) -> Section:
    known = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError(
            f"the configuration has an unknown key '{unknown[0]}'",
            f"known here: {', '.join(sorted(known))}",
        )
    try:
        return settings(**{**_with_tuples(values), "sizes": sizes(**_with_tuples(values["sizes"]))})
    except TypeError as error:
        raise InputError(f"the configuration does not fit: {error}") from error


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}


def _read(config: Path) -> dict[str, Any]:
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"the configuration {config} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise InputError(f"the configuration {config} is not a JSON object")
    return settings

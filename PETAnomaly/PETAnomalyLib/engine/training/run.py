"""`petanomaly train`: one stage of one model, from a cohort to weights.

Runs of one model lie side by side: `<models>/template.nii.gz`, `<models>/aligned/` and
`<models>/tokens/` are made by whichever stage runs first and shared by all; `<models>/<run>/` holds
a stage's `config.json`, `checkpoint.pt`, the curves (`log.jsonl`, `curves.png`, `tensorboard/`), a
picture of what it makes of held-out studies and, at the end, `weights.safetensors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from PETAnomalyLib.engine.cohort_layout import find_studies, require_ct
from PETAnomalyLib.engine.errors import InputError
from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.networks.registry import build_network, load_weights
from PETAnomalyLib.engine.networks.vqgan import VQGAN
from PETAnomalyLib.engine.output_file import write_whole
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
from PETAnomalyLib.engine.training.stage_configuration import (
    Settings,
    StageConfiguration,
    check_same_run,
    check_what_lies_beside,
    read_stage,
)
from PETAnomalyLib.engine.training.template import build_template
from PETAnomalyLib.engine.training.transformer import train_transformer
from PETAnomalyLib.engine.training.vqgan import VQGANSettings, train_vqgan

TEMPLATE_STUDIES = 12
VALIDATION_SHARE = 0.08
SPLIT_SEED = 0


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
        stage: `vqgan`, `transformer` or `autoencoder`.
        cohort: folder in the autoPET layout.
        config: JSON file with the sections `frame`, `intensity` and the stage's own.
        out: the run's folder.
        minutes: stop after this time in all sessions together.
        resume: go on from the run's checkpoint.
        reporter: told of the progress.

    Returns:
        The weights, a safetensors file.

    Raises:
        InputError: an unusable cohort or configuration, a run that exists already, a folder that
            cannot be written.
    """
    configuration = read_stage(config, stage)
    fabric = join_processes()
    if not fabric.is_global_zero:
        reporter = QuietReporter(reporter)
    # The first process makes what the others then find. What the stage cannot do without is looked
    # for before the cohort is aligned, which takes hours.
    with fabric.rank_zero_first():
        if fabric.is_global_zero:
            _begin(configuration, config, out, resume, reporter)
        check_what_lies_beside(configuration, out.parent)
        vqgans = {key: load_vqgan(out.parent / run) for key, run in configuration.encoders.items()}
        studies = _prepare(cohort, configuration, out.parent, reporter)
    reporter.stage(stage, f"Training {stage}")
    run = Run(out, configuration.settings.steps, minutes, fabric)
    network = _train_stage(configuration.settings, vqgans, studies, run, resume, reporter)
    weights = out / "weights.safetensors"
    if fabric.is_global_zero:
        partial = weights.with_suffix(".partial")
        save_file({name: x.contiguous() for name, x in network.state_dict().items()}, partial)
        partial.replace(weights)
        reporter.log("info", f"Wrote {weights}")
    return weights


def _begin(
    configuration: StageConfiguration, config: Path, out: Path, resume: bool, reporter: Reporter
) -> None:
    begun = (out / "checkpoint.pt").exists()
    if begun and not resume:
        raise InputError(
            f"{out} holds a training run already", "go on with --resume, or choose another --out"
        )
    if begun:
        check_same_run(configuration, out)
    elif resume:
        # As where a job was stopped before its first checkpoint: started again, it must not fail.
        reporter.log(
            "info", f"There is nothing to resume in {out} yet: starting from the beginning"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Which may be the very same file. A kill must not leave half of it: --resume reads it.
        write_whole(out / "config.json", config.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"The run's folder {out} cannot be written: {error.strerror or error}.",
            "Choose a folder that you may write to.",
        ) from error


def _prepare(
    cohort: Path, configuration: StageConfiguration, models: Path, reporter: Reporter
) -> list[list[AlignedStudy]]:
    """Training and validation studies, aligned to the template that all runs beside share."""
    studies = find_studies(cohort)
    if configuration.needs_ct:
        require_ct(studies, "train a model without CT")
    training, validation = split_by_patient(studies, VALIDATION_SHARE, SPLIT_SEED)
    template = models / "template.nii.gz"
    if not template.exists():
        build_template(training[:TEMPLATE_STUDIES], configuration.frame, template, reporter)
    return [
        aligned_studies(part, template, configuration.intensity, models / "aligned", reporter)
        for part in (training, validation)
    ]


def _train_stage(
    settings: Settings,
    vqgans: Mapping[str, VQGAN],
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
    tokens = run.folder.parent / "tokens"
    encoders = {key: Encoder(vqgan.to(run.fabric.device), tokens) for key, vqgan in vqgans.items()}
    pet, ct = encoders["pet_vqgan"], encoders.get("ct_vqgan")
    encoded = [EncodedStudies(s, pet, ct, settings.variants) for s in studies]
    return train_transformer(settings, encoded[0], encoded[1], run, resume, reporter)


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

"""`petanomaly train`: one stage of one model, from a cohort to weights.

Runs of one model lie side by side: `<models>/template.nii.gz`, `<models>/aligned/` and
`<models>/tokens/` are made by whichever stage runs first and shared by all; `<models>/<run>/` holds
a stage's `config.json`, `checkpoint.pt`, the curves (`log.jsonl`, `curves.png`, `tensorboard/`), a
picture of what it makes of held-out studies and, at the end, `weights.safetensors`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from safetensors.torch import save_file

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import write_whole
from PETAnomalyLib.engine.runtime.reporter import QuietReporter, Reporter
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies, require_ct
from PETAnomalyLib.engine.study.picture_cohort import find_category
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.cohort import (
    aligned_studies,
    aligned_study_files,
    split_by_patient,
)
from PETAnomalyLib.engine.training.configuration import (
    check_same_run,
    load_what_lies_beside,
    read_stage,
)
from PETAnomalyLib.engine.training.head_cohort import aligned_heads, find_heads
from PETAnomalyLib.engine.training.head_template import MASK_NAME, build_head_template
from PETAnomalyLib.engine.training.pictures import training_pictures
from PETAnomalyLib.engine.training.processes import join_processes
from PETAnomalyLib.engine.training.stage import StageConfiguration
from PETAnomalyLib.engine.training.stream_settings import StreamSettings, begin_stream
from PETAnomalyLib.engine.training.streamed_phantoms import prepared_phantoms
from PETAnomalyLib.engine.training.streamed_scans import ScanSource
from PETAnomalyLib.engine.training.study_stream import Source, StudyStream, study_stream
from PETAnomalyLib.engine.training.template import build_template

TEMPLATE_STUDIES = 12
VALIDATION_SHARE = 0.08
SPLIT_SEED = 0


def train(
    stage: str,
    cohort: Path | None,
    config: Path,
    out: Path,
    minutes: float | None,
    resume: bool,
    reporter: Reporter,
    stream: StreamSettings | None = None,
) -> Path:
    """Train one stage and write its weights.

    Args:
        stage: one of `bundles.kinds.STAGES`, such as `vqgan`.
        cohort: of PET, see `find_studies`, of brain MR, see `find_brain_studies`, or one category
            of pictures, see `find_category`; None: phantoms, of a stream.
        config: JSON file with the sections `frame`, `intensity` and the stage's own.
        out: the run's folder.
        minutes: stop after this time in all sessions together.
        resume: go on from the run's checkpoint.
        reporter: told of the progress.
        stream: how studies are made while the network is trained; None: they are the cohort's.

    Returns:
        The weights, a safetensors file.

    Raises:
        InputError: an unusable cohort or configuration, a run that exists already, a folder that
            cannot be written.
    """
    configuration = read_stage(config, stage)
    prepare = _prepared(configuration, cohort, stream)
    fabric = join_processes()
    if not fabric.is_global_zero:
        reporter = QuietReporter(reporter)
    # The first process makes what the others then find. What the stage cannot do without is looked
    # for before the cohort is aligned, which takes hours.
    with fabric.rank_zero_first():
        if fabric.is_global_zero:
            _begin(configuration, config, out, resume, stream, reporter)
        beside = load_what_lies_beside(configuration, out.parent)
        aligned, source = prepare(out.parent, reporter)
    reporter.stage(stage, f"Training {stage}")
    run = Run(out, configuration.settings.steps, minutes, fabric)
    with _streaming(source, stream, configuration, reporter) as run.stream:
        network = configuration.stage.train(configuration, beside, aligned, run, resume, reporter)
        if run.stream is not None:
            reporter.log("info", f"Waited {run.stream.waited_seconds:.0f} s for studies")
    weights = out / "weights.safetensors"
    if fabric.is_global_zero:
        partial = weights.with_suffix(".partial")
        save_file({name: x.contiguous() for name, x in network.state_dict().items()}, partial)
        partial.replace(weights)
        reporter.log("info", f"Wrote {weights}")
    return weights


def _begin(
    configuration: StageConfiguration,
    config: Path,
    out: Path,
    resume: bool,
    stream: StreamSettings | None,
    reporter: Reporter,
) -> None:
    try:
        begun = (out / "checkpoint.pt").exists()
    except OSError as error:
        raise _unwritable(out, error) from error
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
        begin_stream(stream, out, begun)
        # Which may be the very same file. A kill must not leave half of it: --resume reads it.
        write_whole(out / "config.json", config.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(
        f"The run's folder {out} cannot be written: {error.strerror or error}.",
        "Choose a folder that you may write to.",
    )


Prepare = Callable[[Path, Reporter], tuple[list[list[AlignedStudy]], Source | None]]
"""Training and validation studies, aligned to the template that all runs of a folder share; of a
stream none of the training, and where they come from."""


def _prepared(
    configuration: StageConfiguration, cohort: Path | None, stream: StreamSettings | None
) -> Prepare:
    """Looks for the studies now, before anything is written; what it gives aligns them."""
    if stream is not None:
        _check_stream(configuration)
        return _prepared_stream(configuration, cohort, stream)
    if cohort is None:
        raise InputError("training needs studies", "give --cohort, or phantoms with --stream")
    prepare = _prepared_cohort(configuration, cohort)
    return lambda models, reporter: (prepare(models, reporter), None)


def _check_stream(configuration: StageConfiguration) -> None:
    """Raises:
    InputError: the stage cannot be trained on a stream, or not with these settings.
    """
    stage = configuration.stage
    if not stage.of_stream or configuration.of_pictures or configuration.contrast:
        raise InputError(
            f"{configuration.file.document.name}: its stage '{stage.name}' has no --stream.",
            "Leave it out; vqgan, transformer and autoencoder of PET and PET/CT have it.",
        )
    if getattr(configuration.settings, "gamma", None) is not None:
        raise configuration.section.error("gamma", "is of epochs, and a stream has none")


def _prepared_stream(
    configuration: StageConfiguration, cohort: Path | None, stream: StreamSettings
) -> Prepare:
    frame, intensity = configuration.frame, configuration.intensity
    if cohort is None:

        def phantoms(models: Path, reporter: Reporter) -> tuple[list[list[AlignedStudy]], Source]:
            first, healthy, processes = stream.seed, stream.healthy, stream.processes
            validation, source = prepared_phantoms(
                first, healthy, frame, intensity, models, processes, reporter
            )
            return [[], validation], source

        return phantoms
    studies = _studies_of(configuration, cohort)

    def scans(models: Path, reporter: Reporter) -> tuple[list[list[AlignedStudy]], Source]:
        training, validation = split_by_patient(studies, VALIDATION_SHARE, SPLIT_SEED)
        template, cache = _template(training, configuration, models, reporter), models / "aligned"
        files = aligned_study_files(training, template, intensity, cache, reporter)
        held_out = aligned_studies(validation, template, intensity, cache, reporter)
        return [[], held_out], ScanSource(tuple(files), stream.seed)

    return scans


def _streaming(
    source: Source | None,
    stream: StreamSettings | None,
    configuration: StageConfiguration,
    reporter: Reporter,
) -> AbstractContextManager[StudyStream | None]:
    if source is None or stream is None:
        return nullcontext()
    reporter.log("info", f"Training on {stream.words}")
    items = configuration.settings.steps * configuration.settings.batch
    return study_stream(source, stream.seen, stream.processes, items, reporter)


def _prepared_cohort(
    configuration: StageConfiguration, cohort: Path
) -> Callable[[Path, Reporter], list[list[AlignedStudy]]]:
    if configuration.of_pictures:
        category = find_category(cohort)
        return lambda _, reporter: training_pictures(category, configuration.size, reporter)
    if configuration.contrast:
        heads = find_heads(cohort, configuration.contrast)
        return lambda models, reporter: _prepare_heads(heads, configuration, models, reporter)
    studies = _studies_of(configuration, cohort)
    return lambda models, reporter: _prepare(studies, configuration, models, reporter)


def _studies_of(configuration: StageConfiguration, cohort: Path) -> list[CohortStudy]:
    studies = find_studies(cohort)
    if configuration.needs_ct:
        require_ct(studies, "train a model without CT")
    return studies


def _prepare(
    studies: list[CohortStudy],
    configuration: StageConfiguration,
    models: Path,
    reporter: Reporter,
) -> list[list[AlignedStudy]]:
    training, validation = split_by_patient(studies, VALIDATION_SHARE, SPLIT_SEED)
    template = _template(training, configuration, models, reporter)
    return [
        aligned_studies(part, template, configuration.intensity, models / "aligned", reporter)
        for part in (training, validation)
    ]


def _template(
    training: list[CohortStudy],
    configuration: StageConfiguration,
    models: Path,
    reporter: Reporter,
) -> Path:
    """The template of a folder's runs, made of the first studies where there is none yet."""
    template = models / "template.nii.gz"
    if not template.exists():
        build_template(training[:TEMPLATE_STUDIES], configuration.frame, template, reporter)
    return template


def _prepare_heads(
    heads: list[BrainStudy],
    configuration: StageConfiguration,
    models: Path,
    reporter: Reporter,
) -> list[list[AlignedStudy]]:
    training, validation = split_by_patient(heads, VALIDATION_SHARE, SPLIT_SEED)
    contrast, intensity = configuration.contrast, configuration.intensity
    template, mask = models / "template.nii.gz", models / MASK_NAME
    if not template.exists():
        build_head_template(
            training[:TEMPLATE_STUDIES],
            contrast,
            configuration.frame,
            intensity,
            template,
            reporter,
        )
    if not mask.exists():
        raise InputError(
            f"{template} is of a model of PET: there is no {mask.name} beside it",
            "give a model of MR a folder of its own",
        )
    return [
        aligned_heads(part, contrast, template, mask, intensity, models / "aligned", reporter)
        for part in (training, validation)
    ]

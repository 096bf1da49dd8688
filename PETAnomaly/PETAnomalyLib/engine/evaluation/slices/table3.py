"""`petanomaly evaluate --table3`: paper 3's Tables 5.1 to 5.4, on heads whose lesions are known.

References:
    N. Reddipalli, Evaluation of State-Of-The-Art image generation models in Unsupervised Anomaly
    Detection using Brain MRI, 2022, chapter 5; Table 4.3 for the parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.evaluation.slices import paper2, paper3
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.evaluation.slices.heads import (
    HEALTHY,
    MASS,
    SEEDS,
    STROKE,
    heads_to_judge,
    split_for_threshold,
)
from PETAnomalyLib.engine.evaluation.slices.measuring import (
    MeasuredModel,
    facts_of,
    measure_models,
    require_heads_models,
    with_models,
)
from PETAnomalyLib.engine.evaluation.slices.no_brains import PICTURES, of_one_picture
from PETAnomalyLib.engine.evaluation.slices.no_brains_picture import draw_no_brains
from PETAnomalyLib.engine.evaluation.slices.paper3 import AUPRC, AUROC, DICE_S, DICE_T
from PETAnomalyLib.engine.evaluation.slices.paper3_figures import (
    MEDIAN,
    PIXEL,
    SAMPLE,
    SLICE,
    TABLES_5,
)
from PETAnomalyLib.engine.evaluation.slices.paper_rows import rows_of
from PETAnomalyLib.engine.evaluation.slices.resampling import mean_of, measured
from PETAnomalyLib.engine.evaluation.slices.slice_markdown import against_plain_as_markdown
from PETAnomalyLib.engine.evaluation.slices.slice_table import Claim, SliceTable, write
from PETAnomalyLib.engine.evaluation.slices.table3_markdown import (
    ERROR,
    NO_BRAIN,
    VALIDATION,
    as_markdown,
)
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster
from PETAnomalyLib.engine.scoring.postprocessing import PostProcessing, scaled

HEADS = {kind: SEEDS[kind] for kind in (MASS, STROKE, HEALTHY)}
VALUE, DARKNESS, FROM_TEMPLATE = "intensity", "darkness", "distance from the template's intensity"

CLAIMS = (
    *(Claim("VQGAN", "first", (SAMPLE, disease, AUROC)) for disease in (MASS, STROKE)),
    *(Claim("VAE", "first", (SLICE, disease, AUROC)) for disease in (MASS, STROKE)),
    *(Claim("VQGAN", "first", (PIXEL, disease, DICE_T)) for disease in (MASS, STROKE)),
    *(Claim("VQVAE", "last", (PIXEL, disease, DICE_T)) for disease in (MASS, STROKE)),
    *(Claim("VQGAN", "first", (PIXEL, disease, AUPRC)) for disease in (MASS, STROKE)),
)
"""Sections 5.1 to 5.3 and chapter 7."""


def table3(
    cohort: Path | None,
    healthy: Path | None,
    models: Sequence[str],
    out: Path,
    reporter: Reporter,
    workers: int | Cluster,
) -> str:
    """Make the table, and write `table3.md`, `.csv`, `.json` and `no-brains.png`.

    What is kept in `out` already - phantoms, heads in a model's frame, reconstructions - is used
    again. Of the patients of each disease the first third, by name, gives the threshold, and the
    others are judged, as in the paper.

    Args:
        cohort: brain MR with lesions; None for heads made by seed, in `out`/heads.
        healthy: brain MR without; None for the cohort's own, or such heads.
        models: names or folders of models of brain MR.
        out: where everything goes.
        reporter: told of the progress.
        workers: processes, or a cluster, that make and reconstruct heads.

    Returns:
        The Markdown.

    Raises:
        InputError: a model or a cohort that the table cannot be made of.
    """
    bundles = [find_bundle(model) for model in models]
    contrast = require_heads_models(bundles)
    heads = heads_to_judge(cohort, healthy, out / "heads", HEADS, contrast, reporter, workers)
    groups = {HEALTHY: heads.healthy}
    for disease, studies in heads.by_disease.items():
        groups[VALIDATION + disease], groups[disease] = split_for_threshold(studies)
    models_there = measure_models(bundles, groups, out, reporter, workers, with_no_brains=True)
    return tabulate(models_there, list(heads.by_disease), out, reporter)


def tabulate(
    models: Sequence[MeasuredModel], diseases: Sequence[str], out: Path, reporter: Reporter
) -> str:
    """The table of models whose heads have been reconstructed, written and as Markdown.

    Args:
        models: of one contrast, with the same heads: those of each disease, its validation heads,
            and healthy ones.
        diseases: groups of heads with lesions.
        out: folder of the table's files.
        reporter: asked whether to stop.
    """
    bundles = [model.bundle for model in models]
    found = SliceTable("table3", rows_of(bundles, TABLES_5))
    reporter.stage("judge", "Judging samples, slices and pixels")
    out.mkdir(parents=True, exist_ok=True)
    _judge_errors(found, diseases, models, reporter)
    for number, disease in enumerate(diseases):
        reporter.progress(0.85 + 0.15 * number / len(diseases))
        _judge_pixels(found, disease, models, reporter)
    _judge_no_brains(found, models, out)
    found.facts |= facts_of(found, models)
    judged = found.judge(CLAIMS)
    plain = {d: found.best_against_plain((PIXEL, d, AUPRC)) for d in diseases}
    both = _steps(models[0], paper3.STEPS), _steps(models[0], paper3.SMALLER_MEDIAN)
    markdown = as_markdown(found, diseases, judged, against_plain_as_markdown(plain), both)
    write(found, markdown, judged, plain, out)
    return markdown


def _judge_errors(
    found: SliceTable, diseases: Sequence[str], models: Sequence[MeasuredModel], reporter: Reporter
) -> None:
    """Samples, slices, and the errors themselves."""
    for row, model in with_models(found, models):
        errors = {}
        for group in (*diseases, HEALTHY):
            reporter.check_cancelled()
            errors[group] = [paper3.errors_of(head) for head in model.heads(group)()]
            if errors[group]:
                found.add(ERROR, group, row, paper3.errors_over(errors[group]))
        for disease in diseases:
            if errors[HEALTHY]:
                sample = paper3.by_sample(errors[HEALTHY], errors[disease])
                found.add(SAMPLE, disease, row, sample)
            found.add(SLICE, disease, row, paper3.by_slice(errors[disease]))


def _judge_pixels(
    found: SliceTable, disease: str, models: Sequence[MeasuredModel], reporter: Reporter
) -> None:
    best = (-1.0, models[0])
    for row, model in with_models(found, models):
        for part, paper in ((PIXEL, paper3.STEPS), (MEDIAN, paper3.SMALLER_MEDIAN)):
            reporter.check_cancelled()
            validation, heads = model.heads(VALIDATION + disease), model.heads(disease)
            pixels = paper3.by_pixel(validation, heads, _difference, _steps(model, paper))
            _enter(found, part, disease, row, pixels)
            if part == PIXEL:
                area = pixels.measured.estimates[AUPRC].value
                best = max(best, (area, model), key=lambda one: one[0])
        if model.bundle.normative is not None:
            validation = model.normative_heads(VALIDATION + disease)
            heads = model.normative_heads(disease)
            pixels = paper3.by_pixel(validation, heads, _difference, _steps(model, paper3.STEPS))
            _enter(found, PIXEL, disease, found.normative_row(row), pixels)
    # In the frame of the model that they are compared with.
    model = best[1]
    plain = {VALUE: _value, DARKNESS: _darkness, FROM_TEMPLATE: _difference}
    for name, score_of in plain.items():
        validation = model.template_heads(VALIDATION + disease)
        heads = model.template_heads(disease)
        pixels = paper3.by_pixel(validation, heads, score_of, _steps(model, paper3.STEPS))
        _enter(found, PIXEL, disease, found.plain_row(name), pixels)


def _enter(found: SliceTable, part: str, disease: str, row: str, pixels: paper3.Pixels) -> None:
    found.add(part, disease, row, pixels.measured, **{DICE_S: pixels.spread})
    kept = found.facts.setdefault("thresholds", {}).setdefault(part, {}).setdefault(disease, {})
    kept[row] = {"threshold": pixels.threshold, "validation_dice": pixels.validation_dice}


def _judge_no_brains(found: SliceTable, models: Sequence[MeasuredModel], out: Path) -> None:
    made: dict[str, list[HealedHead]] = {}
    for row, model in with_models(found, models):
        head = model.no_brains()
        made[row] = [of_one_picture(head, picture) for picture in PICTURES]
        for picture, one in zip(PICTURES, made[row]):
            values = {
                "l1": mean_of(np.array([np.abs(one.residual).mean()])),
                "ssim": mean_of(np.array([paper2.ssim_of(one)])),
            }
            found.add(NO_BRAIN, picture, row, measured(values, [1]))
    draw_no_brains(out / "no-brains.png", made)


def _steps(model: MeasuredModel, paper: PostProcessing) -> PostProcessing:
    return scaled(paper, paper3.PIXEL_MM, model.pixel_mm)


def _difference(head: HealedHead) -> Array:
    return np.abs(head.residual)


def _value(head: HealedHead) -> Array:
    return head.image


def _darkness(head: HealedHead) -> Array:
    return 1 - head.image

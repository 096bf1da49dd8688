"""`petanomaly evaluate --table2`: paper 2's Table 2, on heads whose lesions are known.

References:
    A. Ghorbel et al., Transformer based Models for Unsupervised Anomaly Segmentation in Brain MR
    Images, 2022, Table 2; 5 to 8 for the ablation and for models of other sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.evaluation.slices import paper2
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.evaluation.slices.heads import (
    HEALTHY,
    MASS,
    PLAQUES,
    SEEDS,
    heads_to_judge,
)
from PETAnomalyLib.engine.evaluation.slices.measuring import (
    MeasuredModel,
    facts_of,
    measure_models,
    require_heads_models,
    with_models,
)
from PETAnomalyLib.engine.evaluation.slices.paper2 import (
    AUPRC,
    AUROC,
    DICE,
    DICE_OF_ALL_SLICES,
    DICE_OF_SLICES,
    DICE_OF_SUBJECTS,
    SSIM,
)
from PETAnomalyLib.engine.evaluation.slices.paper2_figures import (
    DATA_SETS,
    FIDELITY,
    PIXEL,
    TABLE_2,
    TUNING,
)
from PETAnomalyLib.engine.evaluation.slices.paper_rows import rows_of
from PETAnomalyLib.engine.evaluation.slices.slice_markdown import (
    Column,
    against_plain_as_markdown,
    claims_as_markdown,
    in_words,
    part_as_markdown,
)
from PETAnomalyLib.engine.evaluation.slices.slice_table import Claim, Judged, SliceTable, write
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster
from PETAnomalyLib.engine.scoring.postprocessing import PostProcessing, scaled

HEADS = {kind: SEEDS[kind][:12] for kind in (MASS, PLAQUES, HEALTHY)}
VALUE, FROM_TEMPLATE = "intensity", "intensity above the template's"

CLAIMS = (
    Claim("H_TAE_S", "first", (PIXEL, MASS, AUPRC)),
    Claim("H_TAE_S", "first", (PIXEL, MASS, DICE_OF_SLICES)),
    Claim("VQ-VAE", "first", (PIXEL, PLAQUES, AUPRC)),
    Claim("VAE", "first", (PIXEL, PLAQUES, DICE_OF_SLICES)),
    Claim("H_TAE_S", "first", (FIDELITY, HEALTHY, SSIM)),
)
"""Section 5.1 and the bold figures of Table 2."""

COLUMNS = (
    Column("AUROC", AUROC),
    Column("AUPRC", AUPRC),
    Column("[DSC] of slices (μ ± σ)", DICE_OF_SLICES),
    Column("[DSC] of subjects (μ ± σ)", DICE_OF_SUBJECTS, has_paper=False),
    Column("of all slices", DICE_OF_ALL_SLICES, has_paper=False),
    Column("of all pixels", DICE, has_paper=False),
)


def table2(
    cohort: Path | None,
    healthy: Path | None,
    models: Sequence[str],
    out: Path,
    reporter: Reporter,
    workers: int | Cluster,
) -> str:
    """Make the table, and write `table2.md`, `.csv` and `.json`; returns the Markdown.

    What is kept in `out` already - phantoms, heads in a model's frame, reconstructions - is used
    again.

    Args:
        cohort: brain MR with lesions; None for heads made by seed, in `out`/heads.
        healthy: brain MR without; None for the cohort's own, or such heads.
        models: names or folders of models of brain MR.
        out: where everything goes.
        reporter: told of the progress.
        workers: processes, or a cluster, that make and reconstruct heads.

    Raises:
        InputError: a model or a cohort that the table cannot be made of.
    """
    bundles = [find_bundle(model) for model in models]
    contrast = require_heads_models(bundles)
    heads = heads_to_judge(cohort, healthy, out / "heads", HEADS, contrast, reporter, workers)
    groups = {**heads.by_disease, HEALTHY: heads.healthy}
    models_there = measure_models(bundles, groups, out, reporter, workers)
    return tabulate(models_there, list(heads.by_disease), out, reporter)


def tabulate(
    models: Sequence[MeasuredModel], diseases: Sequence[str], out: Path, reporter: Reporter
) -> str:
    """The table of models whose heads have been reconstructed, written and as Markdown.

    Args:
        models: of one contrast, with the same heads: those of each disease, and healthy ones.
        diseases: groups of heads with lesions.
        out: folder of the table's files.
        reporter: asked whether to stop.
    """
    bundles = [model.bundle for model in models]
    found = SliceTable("table2", rows_of(bundles, TABLE_2, TUNING))
    reporter.stage("judge", "Judging pixels")
    for number, disease in enumerate(diseases):
        reporter.progress(0.8 + 0.15 * number / len(diseases))
        _judge_pixels(found, disease, models, reporter)
    reporter.progress(0.95)
    if models[0].aligned[HEALTHY]:
        _judge_fidelity(found, models, reporter)
    found.facts |= facts_of(found, models)
    judged = found.judge(CLAIMS)
    plain = {d: found.best_against_plain((PIXEL, d, AUPRC)) for d in diseases}
    against_plain = against_plain_as_markdown(plain)
    markdown = as_markdown(found, judged, against_plain, _steps(models[0]))
    write(found, markdown, judged, plain, out)
    return markdown


def as_markdown(
    found: SliceTable, judged: Sequence[Judged], against_plain: str, steps: PostProcessing
) -> str:
    """The table for people."""
    heads = found.facts["heads"]
    sections = []
    for disease, names in heads.items():
        if disease != HEALTHY:
            title = _title(disease, len(names))
            sections += [title, part_as_markdown(found, PIXEL, disease, COLUMNS)]
    counts = found.facts["parameters"]
    parameters = [f"{counts[row.name]:,}" if row.name in counts else "" for row in found.rows]
    sections += [
        _title(HEALTHY, len(heads[HEALTHY])),
        part_as_markdown(
            found, FIDELITY, HEALTHY, [Column("SSIM", SSIM)], {"parameters": parameters}
        ),
        f"In brackets: 95 % bootstrap intervals over heads. {found.facts['contrast']} heads in the "
        f"models' frame, slice by slice: positive residuals in the brain, median of "
        f"{steps.median_voxels} x {steps.median_voxels} pixels, the lowest "
        f"{steps.squash_percentile:g} % of what is left set to 0. [DSC] is the Dice at the "
        "threshold that is best over all pixels, over slices with a lesion. Plain intensity is "
        "post-processed in the same way. \\* Quoted by the paper from Pinaya et al., trained on "
        "other heads.",
        "What can be compared: the order of the models, each trained and judged here on the same "
        "heads. What cannot: a figure with the paper's beside it. Those are of patients, larger "
        "slices, longer training and other lesions.",
        "## The paper's order\n\n" + claims_as_markdown(judged),
        "## The best model against plain intensity\n\n" + against_plain,
    ]
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


def _title(group: str, count: int) -> str:
    paper = DATA_SETS.get(group)
    return f"## {in_words(group).capitalize()}: {count} heads" + (
        f" (paper: {paper})" if paper else ""
    )


def _judge_pixels(
    found: SliceTable, disease: str, models: Sequence[MeasuredModel], reporter: Reporter
) -> None:
    best = (-1.0, models[0])
    for row, model in with_models(found, models):
        reporter.check_cancelled()
        judgement = paper2.judge(model.heads(disease)(), _residual, _steps(model))
        _enter(found, disease, row, judgement)
        best = max(
            best,
            (judgement.measured.estimates[AUPRC].value, model),
            key=lambda one: one[0],
        )
        if model.bundle.normative is not None:
            judgement = paper2.judge(model.normative_heads(disease)(), _residual, _steps(model))
            _enter(found, disease, found.normative_row(row), judgement)
    # In the frame of the model that they are compared with.
    model = best[1]
    for name, score_of in ((VALUE, _value), (FROM_TEMPLATE, _residual)):
        judgement = paper2.judge(model.template_heads(disease)(), score_of, _steps(model))
        _enter(found, disease, found.plain_row(name), judgement)


def _enter(found: SliceTable, disease: str, row: str, judgement: paper2.Judgement) -> None:
    spreads = {
        DICE_OF_SLICES: judgement.spread_of_slices,
        DICE_OF_SUBJECTS: judgement.spread_of_subjects,
    }
    found.add(PIXEL, disease, row, judgement.measured, **spreads)
    found.facts.setdefault("thresholds", {}).setdefault(disease, {})[row] = judgement.threshold


def _judge_fidelity(found: SliceTable, models: Sequence[MeasuredModel], reporter: Reporter) -> None:
    for row, model in with_models(found, models):
        reporter.check_cancelled()
        values = [paper2.ssim_of(head) for head in model.heads(HEALTHY)()]
        found.add(FIDELITY, HEALTHY, row, paper2.fidelity(values))


def _steps(model: MeasuredModel) -> PostProcessing:
    return scaled(paper2.STEPS, paper2.PIXEL_MM, model.pixel_mm)


def _residual(head: HealedHead) -> Array:
    return head.residual


def _value(head: HealedHead) -> Array:
    return head.image

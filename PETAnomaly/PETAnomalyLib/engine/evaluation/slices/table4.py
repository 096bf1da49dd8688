"""`petanomaly evaluate --table4`: paper 4's Tables 1 and 2, on heads whose lesions are known.

References:
    K. Rashmi et al., Ano-swinMAE: Unsupervised Anomaly Detection in Brain MRI using Swin
    Transformer-based Masked Auto Encoder, MIDL 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.evaluation.slices.heads import (
    HEALTHY,
    MASS,
    PLAQUES,
    SEEDS,
    disease_of,
    heads_to_judge,
    kept_heads,
)
from PETAnomalyLib.engine.evaluation.slices.measuring import (
    MeasuredModel,
    facts_of,
    measure_models,
    require_heads_models,
)
from PETAnomalyLib.engine.evaluation.slices.paper4 import AUPRC, DICE
from PETAnomalyLib.engine.evaluation.slices.paper4_figures import (
    CROSS,
    DIFFUSION,
    DIRECTIONS,
    LARGE_MASK,
    PIXEL,
    SECONDS,
    SMALL_MASK,
    T1_TO_FLAIR,
    T1_TO_T2,
    T2_TO_T1,
    TABLE_1,
    TABLE_2,
    Direction,
)
from PETAnomalyLib.engine.evaluation.slices.paper_rows import TableRow, told_apart
from PETAnomalyLib.engine.evaluation.slices.slice_markdown import against_plain_as_markdown
from PETAnomalyLib.engine.evaluation.slices.slice_table import Claim, SliceTable, write
from PETAnomalyLib.engine.evaluation.slices.table4_judging import (
    CrossModels,
    Judging,
    paper_row,
    paper_rows,
    seconds_a_slice,
)
from PETAnomalyLib.engine.evaluation.slices.table4_markdown import as_markdown
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster
from PETAnomalyLib.engine.study.brain_cohort import find_brain_studies

CONTRAST = "T2w"
"""The paper's, of its Table 1."""

HEADS = {kind: SEEDS[kind][:12] for kind in (MASS, PLAQUES, HEALTHY)}

CLAIMS = (
    Claim(LARGE_MASK, "first", (PIXEL, MASS, DICE)),
    Claim(SMALL_MASK, "first", (PIXEL, MASS, AUPRC)),
    Claim(SMALL_MASK, "first", (PIXEL, PLAQUES, DICE)),
    Claim(SMALL_MASK, "first", (PIXEL, PLAQUES, AUPRC)),
    Claim(DIFFUSION, "first", (PIXEL, PLAQUES, DICE), over=LARGE_MASK),
    *(Claim(LARGE_MASK, "first", (CROSS, T1_TO_T2.name, m), over=DIFFUSION) for m in (DICE, AUPRC)),
    *(
        Claim(DIFFUSION, "first", (CROSS, way.name, m), over=LARGE_MASK)
        for way in (T2_TO_T1, T1_TO_FLAIR)
        for m in (DICE, AUPRC)
    ),
)
"""The bold figures of Tables 1 and 2, and sections 4.2.1 and 4.2.3."""


def table4(
    cohort: Path | None,
    healthy: Path | None,
    models: Sequence[str],
    out: Path,
    reporter: Reporter,
    workers: int | Cluster,
) -> str:
    """Make the tables, and write `table4.md`, `.csv` and `.json`; returns the Markdown.

    Models of T2w make the paper's Table 1 where there are any, else those of the first model's
    contrast. Those of its Table 2 are run on other contrasts too. What is kept in `out` already -
    phantoms, heads in a model's frame, reconstructions - is used again.

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
    contrasts = {bundle.contrast for bundle in bundles}
    contrast = CONTRAST if CONTRAST in contrasts else "" if not bundles else bundles[0].contrast
    chosen = [bundle for bundle in bundles if bundle.contrast == contrast]
    for one in sorted(contrasts) or [""]:
        require_heads_models([bundle for bundle in bundles if bundle.contrast == one])
    heads = heads_to_judge(cohort, healthy, out / "heads", HEADS, contrast, reporter, workers)
    groups = {**heads.by_disease, HEALTHY: heads.healthy}
    main = measure_models(chosen, groups, out, reporter, workers)
    crosses = [
        found
        for direction in DIRECTIONS
        if (found := _cross(direction, bundles, cohort, out, reporter, workers))
    ]
    return tabulate(main, list(heads.by_disease), crosses, out, reporter)


def tabulate(
    models: Sequence[MeasuredModel],
    diseases: Sequence[str],
    crosses: Sequence[CrossModels],
    out: Path,
    reporter: Reporter,
) -> str:
    """The tables of models whose heads have been reconstructed, written and as Markdown.

    Args:
        models: of one contrast, with the same heads: those of each disease, and healthy ones.
        diseases: groups of heads with lesions.
        crosses: models on heads of another contrast.
        out: folder of the table's files.
        reporter: asked whether to stop.
    """
    rows = paper_rows([(model.bundle, model.pixel_mm) for model in models], TABLE_1)
    rows += [TableRow(m.bundle.name, m.bundle, None) for m in models
             if not any(row.model is m.bundle for row in rows)]  # fmt: skip
    found = SliceTable("table4", told_apart(rows))
    judging = Judging(found, reporter, passes=len(models) * (len(diseases) + 3))
    by_row = [
        (row.name, next(model for model in models if model.bundle is row.model))
        for row in found.rows
        if row.model
    ]
    reporter.stage("judge", "Judging objects and pixels")
    for disease in diseases:
        judging.disease(disease, by_row)
    if models[0].aligned[HEALTHY]:
        judging.healthy(by_row)
    for cross in crosses:
        judging.cross(cross)
    crossed = [cross.direction for cross in crosses]
    found.rows += [
        TableRow(f"{row.name}, {direction.name}", None, row)
        for direction in DIRECTIONS
        if direction not in crossed  # whose rows came with their models
        for row in TABLE_2[direction]
    ]
    found.facts |= facts_of(found, models)
    found.facts[SECONDS] = {name: seconds_a_slice(model) for name, model in by_row}
    judged = found.judge(CLAIMS)
    plain = {d: found.best_against_plain((PIXEL, d, AUPRC)) for d in diseases}
    markdown = as_markdown(found, diseases, crossed, judged, against_plain_as_markdown(plain))
    write(found, markdown, judged, plain, out)
    return markdown


def _cross(
    direction: Direction,
    bundles: Sequence[Bundle],
    cohort: Path | None,
    out: Path,
    reporter: Reporter,
    workers: int | Cluster,
) -> CrossModels | None:
    """None: no model, or no head that has both contrasts."""
    families = {row.family for row in TABLE_2[direction]}
    models = [
        bundle for bundle in bundles
        if bundle.contrast == direction.trained and bundle.healer["family"] in families
    ]  # fmt: skip
    if not models:
        return None
    kind, place = direction.disease, cohort
    if place is None:
        place = out / "heads" if kind in HEADS else out / "heads of other contrasts"
        kept_heads(place, {kind: HEADS.get(kind, SEEDS[kind])}, reporter, workers)
    studies = [
        study
        for study in find_brain_studies(place)
        if {direction.trained, direction.shown} <= set(study.images) and disease_of(study) == kind
    ]
    if not studies:
        reporter.log(
            "warning",
            f"no head with {kind} has {direction.trained} and {direction.shown}: "
            f"{direction.name} is left out",
        )
        return None
    found = measure_models(
        models, {direction.name: studies}, out, reporter, workers, shown=direction.shown
    )
    rows = TABLE_2[direction]
    return CrossModels(
        direction, [m for m in found if paper_row(m.bundle, m.pixel_mm, rows) is not None]
    )

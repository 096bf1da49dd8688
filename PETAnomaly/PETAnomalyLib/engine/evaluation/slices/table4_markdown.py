"""Table 4 for people: its two tables, the lesion's intensity, healthy heads, sizes, the tests."""

from __future__ import annotations

from collections.abc import Sequence

from PETAnomalyLib.engine.evaluation.slices.heads import HEALTHY
from PETAnomalyLib.engine.evaluation.slices.paper4 import (
    AUPRC,
    AUPRC_OF_HEADS,
    BEST_DICE,
    DICE,
    DICE_OF_HEADS,
    LEVELS,
)
from PETAnomalyLib.engine.evaluation.slices.paper4_figures import (
    CROSS,
    DATA_SETS,
    PARAMETERS,
    PIXEL,
    SECONDS,
    SIZE,
    Direction,
)
from PETAnomalyLib.engine.evaluation.slices.slice_markdown import (
    Column,
    claims_as_markdown,
    in_words,
    part_as_markdown,
)
from PETAnomalyLib.engine.evaluation.slices.slice_table import Judged, SliceTable
from PETAnomalyLib.engine.evaluation.tables import p_value, table, with_interval

INTENSITY, FALSE = "intensity", "healthy"
"""Parts that the paper has no table of: thirds of the heads, and what is drawn in healthy heads."""

DRAWN_ML = "drawn_ml"

COLUMNS = (
    Column("Dice of slices", DICE),
    Column("AUPRC of slices", AUPRC),
    Column("best Dice of slices' pixels", BEST_DICE, has_paper=False),
    Column("Dice of heads", DICE_OF_HEADS, has_paper=False),
    Column("AUPRC of heads", AUPRC_OF_HEADS, has_paper=False),
)


def as_markdown(
    found: SliceTable,
    diseases: Sequence[str],
    directions: Sequence[Direction],
    judged: Sequence[Judged],
    against_plain: str,
) -> str:
    """Everything for people."""
    heads = found.facts["heads"]
    sections = []
    for disease in diseases:
        sections += [
            _title(disease, len(heads[disease])),
            part_as_markdown(found, PIXEL, disease, COLUMNS),
        ]
    sections += ["## Trained on one contrast, run on another (the paper's Table 2)"]
    for direction in directions:
        count = len(found.facts["cross_heads"][direction.name])
        paper = DATA_SETS[direction.disease]
        sections += [
            f"{direction.name}, {count} heads with {in_words(direction.disease)} (paper: {paper}):",
            part_as_markdown(found, CROSS, direction.name, COLUMNS),
        ]
    if not directions:
        sections.append("Models of its rows, of T1w or T2w, were not given, or no such heads.")
    sections += ["## By the lesion's intensity"]
    for disease in diseases:
        if disease in found.facts.get("trend", {}):
            sections += [f"{in_words(disease).capitalize()}:", _by_intensity(found, disease)]
    if (FALSE, diseases[0]) in found.ways:
        sections += [f"## Drawn in {len(heads[HEALTHY])} healthy heads", _in_healthy(found)]
    sections += [
        "## Size and time", _sizes(found),
        f"In brackets: 95 % bootstrap intervals over heads. {found.facts['contrast']} heads in the "
        "models' frame. |x - x_hat| of each position of the mask (of a model without one, of the "
        "slice) scaled to 0 to 1 and added; AUPRC is of that map. Dice is of its objects: eroded "
        "by 3 x 3 pixels for masses, not for plaques and hyperintensities, above 0.5, the two or "
        "seven objects with the highest mean, dilated by 3 x 3, each in the edges of one class of "
        "a five-class Gaussian mixture (scikit-learn's, in place of Atropos). Of slices: those "
        "with a lesion, each by itself, as the paper; of heads: each head as a whole. Best: of the "
        "map without objects, at the one threshold that is best for all these pixels. Plain "
        "intensity is post-processed in the same way. The paper's percentages are given as shares.",
        "What can be compared: the order of the models, each trained and judged here on the same "
        "heads. What cannot: a figure with the paper's beside it. Those are of patients, larger "
        "slices, longer training and other lesions; its seconds are of an NVIDIA A100.",
        "## The paper's order\n\n" + claims_as_markdown(judged),
        "## The best model against plain intensity\n\n" + against_plain,
    ]  # fmt: skip
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


def _title(disease: str, count: int) -> str:
    paper = DATA_SETS.get(disease)
    return f"## {in_words(disease).capitalize()}: {count} heads" + (
        f" (paper: {paper})" if paper else ""
    )


def _by_intensity(found: SliceTable, disease: str) -> str:
    """Thirds of the heads, and whether Dice follows their lesions' intensity."""
    lines = []
    for row, trend in found.facts["trend"][disease].items():
        cells = []
        for level in LEVELS:
            own = found.ways[INTENSITY, f"{disease}, {level}"][row].estimates
            cells.append(f"{with_interval(own[DICE])}; {own[AUPRC].value:.3f}")
        rho = "-" if trend["rho"] is None else f"{trend['rho']:+.2f}"
        paper = {1: "rises", -1: "falls", None: ""}[trend["paper"]]
        lines.append([row, *cells, rho, p_value(trend["p"]), paper])
    titles = [f"{level}: Dice; AUPRC" for level in LEVELS]
    return table(["Approach", *titles, "with intensity, rank correlation of Dice", "p",
                  "paper: with intensity Dice"], lines)  # fmt: skip


def _in_healthy(found: SliceTable) -> str:
    diseases = [disease for part, disease in found.ways if part == FALSE]
    names = list(found.ways[FALSE, diseases[0]])
    lines = [
        [name, *(with_interval(found.ways[FALSE, d][name].estimates[DRAWN_ML]) for d in diseases)]
        for name in names
    ]
    titles = [f"ml, with the steps for {in_words(disease)}" for disease in diseases]
    return table(["Approach", *titles], lines)


def _sizes(found: SliceTable) -> str:
    lines = []
    for row in found.rows:
        printed = [row.printed((SIZE, "", measure)) for measure in (PARAMETERS, SECONDS)]
        if row.name not in found.facts[SECONDS] and printed[0] is None:
            continue
        count, seconds = (found.facts[n].get(row.name) for n in (PARAMETERS, SECONDS))
        lines.append([
            row.name, "-" if count is None else f"{count / 1e6:.2f}",
            "" if printed[0] is None else f"{printed[0].value / 1e6:.2f}",
            "-" if seconds is None else f"{seconds:.3f}",
            "" if printed[1] is None else str(printed[1]),
        ])  # fmt: skip
    return table(["Approach", "parameters (M)", "paper", "seconds a slice", "paper"], lines)

"""Table 3 for people: its four parts, errors, images that are no brains, parameters, tests."""

from __future__ import annotations

from collections.abc import Sequence

from PETAnomalyLib.engine.evaluation.slices.heads import HEALTHY
from PETAnomalyLib.engine.evaluation.slices.no_brains import PICTURES
from PETAnomalyLib.engine.evaluation.slices.paper3 import AUPRC, AUROC, DICE_S, DICE_T, ERRORS
from PETAnomalyLib.engine.evaluation.slices.paper3_figures import (
    ABOUT_PARAMETERS,
    DATA_SETS,
    MEDIAN,
    PARAMETERS,
    PIXEL,
    SAMPLE,
    SIZE,
    SLICE,
    TABLE_4_3,
    TABLES_5,
)
from PETAnomalyLib.engine.evaluation.slices.paper_rows import TableRow, row_of_these_sizes
from PETAnomalyLib.engine.evaluation.slices.slice_markdown import (
    Column,
    claims_as_markdown,
    in_words,
    part_as_markdown,
)
from PETAnomalyLib.engine.evaluation.slices.slice_table import Judged, SliceTable
from PETAnomalyLib.engine.evaluation.tables import table
from PETAnomalyLib.engine.scoring.postprocessing import PostProcessing

ERROR, NO_BRAIN = "error", "no brain"
"""Parts that the paper has no table of."""
VALIDATION = "validation: "
"""Before a disease: the heads that its threshold is found on."""

RANKED = (Column("AUROC", AUROC), Column("AUPRC", AUPRC))
PIXELS = (Column("DICE_T", DICE_T), Column("DICE_S", DICE_S), Column("AUPRC", AUPRC))


def as_markdown(
    found: SliceTable,
    diseases: Sequence[str],
    judged: Sequence[Judged],
    against_plain: str,
    steps: tuple[PostProcessing, PostProcessing],
) -> str:
    """The four parts for people, and what stands below them."""
    larger, smaller = (one.median_voxels for one in steps)
    parts = (
        (SAMPLE, "Samples", RANKED, diseases),
        (SLICE, "Slices", RANKED, diseases),
        (PIXEL, f"Pixels, median of {larger} x {larger} (paper: 9 x 9)", PIXELS, diseases),
        (MEDIAN, f"Pixels, median of {smaller} x {smaller} (paper: 5 x 5)", PIXELS[:2], diseases),
        (ERROR, "Errors of reconstruction",
         [Column(error.replace("_", ", "), error, False) for error in ERRORS],
         [*diseases, HEALTHY]),
        (NO_BRAIN, "Images that are no brains", [Column("l1", "l1", False),
                                                Column("SSIM", "ssim", False)], PICTURES),
    )  # fmt: skip
    sizes = ["" if row.paper is None else row.paper.size for row in found.rows]
    sections = [_heads(found, diseases)]
    for part, title, columns, kinds in parts:
        sections.append(f"## {title}")
        extra = {"paper's size": sizes} if part in (SAMPLE, SLICE, PIXEL, MEDIAN) else {}
        for kind in kinds:
            if (part, kind) in found.ways:
                text = part_as_markdown(found, part, kind, columns, extra)
                sections += [f"{_title(kind)}:", text]
    sections += [
        "## Parameters\n\n" + _parameters(found) + f"\n{ABOUT_PARAMETERS}",
        f"In brackets: 95 % bootstrap intervals over heads. {found.facts['contrast']} heads in the "
        "models' frame. A sample's score is the mean of |x - x_hat| over its slices with brain. "
        f"Pixels: the brain less {steps[0].eroded_voxels} pixels at its edge, the median, the "
        "threshold that ten halvings find on the validation heads, and no region of fewer than "
        f"{steps[0].smallest_region_pixels} pixels; the paper's 7 pixels, and its medians, are of "
        "1 mm, and scaled here. Plain intensity is post-processed in the same way. The paper's "
        "percentages are given as shares.",
        "What can be compared: the order of the models, each trained and judged here on the same "
        "heads. What cannot: a figure with the paper's beside it. Those are of patients, larger "
        "slices, longer training and other lesions; where a model has sizes that the paper does "
        "not have, the paper's figures are of the size that is named.",
        "## The paper's order\n\n" + claims_as_markdown(judged),
        "## The best model against plain intensity\n\n" + against_plain,
    ]
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


def _heads(found: SliceTable, diseases: Sequence[str]) -> str:
    heads = found.facts["heads"]
    lines = [
        [in_words(disease), len(heads[VALIDATION + disease]), len(heads[disease]),
         DATA_SETS.get(disease, "")]
        for disease in diseases
    ]  # fmt: skip
    lines.append([in_words(HEALTHY), "", len(heads[HEALTHY]), "IXI and MixedNormals, 477"])
    return table(["heads", "validation", "test", "paper"], lines)


def _parameters(found: SliceTable) -> str:
    lines = []
    for row in found.rows:
        if row.model is None:
            continue
        printed = _printed_parameters(row)
        count = found.facts["parameters"][row.name]
        lines.append([
            row.name, f"{count:,}", "" if printed is None else f"{printed:,}",
            "" if printed is None else f"{count - printed:+,}",
        ])  # fmt: skip
    return table(["Approach", "parameters", "paper, of this size", "difference"], lines)


def _printed_parameters(row: TableRow) -> int | None:
    assert row.model is not None
    for paper in (TABLE_4_3, TABLES_5):
        same = row_of_these_sizes(row.model, paper)
        if same is not None and (SIZE, "", PARAMETERS) in same.figures:
            return int(same.figures[SIZE, "", PARAMETERS].value)
    return None


def _title(kind: str) -> str:
    paper = DATA_SETS.get(kind)
    return in_words(kind).capitalize() + (f" (paper: {paper})" if paper else "")

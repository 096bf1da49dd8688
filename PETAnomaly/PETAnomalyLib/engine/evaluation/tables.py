"""What `petanomaly evaluate` writes: the table for people, and every number behind it.

`evaluation.md`, `evaluation.csv` (one line a row), `studies.csv` (one line a row and study),
`lesions.csv` (one line a true lesion), `comparisons.csv` (one line for every two ways and measure)
and `evaluation.json` (all of it).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.evaluation.cohort_evaluation import Evaluation, Row, StudyRow, findings_of
from PETAnomalyLib.engine.evaluation.comparison import Comparison, Estimate
from PETAnomalyLib.engine.evaluation.lesion_table import write_lesions
from PETAnomalyLib.engine.evaluation.study_judgement import PLAIN


def write_evaluation(found: Evaluation, out: Path) -> None:
    """Write the files into a folder, made if it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    whole = {
        "rows": [asdict(row) for row in found.rows],
        "estimates": {
            name: {measure: asdict(one) for measure, one in measures.items()}
            for name, measures in found.estimates.items()
        },
        "comparisons": [asdict(one) for one in found.comparisons],
    }
    (out / "evaluation.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    (out / "evaluation.md").write_text(as_markdown(found), encoding="utf-8")
    write_table(out / "evaluation.csv", _COLUMNS, [_cells(row, found) for row in found.rows])
    write_table(
        out / "studies.csv",
        ["model", "map", *(field.name for field in fields(StudyRow))],
        [
            [row.rule.model, row.rule.scorer, *asdict(study).values()]
            for row in found.rows
            for study in row.by_study
        ],
    )
    write_table(
        out / "comparisons.csv",
        [field.name for field in fields(Comparison)],
        [list(asdict(one).values()) for one in found.comparisons],
    )
    write_lesions(found.lesions, out / "lesions.csv")


def table_of(found: Evaluation) -> str:
    """The rows as a Markdown table."""
    return table(_COLUMNS, [_cells(row, found) for row in found.rows])


def as_markdown(found: Evaluation) -> str:
    """The tables for people."""
    models = [row for row in found.rows if row.rule.scorer != PLAIN]
    sections = [
        table_of(found),
        "Best is over all thresholds. Findings are grown, but for the plain thresholds that say no "
        "more. In brackets: 95 % bootstrap intervals over studies.",
        "## Lesions hit, by size\n\n" + _shares(found.rows, "by_size"),
        "## Lesions hit, by site\n\n" + _shares(found.rows, "by_site"),
        "## Volumes at the threshold\n\n" + _volumes(found.rows),
        "## False positives by organ\n\nWhere the hottest voxel lies; phantoms only.\n\n"
        + _organs(found.rows),
        "## Rank of the first true finding\n\n"
        "1 is the finding with the study's highest score, - means that no lesion is hit.\n\n"
        + _ranks(found.rows),
        "## Any two maps\n\nFirst minus second; p of paired t-tests over the studies with "
        "lesions.\n\n" + _comparisons(found, [row.rule.name for row in models]),
    ]
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


def table(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    text = [" | ".join(columns), "|".join("---" for _ in columns)]
    text += [" | ".join(str(cell) for cell in line) for line in lines]
    return "".join(f"| {line} |\n" if n != 1 else f"|{line}|\n" for n, line in enumerate(text))


def with_interval(estimate: Estimate) -> str:
    """0.512 (0.401-0.633)."""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"


def p_value(p: float | None) -> str:
    """As papers write it."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def write_table(path: Path, columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    """A CSV file; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)


_COLUMNS = (
    "model",
    "map",
    "best Dice of the map",
    "AUPRC",
    "best Dice of findings",
    "Dice at the threshold",
    "lesions hit",
    "of 10 mm and SUV 4 or more",
    "false positives a scan",
)


def _cells(row: Row, found: Evaluation) -> list[str]:
    on_map = found.estimates[row.rule.name]
    on_findings = found.estimates[findings_of(row.rule.name)]
    return [
        row.rule.model,
        row.rule.scorer,
        f"{row.map.best_dice:.3f}",
        with_interval(on_map["auprc"]),
        with_interval(on_findings["dice"]),
        f"{row.findings.dice:.3f}",
        f"{row.findings.lesions_hit} of {row.findings.lesions}",
        f"{row.clear_hit} of {row.clear}",
        f"{row.false_positives_a_scan:.1f}",
    ]


def _shares(rows: Sequence[Row], name: str) -> str:
    classes = list(getattr(rows[0], name))
    if not classes:
        return "Not known for this cohort."
    lines = []
    for row in rows:
        hits = getattr(row, name)
        lines.append([row.rule.name, *(f"{hits[c][0]} of {hits[c][1]}" for c in classes)])
    return table(["row", *classes], lines)


def _volumes(rows: Sequence[Row]) -> str:
    def ratio(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    return table(
        ["row", "MTV: mean error", "mean absolute error", "TLG: mean error", "mean absolute error",
         "of lesions hit, MTV drawn / true", "TLG drawn / true"],
        [
            [row.rule.name, f"{v.mtv_bias_ml:+.1f} ml", f"{v.mtv_error_ml:.1f} ml",
             f"{v.tlg_bias_g:+.0f} g", f"{v.tlg_error_g:.0f} g", ratio(v.hit_mtv_ratio),
             ratio(v.hit_tlg_ratio)]
            for row in rows for v in [row.volumes]
        ],
    )  # fmt: skip


def _organs(rows: Sequence[Row]) -> str:
    if not any(row.false_positive_organs for row in rows):
        return "Not known for this cohort."
    return table(
        ["row", "false positives"],
        [
            [row.rule.name, ", ".join(f"{o} {n}" for o, n in row.false_positive_organs.items())]
            for row in rows
        ],
    )


def _ranks(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        ranks = [study.first_hit for study in row.by_study if study.lesions]
        lines.append([row.rule.name, ", ".join("-" if r is None else str(r) for r in ranks)])
    return table(["row", "rank in each study with lesions"], lines)


def _comparisons(found: Evaluation, names: Sequence[str]) -> str:
    lines: dict[tuple[str, str], list[str]] = {}
    for one in found.comparisons:
        if one.first in names and one.second in names:
            cells = lines.setdefault((one.first, one.second), [one.first, one.second])
            interval = "" if one.low is None else f" ({one.low:+.3f} to {one.high:+.3f})"
            cells += [f"{one.difference:+.3f}{interval}", p_value(one.p)]
    if not lines:
        return "There is one map only."
    return table(["first", "second", "AUPRC", "p", "best Dice", "p"], lines.values())

"""The curves of an evaluation as pictures: precision against recall, and the FROC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PETAnomalyLib.engine.evaluation.cohort_evaluation import Row
from PETAnomalyLib.engine.evaluation.study_judgement import PLAIN
from PETAnomalyLib.engine.figures.chart import draw_chart

FROC_TO = 10.0  # false positives a scan: with more nobody reads on


def write_curves(rows: Mapping[str, Row], out: Path) -> None:
    """Write `precision-recall.png` and `froc.png`.

    Args:
        rows: of the evaluation, by the name that the legend gives them.
        out: the folder.
    """
    maps = {name: row for name, row in rows.items() if row.rule.scorer != PLAIN}
    plain_rows = {name: row for name, row in rows.items() if row.rule.scorer == PLAIN}
    grown = {name: row for name, row in plain_rows.items() if row.rule.grow}
    # Thresholds of the SUV that do not grow are points of one and the same curve.
    moved = next((row for row in plain_rows.values() if not row.rule.grow), None)
    of_suv = {} if moved is None else {"SUV": moved}
    curves = {name: row.precision_recall for name, row in {**maps, **of_suv}.items()}
    draw_chart(out / "precision-recall.png", curves, ("recall", "precision"), 1.0)
    froc = {
        name: [(point.false_positives_a_scan, point.sensitivity) for point in row.curve]
        for name, row in {**maps, **of_suv, **grown}.items()
    }
    axes = ("false positives a scan", "lesions hit")
    draw_chart(out / "froc.png", froc, axes, FROC_TO)

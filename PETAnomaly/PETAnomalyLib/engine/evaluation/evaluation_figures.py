"""The pictures of an evaluation: precision against recall, the FROC, and four of its studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PETAnomalyLib.engine.evaluation.cohort_evaluation import Row
from PETAnomalyLib.engine.evaluation.example_figure import choose_examples, write_examples
from PETAnomalyLib.engine.evaluation.study_judgement import PLAIN, Detections
from PETAnomalyLib.engine.figures.chart import draw_chart
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy

FROC_TO = 10.0  # false positives a scan: with more nobody reads on


def write_figures(
    rows: Mapping[str, Row], drawn: Row, studies: Sequence[CohortStudy], out: Path
) -> None:
    """Write `precision-recall.png`, `froc.png` and `examples.png`.

    Args:
        rows: by the name that they have in the pictures.
        drawn: the one whose findings are shown in the examples.
        studies: that were evaluated.
        out: the folder of the evaluation.
    """
    _write_curves(rows, out)
    chosen = choose_examples(drawn)
    write_examples(
        out / "examples.png",
        [study for study in studies if study.name in chosen],
        {name: row for name, row in rows.items() if row.rule.scorer != PLAIN},
        drawn,
        Detections(out, drawn.rule.model),
    )


def _write_curves(rows: Mapping[str, Row], out: Path) -> None:
    maps = {name: row for name, row in rows.items() if row.rule.scorer != PLAIN}
    plain_rows = {name: row for name, row in rows.items() if row.rule.scorer == PLAIN}
    grown = {name: row for name, row in plain_rows.items() if row.rule.grow}
    # Thresholds of the SUV that do not grow are points of one and the same curve.
    moved = next((row for row in plain_rows.values() if not row.rule.grow), None)
    of_suv = {} if moved is None else {"SUV": moved}
    curves = {name: row.precision_recall for name, row in {**maps, **of_suv}.items()}
    voxels = ("recall (share of the lesions' voxels)", "precision (share of the voxels taken)")
    draw_chart(out / "precision-recall.png", curves, voxels, 1.0)
    froc = {
        name: [(point.false_positives_a_scan, point.sensitivity) for point in row.curve]
        for name, row in {**maps, **of_suv, **grown}.items()
    }
    lesions = ("false positives a scan", "sensitivity (share of the lesions hit)")
    draw_chart(out / "froc.png", froc, lesions, FROC_TO)

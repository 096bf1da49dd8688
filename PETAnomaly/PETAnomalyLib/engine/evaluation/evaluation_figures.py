"""The pictures of an evaluation: its curves, and four of its studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PETAnomalyLib.engine.evaluation.cohort_evaluation import Row
from PETAnomalyLib.engine.evaluation.curve_figures import write_curves
from PETAnomalyLib.engine.evaluation.example_figure import choose_examples, write_examples
from PETAnomalyLib.engine.evaluation.study_judgement import PLAIN, Detections
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy


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
    write_curves(rows, out)
    chosen = choose_examples(drawn)
    write_examples(
        out / "examples.png",
        [study for study in studies if study.name in chosen],
        {name: row for name, row in rows.items() if row.rule.scorer != PLAIN},
        drawn,
        Detections(out, drawn.rule.model),
    )

"""`petanomaly evaluate --table-pet`: models of any family side by side, on the phantoms of table 1.

No paper has this table: papers 2 to 4 compare their families on brain MR. Each model is judged by
the first map that it offers, as its findings are drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.cohort_evaluation import (
    PLAIN_RULES,
    Evaluation,
    Row,
    evaluate,
    require_own_names,
)
from PETAnomalyLib.engine.evaluation.comparison import Comparison, Estimate, between
from PETAnomalyLib.engine.evaluation.table1 import FALSE_POSITIVES_A_SCAN, MODELS, kept_phantoms
from PETAnomalyLib.engine.evaluation.tables import (
    p_value,
    table,
    with_interval,
    write_evaluation,
    write_table,
)
from PETAnomalyLib.engine.phantom.truth import anatomy_of_phantom
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies


@dataclass(frozen=True)
class PETLine:
    """One model, or a plain threshold.

    Attributes:
        name, family, map: of the model; a plain threshold has neither family nor map.
        dice, auprc: best Dice of the map and area under its precision-recall curve.
        hit: lesions hit by the best threshold with at most three false positives a study; None
            where no threshold that was tried has as few.
        seconds: of a detection, the mean over studies; None of a plain threshold.
        megabytes: of the model's files.
        below_best: AUPRC against the best model's; None of that one.
    """

    name: str
    family: str
    map: str
    dice: Estimate
    auprc: Estimate
    hit: int | None
    seconds: float | None
    megabytes: float | None
    below_best: Comparison | None


def table_pet(
    cohort: Path | None,
    models: Sequence[str],
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter,
    workers: int | Cluster,
) -> str:
    """Make the table, and write `table-pet.md`, `.csv` and `.json` beside the whole evaluation.

    Args:
        cohort: studies with known lesions; None for the 24 test phantoms, in `out`/phantoms.
        models: names or folders; the three of PET that are shipped where none is given.
        out: where everything goes; detections that are there already are used again.
        settings: for `detect`.
        reporter: told of the progress.
        workers: processes that work on one study each at the same time; 1: this one. Or a cluster.

    Returns:
        The Markdown, best AUPRC first.

    Raises:
        InputError: a model of brain MR, two of one name, or a cohort that cannot be used.
    """
    bundles = [find_bundle(model) for model in dict.fromkeys(models or MODELS)]
    _require_pet_models(bundles)
    studies = find_studies(cohort or kept_phantoms(out / "phantoms", reporter, workers))
    paths = [str(bundle.path) for bundle in bundles]
    found = evaluate(studies, paths, out, settings, reporter, workers, anatomy_of_phantom)
    lines = _lines(found, bundles, studies, out)
    markdown = as_markdown(lines, len(studies), len(found.lesions))
    _write(lines, markdown, {bundle.name: bundle.sha256 for bundle in bundles}, out)
    write_evaluation(found, out)
    return markdown


def as_markdown(lines: Sequence[PETLine], studies: int, lesions: int) -> str:
    """The table for people."""
    most = f"lesions hit at {FALSE_POSITIVES_A_SCAN:g} false positives a study or fewer"
    columns = [
        f"{studies} studies, {lesions} lesions", "family", "map", "Dice (best)", "AUPRC",
        "below the best", "p", most, "seconds a study", "MB",
    ]  # fmt: skip
    rows = []
    for line in lines:
        test = line.below_best
        rows.append([
            line.name, line.family, line.map, with_interval(line.dice), with_interval(line.auprc),
            "" if test is None else f"{test.difference:+.3f}",
            "" if test is None else p_value(test.p),
            "-" if line.hit is None else line.hit,
            "" if line.seconds is None else f"{line.seconds:.1f}",
            "" if line.megabytes is None else f"{line.megabytes:.1f}",
        ])  # fmt: skip
    return (
        table(columns, rows)
        + "\nIn brackets: 95 % bootstrap intervals over studies; p of paired t-tests of AUPRC over "
        "the studies with lesions, against the best model. Findings are grown to 40 %. Seconds "
        "are of a detection whose model was loaded before, as they were measured in this run.\n"
    )


def _require_pet_models(bundles: Sequence[Bundle]) -> None:
    for bundle in bundles:
        if bundle.modality != "PT":
            raise InputError(
                f"the model '{bundle.name}' is of brain MR, and this table is of PET",
                "leave it out; tables 2 to 4 are of models of brain MR",
            )
    require_own_names(bundles)


def _lines(
    found: Evaluation, bundles: Sequence[Bundle], studies: Sequence[CohortStudy], out: Path
) -> list[PETLine]:
    rows = {row.rule.name: row for row in found.rows}
    ways = {bundle.name: f"{bundle.name} {bundle.scorers[0]}" for bundle in bundles}
    area = {name: found.estimates[way]["auprc"].value for name, way in ways.items()}
    best = max(area, key=area.__getitem__)

    def against_best(way: str) -> Comparison | None:
        if way == ways[best]:
            return None
        return between(found.comparisons, way, ways[best], "auprc")

    def line(name: str, way: str, bundle: Bundle | None) -> PETLine:
        estimates = found.estimates[way]
        return PETLine(
            name=name,
            family="" if bundle is None else bundle.healer["family"],
            map="" if bundle is None else bundle.scorers[0],
            dice=estimates["dice"],
            auprc=estimates["auprc"],
            hit=_hit(rows[way]),
            seconds=None if bundle is None else _seconds(bundle, studies, out),
            megabytes=None if bundle is None else _megabytes(bundle),
            below_best=against_best(way),
        )

    lines = [line(bundle.name, ways[bundle.name], bundle) for bundle in bundles]
    lines.sort(key=lambda one: -one.auprc.value)
    return [*lines, *(line(rule.name, rule.name, None) for rule in PLAIN_RULES)]


def _hit(row: Row) -> int | None:
    """The most lesions hit by any threshold with few enough false positives."""
    within = [
        round(point.sensitivity * row.findings.lesions)
        for point in row.curve
        if point.false_positives_a_scan <= FALSE_POSITIVES_A_SCAN
    ]
    return max(within, default=None)


def _seconds(bundle: Bundle, studies: Sequence[CohortStudy], out: Path) -> float:
    reports = [read_json(out / bundle.name / study.name / "report.json") for study in studies]
    return float(np.mean([sum(report["seconds"].values()) for report in reports]))


def _megabytes(bundle: Bundle) -> float:
    return sum(f.stat().st_size for f in bundle.path.rglob("*") if f.is_file()) / 1e6


def _write(lines: Sequence[PETLine], markdown: str, models: dict[str, str], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "table-pet.md").write_text(markdown, encoding="utf-8")
    whole = {"models": models, "lines": [asdict(line) for line in lines]}
    (out / "table-pet.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    columns = ["row", "family", "map", "dice", "dice_low", "dice_high", "auprc", "auprc_low",
               "auprc_high", "below_best", "p", "lesions_hit", "seconds", "megabytes"]  # fmt: skip
    write_table(
        out / "table-pet.csv",
        columns,
        [
            [one.name, one.family, one.map, one.dice.value, one.dice.low, one.dice.high,
             one.auprc.value, one.auprc.low, one.auprc.high,
             *((None, None) if one.below_best is None
               else (one.below_best.difference, one.below_best.p)),
             one.hit, one.seconds, one.megabytes]
            for one in lines
        ],
    )  # fmt: skip

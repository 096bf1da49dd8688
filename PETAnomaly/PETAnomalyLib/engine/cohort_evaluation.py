"""`petanomaly evaluate`: models on a cohort whose lesions are known.

Every study goes through `detect` as a user's would; what is judged are the files that it writes.
Beside the models stand plain SUV thresholds, which is what a department does today.
`OUT/<model>/<study>/` holds the detections, and is used again when the evaluation is repeated;
`OUT/evaluation.json` and `OUT/evaluation.md` hold the table, `OUT/lesions.csv` every lesion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.bundle import Bundle, find_bundle
from PETAnomalyLib.engine.delineation import Delineator
from PETAnomalyLib.engine.detection import DetectionSettings, detect
from PETAnomalyLib.engine.evaluation import (
    FindingCounts,
    FindingQuality,
    MapQuality,
    Scores,
    VoxelCounts,
    count_voxels,
    finding_quality,
    map_quality,
    stacked,
    thresholds_of,
)
from PETAnomalyLib.engine.events import Reporter, SilentReporter
from PETAnomalyLib.engine.froc import (
    OperatingPoint,
    count_at_each,
    operating_curve,
    thresholds_to_try,
)
from PETAnomalyLib.engine.lesion_mask import known_lesions, require_lesions
from PETAnomalyLib.engine.lesion_table import (
    Lesion,
    clear_sensitivity,
    lesions_of,
    mark_hits,
    write_lesions,
)
from PETAnomalyLib.engine.study import read_pet
from PETAnomalyLib.engine.training.cohort_layout import CohortStudy, find_studies

PLAIN = "SUV"


@dataclass(frozen=True)
class Rule:
    """From a map to findings.

    Attributes:
        model, scorer: what made the map.
        threshold: of the map, in its unit.
        grow: fraction of a finding's own SUVmax that it grows to, 0 for none.
        min_volume_ml: smaller findings are left out.
    """

    model: str
    scorer: str
    threshold: float
    grow: float
    min_volume_ml: float

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.model} {self.scorer}"


PLAIN_THRESHOLDS = (
    Rule("SUV > 2.5", PLAIN, 2.5, 0.0, 0.3),
    Rule("SUV > 4", PLAIN, 4.0, 0.0, 0.3),
    Rule("SUV > 4, grown to 41 %", PLAIN, 4.0, 0.41, 0.3),
)


@dataclass(frozen=True)
class Row:
    """One row of the table: one map, and the findings drawn from it.

    Attributes:
        rule: what made map and findings.
        studies: how many it was judged on.
        map: without a threshold of its own.
        findings: at the rule's threshold.
        clear_hit, clear: hit among the lesions of 10 mm and more with SUV >= 4, and all of those.
        curve: findings at other thresholds.
    """

    rule: Rule
    studies: int
    map: MapQuality
    findings: FindingQuality
    clear_hit: int
    clear: int
    curve: list[OperatingPoint]

    @property
    def best_findings_dice(self) -> float:
        """The best Dice of the findings over all thresholds: paper 1's row "+ 40 %"."""
        return max(point.dice for point in self.curve)


@dataclass(frozen=True)
class _Judged:
    """What one rule makes of one study."""

    voxels: VoxelCounts
    drawn: FindingCounts
    at_each: list[FindingCounts]


def evaluate(
    cohort: Path, models: Sequence[str], out: Path, settings: DetectionSettings, reporter: Reporter
) -> list[Row]:
    """Run every model on every study and judge its maps and findings.

    Maps are read study by study, twice: thresholds come from the lesions of all studies, and a
    cohort's maps together would not fit into memory.

    Args:
        cohort: folder or list, see training/cohort_layout.py; the lesions of all are known.
        models: names or folders of bundles.
        out: where the detections and the table go.
        settings: for `detect`; its model and scorer are set here.
        reporter: told of the progress.

    Raises:
        InputError: a study without known lesions.
    """
    studies = find_studies(cohort)
    for study in studies:
        require_lesions(study)
    bundles = [find_bundle(model) for model in models]
    for number, bundle in enumerate(bundles):
        reporter.stage("detect", f"{bundle.name} on {len(studies)} studies")
        for done, study in enumerate(studies):
            _detect_once(study, bundle, out, settings)
            reporter.progress(0.7 * (number + (done + 1) / len(studies)) / len(bundles))
            reporter.check_cancelled()
    rules = [
        Rule(bundle.name, scorer, bundle.thresholds["scorers"][scorer], settings.grow,
             bundle.min_volume_ml)
        for bundle in bundles for scorer in bundle.scorers
    ]  # fmt: skip
    reporter.stage("judge", f"Judging {len(rules)} maps of {len(studies)} studies")
    seen_by_all = bundles[0].name
    rules += PLAIN_THRESHOLDS
    in_lesions: list[list[Scores]] = [[] for _ in rules]
    for done, study in enumerate(studies):
        for scores, found in zip(in_lesions, _in_lesions(study, rules, out, seen_by_all)):
            scores.append(found)
        reporter.progress(0.7 + 0.1 * (done + 1) / len(studies))
        reporter.check_cancelled()
    pooled_scores = [np.concatenate(scores) for scores in in_lesions]
    curves = [thresholds_of(scores) for scores in pooled_scores]
    trials = [thresholds_to_try(scores) for scores in pooled_scores]
    lesions: list[Lesion] = []
    judged: list[list[_Judged]] = [[] for _ in rules]
    for done, study in enumerate(studies):
        of_study, by_rule = _judge(study, rules, curves, trials, out, seen_by_all)
        lesions += of_study
        for all_studies, one in zip(judged, by_rule):
            all_studies.append(one)
        reporter.progress(0.8 + 0.2 * (done + 1) / len(studies))
        reporter.check_cancelled()
    rows = [_row(*one, lesions) for one in zip(rules, curves, trials, judged)]
    out.mkdir(parents=True, exist_ok=True)
    _write(rows, out)
    write_lesions(lesions, out / "lesions.csv")
    return rows


def as_markdown(rows: Sequence[Row]) -> str:
    """The table for people."""
    lines = [
        "| model | map | best Dice of the map | AUPRC | best Dice of findings "
        "| Dice at the threshold | lesions hit | of 10 mm and SUV 4 or more "
        "| false positives a scan |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        found = row.findings
        lines.append(
            f"| {row.rule.model} | {row.rule.scorer} | {row.map.best_dice:.3f} "
            f"| {row.map.auprc:.3f} | {row.best_findings_dice:.3f} | {found.dice:.3f} "
            f"| {found.lesions_hit} of {found.lesions} | {row.clear_hit} of {row.clear} "
            f"| {found.false_positives / row.studies:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _detect_once(
    study: CohortStudy, bundle: Bundle, out: Path, settings: DetectionSettings
) -> None:
    folder = out / bundle.name / study.name
    report = folder / "report.json"
    if report.exists() and _was_made_by(report, bundle):
        return
    ct = study.ct if bundle.ct == "required" else None
    chosen: dict[str, Any] = {**asdict(settings), "model": str(bundle.path), "scorer": None}
    detect(study.pet, ct, folder, DetectionSettings(**chosen), SilentReporter())


def _was_made_by(report: Path, bundle: Bundle) -> bool:
    made_by = json.loads(report.read_text(encoding="utf-8"))["model"]["sha256"]
    return bool(made_by == bundle.sha256)


def _maps(
    study: CohortStudy, rules: Sequence[Rule], out: Path, pet: sitk.Image, seen_by_all: str
) -> Iterator[tuple[sitk.Image, sitk.Image]]:
    """For each rule its map of the study, and the mask of what the model could see of it."""
    masks: dict[str, sitk.Image] = {}
    for rule in rules:
        plain = rule.scorer == PLAIN
        model = seen_by_all if plain else rule.model
        folder = out / model / study.name
        if model not in masks:
            masks[model] = sitk.ReadImage(str(folder / "scored_mask.nii.gz"))
        score = pet if plain else sitk.ReadImage(str(folder / f"{rule.scorer}.nii.gz"))
        yield score, masks[model]


def _in_lesions(
    study: CohortStudy, rules: Sequence[Rule], out: Path, seen_by_all: str
) -> list[Scores]:
    """For each rule the scores of the lesions' voxels that its model could see."""
    pet = read_pet(study.pet)[0]
    inside = known_lesions(study, pet) > 0
    return [
        sitk.GetArrayViewFromImage(score)[inside & (sitk.GetArrayViewFromImage(mask) > 0)]
        for score, mask in _maps(study, rules, out, pet, seen_by_all)
    ]


def _judge(
    study: CohortStudy,
    rules: Sequence[Rule],
    curves: Sequence[Scores],
    trials: Sequence[Sequence[float]],
    out: Path,
    seen_by_all: str,
) -> tuple[list[Lesion], list[_Judged]]:
    """One study's lesions, and what each rule makes of it."""
    pet = read_pet(study.pet)[0]
    truth = known_lesions(study, pet)
    lesions = lesions_of(study.name, pet, truth)
    judged = []
    maps = _maps(study, rules, out, pet, seen_by_all)
    for rule, curve, trial, (score, mask) in zip(rules, curves, trials, maps):
        scored = sitk.GetArrayViewFromImage(mask) > 0
        drawn, *at_each = count_at_each(
            Delineator(score, pet, mask), truth, [rule.threshold, *trial], rule.grow,
            rule.min_volume_ml,
        )  # fmt: skip
        mark_hits(lesions, rule.name, drawn)
        voxels = count_voxels(sitk.GetArrayFromImage(score)[scored], truth[scored] > 0, curve)
        judged.append(_Judged(voxels, drawn, at_each))
    return lesions, judged


def _row(
    rule: Rule,
    curve: Scores,
    trial: Sequence[float],
    judged: Sequence[_Judged],
    lesions: Sequence[Lesion],
) -> Row:
    clear_hit, clear = clear_sensitivity(lesions, rule.name)
    return Row(
        rule=rule,
        studies=len(judged),
        map=map_quality(curve, stacked([one.voxels for one in judged])),
        findings=finding_quality([one.drawn for one in judged]),
        clear_hit=clear_hit,
        clear=clear,
        curve=operating_curve(trial, [one.at_each for one in judged]),
    )


def _write(rows: Sequence[Row], out: Path) -> None:
    (out / "evaluation.json").write_text(
        json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8"
    )
    (out / "evaluation.md").write_text(as_markdown(rows), encoding="utf-8")

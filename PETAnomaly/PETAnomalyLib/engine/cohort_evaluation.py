"""`petanomaly evaluate`: models on a cohort whose lesions are known.

Every study goes through `detect` as a user's would; what is judged are the files that it writes.
Beside the models stand plain SUV thresholds, which is what a department does today.
`OUT/<model>/<study>/` holds the detections, and is used again when the evaluation is repeated;
`OUT/evaluation.json` and `OUT/evaluation.md` hold the table, `OUT/lesions.csv` every lesion.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.bundle import Bundle, find_bundle
from PETAnomalyLib.engine.delineation import Delineator
from PETAnomalyLib.engine.detection import DetectionSettings, detect
from PETAnomalyLib.engine.errors import InputError
from PETAnomalyLib.engine.evaluation import (
    FindingQuality,
    Labels,
    MapQuality,
    OperatingPoint,
    finding_quality,
    map_quality,
    number_lesions,
    operating_curve,
)
from PETAnomalyLib.engine.events import Reporter, SilentReporter
from PETAnomalyLib.engine.lesion_mask import read_lesions
from PETAnomalyLib.engine.lesion_table import (
    Lesion,
    clear_sensitivity,
    lesions_of,
    mark_hits,
    write_lesions,
)
from PETAnomalyLib.engine.study import read_pet
from PETAnomalyLib.engine.training.cohort_layout import CohortStudy, find_studies

# Of the lesions' own voxels: the thresholds at which findings are drawn for the operating curve.
LESION_QUANTILES = np.linspace(0.05, 0.95, 13)


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
    Rule("SUV > 2.5", "SUV", 2.5, 0.0, 0.3),
    Rule("SUV > 4", "SUV", 4.0, 0.0, 0.3),
    Rule("SUV > 4, grown to 41 %", "SUV", 4.0, 0.41, 0.3),
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
class _Known:
    """A study and its true lesions."""

    study: CohortStudy
    pet: sitk.Image
    truth: Labels
    lesions: list[Lesion]


def evaluate(
    cohort: Path, models: Sequence[str], out: Path, settings: DetectionSettings, reporter: Reporter
) -> list[Row]:
    """Run every model on every study and judge its maps and findings.

    Args:
        cohort: folder or list, see training/cohort_layout.py; the lesions of all are known.
        models: names or folders of bundles.
        out: where the detections and the table go.
        settings: for `detect`; its model and scorer are set here.
        reporter: told of the progress.

    Raises:
        InputError: a study without known lesions.
    """
    known = [_known(study) for study in find_studies(cohort)]
    bundles = [find_bundle(model) for model in models]
    rows = []
    for number, bundle in enumerate(bundles):
        reporter.stage("detect", f"{bundle.name} on {len(known)} studies")
        for done, one in enumerate(known):
            _detect_once(one.study, bundle, out, settings)
            reporter.progress((number + (done + 1) / len(known)) / len(bundles))
            reporter.check_cancelled()
        for scorer in bundle.scorers:
            threshold = bundle.thresholds["scorers"][scorer]
            rule = Rule(bundle.name, scorer, threshold, settings.grow, bundle.min_volume_ml)
            folders = [out / bundle.name / one.study.name for one in known]
            maps = [sitk.ReadImage(str(folder / f"{scorer}.nii.gz")) for folder in folders]
            rows.append(_judge(rule, known, maps, _scored(folders)))
            reporter.check_cancelled()
    seen_by_all = _scored([out / bundles[0].name / one.study.name for one in known])
    for rule in PLAIN_THRESHOLDS:
        rows.append(_judge(rule, known, [one.pet for one in known], seen_by_all))
        reporter.check_cancelled()
    out.mkdir(parents=True, exist_ok=True)
    _write(rows, out)
    write_lesions([lesion for one in known for lesion in one.lesions], out / "lesions.csv")
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


def _known(study: CohortStudy) -> _Known:
    if study.lesions is None:
        raise InputError(
            f"the lesions of the study {study.name} are not known",
            "evaluate on studies whose lesions somebody has drawn (autoPET: SEG.nii.gz)",
        )
    pet = read_pet(study.pet)[0]
    truth = number_lesions(read_lesions(study.lesions, pet))
    return _Known(study, pet, truth, lesions_of(study.name, pet, truth))


def _scored(folders: Sequence[Path]) -> list[sitk.Image]:
    return [sitk.ReadImage(str(folder / "scored_mask.nii.gz")) for folder in folders]


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


def _judge(
    rule: Rule, known: Sequence[_Known], maps: Sequence[sitk.Image], masks: Sequence[sitk.Image]
) -> Row:
    drawings = [Delineator(m, one.pet, mask) for m, one, mask in zip(maps, known, masks)]

    def draw(threshold: float) -> list[Labels]:
        return [
            sitk.GetArrayFromImage(
                drawing.at(threshold, rule.grow or None, rule.min_volume_ml).labels
            )
            for drawing in drawings
        ]

    truths = [one.truth for one in known]
    inside = [sitk.GetArrayFromImage(mask) > 0 for mask in masks]
    scores = [sitk.GetArrayFromImage(m) for m in maps]
    in_lesions = np.concatenate([score[truth > 0] for score, truth in zip(scores, truths)])
    labels = draw(rule.threshold)
    for one, label in zip(known, labels):
        mark_hits(one.lesions, rule.name, one.truth, label)
    clear_hit, clear = clear_sensitivity([x for one in known for x in one.lesions], rule.name)
    thresholds = np.unique(np.quantile(in_lesions, LESION_QUANTILES)).tolist()
    return Row(
        rule=rule,
        studies=len(known),
        map=map_quality(
            [score[mask] for score, mask in zip(scores, inside)],
            [truth[mask] > 0 for truth, mask in zip(truths, inside)],
        ),
        findings=finding_quality(labels, truths),
        clear_hit=clear_hit,
        clear=clear,
        curve=operating_curve(draw, thresholds, truths),
    )


def _write(rows: Sequence[Row], out: Path) -> None:
    (out / "evaluation.json").write_text(
        json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8"
    )
    (out / "evaluation.md").write_text(as_markdown(rows), encoding="utf-8")

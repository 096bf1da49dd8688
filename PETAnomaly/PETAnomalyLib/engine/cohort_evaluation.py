"""`petanomaly evaluate`: models on a cohort whose lesions are known.

Every study goes through `detect` as a user's would; what is judged are the files that it writes.
`OUT/<model>/<study>/` holds the detections, and is used again when the evaluation is repeated;
`OUT/evaluation.json` and `OUT/evaluation.md` hold the table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.bundle import Bundle, find_bundle
from PETAnomalyLib.engine.delineation import delineate
from PETAnomalyLib.engine.detection import DetectionSettings, detect
from PETAnomalyLib.engine.errors import InputError
from PETAnomalyLib.engine.evaluation import (
    FindingQuality,
    MapQuality,
    finding_quality,
    map_quality,
)
from PETAnomalyLib.engine.events import Reporter, SilentReporter
from PETAnomalyLib.engine.training.cohort import CohortStudy, find_studies


@dataclass(frozen=True)
class Row:
    """One row of the table: one map of one model.

    Attributes:
        model, scorer: what made the map.
        studies: how many it was judged on.
        map: without a threshold of its own.
        findings: at the model's calibrated threshold, grown.
    """

    model: str
    scorer: str
    studies: int
    map: MapQuality
    findings: FindingQuality


def evaluate(
    cohort: Path, models: Sequence[str], out: Path, settings: DetectionSettings, reporter: Reporter
) -> list[Row]:
    """Run every model on every study and judge its maps and findings.

    Args:
        cohort: folder in the autoPET layout, each study with its SEG.nii.gz.
        models: names or folders of bundles.
        out: where the detections and the table go.
        settings: for `detect`; its model and scorer are set here.
        reporter: told of the progress.

    Raises:
        InputError: a study without known lesions.
    """
    studies = find_studies(cohort)
    for study in studies:
        if study.lesions is None:
            raise InputError(
                f"{study.pet.parent} has no SEG.nii.gz", "evaluation needs the true lesions"
            )
    bundles = [find_bundle(model) for model in models]
    rows = []
    for number, bundle in enumerate(bundles):
        reporter.stage("detect", f"{bundle.name} on {len(studies)} studies")
        for done, study in enumerate(studies):
            _detect_once(study, bundle, out, settings)
            reporter.progress((number + (done + 1) / len(studies)) / len(bundles))
            reporter.check_cancelled()
        rows += [_judge(studies, bundle, scorer, out, settings.grow) for scorer in bundle.scorers]
    out.mkdir(parents=True, exist_ok=True)
    _write(rows, out)
    return rows


def as_markdown(rows: Sequence[Row]) -> str:
    """The table for people."""
    lines = [
        "| model | map | best Dice | AUPRC "
        "| Dice of findings | lesions hit | false positives a scan |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        found = row.findings
        lines.append(
            f"| {row.model} | {row.scorer} | {row.map.best_dice:.3f} | {row.map.auprc:.3f} "
            f"| {found.dice:.3f} | {found.lesions_hit} of {found.lesions} "
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


def _judge(
    studies: Sequence[CohortStudy], bundle: Bundle, scorer: str, out: Path, grow: float
) -> Row:
    scores: list[npt.NDArray[np.float32]] = []
    scored_truths: list[npt.NDArray[np.bool_]] = []
    labels: list[npt.NDArray[np.integer[Any]]] = []
    truths: list[npt.NDArray[np.bool_]] = []
    for study in studies:
        folder = out / bundle.name / study.name
        score = sitk.ReadImage(str(folder / f"{scorer}.nii.gz"))
        mask = sitk.ReadImage(str(folder / "scored_mask.nii.gz"))
        truth = sitk.GetArrayFromImage(sitk.ReadImage(str(study.lesions))) > 0
        drawn = delineate(
            score,
            sitk.ReadImage(str(study.pet), sitk.sitkFloat32),
            bundle.thresholds["scorers"][scorer],
            grow=grow or None,
            min_volume_ml=bundle.min_volume_ml,
            scored_mask=mask,
        )
        scored = sitk.GetArrayViewFromImage(mask) > 0
        scores.append(sitk.GetArrayViewFromImage(score)[scored])
        scored_truths.append(truth[scored])
        labels.append(sitk.GetArrayFromImage(drawn.labels))
        truths.append(truth)
    return Row(
        bundle.name,
        scorer,
        len(studies),
        map_quality(scores, scored_truths),
        finding_quality(labels, truths),
    )


def _write(rows: Sequence[Row], out: Path) -> None:
    (out / "evaluation.json").write_text(
        json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8"
    )
    (out / "evaluation.md").write_text(as_markdown(rows), encoding="utf-8")

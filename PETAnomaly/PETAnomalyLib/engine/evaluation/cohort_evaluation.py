"""`petanomaly evaluate`: models on a cohort whose lesions are known.

Every study goes through `detect` as a user's would; what is judged are the files that it writes.
Beside the models stand plain SUV thresholds, which is what a department does today.
`OUT/<model>/<study>/` holds the detections, which are used again as long as model, settings and
study are the same; `evaluation_files.py` writes what comes out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from PETAnomalyLib.engine import families  # noqa: F401 - enters every family, in workers too
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.cohorts.kept import is_result_of
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.comparison import Comparison, Estimate, compare, measure
from PETAnomalyLib.engine.evaluation.froc import (
    OperatingPoint,
    as_voxel_counts,
    hits_at_each,
    operating_curve,
    thresholds_to_try,
)
from PETAnomalyLib.engine.evaluation.lesion_table import Lesion, by_site, by_size, clear_sensitivity
from PETAnomalyLib.engine.evaluation.metrics import (
    FindingQuality,
    MapQuality,
    VoxelCounts,
    finding_quality,
    map_quality,
    pooled,
    stacked,
    thresholds_of,
)
from PETAnomalyLib.engine.evaluation.study_judgement import (
    PLAIN,
    Detections,
    FindAnatomy,
    Judged,
    Rule,
    Trials,
    judge,
    no_anatomy,
    scores_in_lesions,
)
from PETAnomalyLib.engine.evaluation.volume_errors import VolumeErrors, volume_errors
from PETAnomalyLib.engine.families.loaded_model import model_of_process
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import QuietReporter, Reporter, SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster, for_each
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, require_ct
from PETAnomalyLib.engine.study.lesion_mask import require_lesions

PLAIN_RULES = (
    Rule("SUV > 2.5", PLAIN, 2.5, 0.0, 0.3),
    Rule("SUV > 4", PLAIN, 4.0, 0.0, 0.3),
    Rule("SUV > 4, grown to 41 %", PLAIN, 4.0, 0.41, 0.3),
)
MOST_CURVE_POINTS = 200  # of a precision-recall curve, for a picture


@dataclass(frozen=True)
class StudyRow:
    """One row of the table for one study alone.

    Attributes:
        study: its name.
        auprc, dice: of the map, and `findings_dice` of the findings, at the threshold that is best
            over all studies; None without lesions.
        lesions, lesions_hit, false_positives: of the findings at the rule's threshold.
        first_hit: number of the first finding that overlaps a lesion; 1 has the highest score of
            the study. None where none does.
        true_mtv_ml, drawn_mtv_ml, true_tlg_g, drawn_tlg_g: totals of lesions and findings.
    """

    study: str
    auprc: float | None
    dice: float | None
    findings_dice: float | None
    lesions: int
    lesions_hit: int
    false_positives: int
    first_hit: int | None
    true_mtv_ml: float
    drawn_mtv_ml: float
    true_tlg_g: float
    drawn_tlg_g: float


@dataclass(frozen=True)
class Row:
    """One row of the table: one map, and the findings drawn from it.

    Attributes:
        rule: what made map and findings.
        studies: how many it was judged on.
        map: without a threshold of its own.
        findings: at the rule's threshold.
        clear_hit, clear: hit among the lesions of 10 mm and more with SUV >= 4, and all of those.
        curve: findings at this and at other thresholds, rising.
        clear_hit_at_each: of the clear lesions, at each point of the curve.
        volumes: errors of MTV and TLG at the rule's threshold.
        by_size, by_site: hit, and all, at the rule's threshold; sites only where they are known.
        false_positive_organs: how many of the false positives lie where; phantoms only.
        precision_recall: of the map, (recall, precision).
        by_study: every study by itself.
    """

    rule: Rule
    studies: int
    map: MapQuality
    findings: FindingQuality
    clear_hit: int
    clear: int
    curve: list[OperatingPoint]
    clear_hit_at_each: list[int]
    volumes: VolumeErrors
    by_size: dict[str, tuple[int, int]]
    by_site: dict[str, tuple[int, int]]
    false_positive_organs: dict[str, int]
    precision_recall: list[tuple[float, float]]
    by_study: list[StudyRow]

    @property
    def best_findings(self) -> OperatingPoint:
        """Where the findings' Dice is best over all thresholds: paper 1's row "+ 40 %"."""
        return max(self.curve, key=lambda point: point.dice)

    @property
    def false_positives_a_scan(self) -> float:
        """At the rule's threshold."""
        return self.findings.false_positives / self.studies

    def clear_hit_within(self, false_positives_a_scan: float) -> int | None:
        """The most clear lesions hit by any threshold with no more false positives than that.

        None where no threshold that was tried has as few.
        """
        within = [
            hit
            for point, hit in zip(self.curve, self.clear_hit_at_each)
            if point.false_positives_a_scan <= false_positives_a_scan
        ]
        return max(within, default=None)


@dataclass(frozen=True)
class Evaluation:
    """All that an evaluation finds.

    Attributes:
        rows: of the table.
        estimates: AUPRC and best Dice with their intervals: of a row's map under the row's name, of
            its findings under `findings_of(name)`.
        comparisons: every two of those.
        lesions: every true lesion, with its rank in each row.
    """

    rows: list[Row]
    estimates: dict[str, dict[str, Estimate]]
    comparisons: list[Comparison]
    lesions: list[Lesion]


def findings_of(row: str) -> str:
    """The name of a row's findings, as drawn at any threshold, beside that of its map."""
    return f"{row}, findings"


def evaluate(
    studies: Sequence[CohortStudy],
    models: Sequence[str],
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter,
    workers: int | Cluster = 1,
    find_anatomy: FindAnatomy = no_anatomy,
) -> Evaluation:
    """Run every model on every study and judge its maps and findings.

    Maps are read study by study, twice: thresholds come from the lesions of all studies, and a
    cohort's maps together would not fit into memory.

    Args:
        studies: the lesions of all are known.
        models: names or folders of bundles.
        out: where the detections go.
        settings: for `detect`; its model and scorer are set here.
        reporter: told of the progress.
        workers: processes that work on one study each at the same time; 1: this one. Or a cluster.
        find_anatomy: names sites and organs, where they are known.

    Raises:
        InputError: a study without known lesions, or without the CT that one of the models needs;
            no lesion in any.
    """
    for study in studies:
        require_lesions(study)
    bundles = [find_bundle(model) for model in models]
    if any(bundle.ct == "required" for bundle in bundles):
        require_ct(studies, "choose models without CT")
    reporter.stage("detect", f"{len(bundles)} models on {len(studies)} studies")
    # In this process a study asks whether the run shall stop; in others `for_each` does.
    within = (QuietReporter(reporter),) if workers == 1 else ()
    jobs = [(study, bundle, out, settings, *within) for bundle in bundles for study in studies]
    for_each(detect_once, jobs, workers, reporter, (0.0, 0.7))
    rules = [
        Rule(bundle.name, scorer, bundle.thresholds["scorers"][scorer], settings.grow,
             bundle.min_volume_ml)
        for bundle in bundles for scorer in bundle.scorers
    ]  # fmt: skip
    rules += PLAIN_RULES
    reporter.stage("judge", f"Judging {len(rules)} ways of drawing on {len(studies)} studies")
    detections = Detections(out, bundles[0].name)
    read = [(study, rules, detections) for study in studies]
    scores = for_each(scores_in_lesions, read, workers, reporter, (0.7, 0.75))
    trials = []
    for rule, of_rule in zip(rules, zip(*scores)):
        in_lesions = np.concatenate(of_rule)
        of_voxels = thresholds_of(in_lesions)  # refuses a cohort without lesions
        to_try = sorted({rule.threshold, *thresholds_to_try(in_lesions)})
        trials.append(Trials(of_voxels, to_try))
    todo = [(study, rules, trials, detections, find_anatomy) for study in studies]
    judged = for_each(judge, todo, workers, reporter, (0.75, 0.98))
    lesions = [lesion for of_study, _ in judged for lesion in of_study]
    clear = [[lesion.is_clear for lesion in of_study] for of_study, _ in judged]
    names = [study.name for study in studies]
    rows, ways = [], {}
    for rule, trial, by_rule in zip(rules, trials, zip(*(found for _, found in judged))):
        counts = stacked([one.voxels for one in by_rule])
        drawn = as_voxel_counts([one.at_each for one in by_rule])
        on_map, on_findings = measure(counts), measure(drawn)
        ways[rule.name], ways[findings_of(rule.name)] = on_map, on_findings
        by_study = [_study_row(*one) for one in zip(
            names, by_rule, on_map.estimates["auprc"].by_study, on_map.estimates["dice"].by_study,
            on_findings.estimates["dice"].by_study)]  # fmt: skip
        rows.append(_row(rule, trial, counts, by_rule, lesions, clear, by_study))
        reporter.check_cancelled()
    reporter.progress(1.0)
    estimates = {name: way.estimates for name, way in ways.items()}
    return Evaluation(rows, estimates, compare(ways), lesions)


def require_own_names(bundles: Sequence[Bundle]) -> None:
    """Refuse models that a table could not tell apart.

    Raises:
        InputError: two have one name.
    """
    twice = [name for name, count in Counter(b.name for b in bundles).items() if count > 1]
    if twice:
        raise InputError(
            f"two of the models are named '{twice[0]}'", "rows are told apart by their names"
        )


def detect_once(
    study: CohortStudy,
    bundle: Bundle,
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter | None = None,
) -> None:
    """Run one model on one study, into `out/<model>/<study>`, unless that has been done.

    Args:
        study, bundle: which.
        out: the evaluation's folder.
        settings: for `detect`; its model and scorer are set here.
        reporter: asked whether to stop.
    """
    folder = out / bundle.name / study.name
    wanted = replace(settings, model=str(bundle.path), scorer=None)
    if _is_there(folder / "report.json", study, bundle, wanted):
        return
    ct = study.ct if bundle.ct == "required" else None
    model = model_of_process(bundle.path, bundle.sha256)
    detect(study.pet, ct, folder, wanted, reporter or SilentReporter(), model)


def _is_there(report: Path, study: CohortStudy, bundle: Bundle, wanted: DetectionSettings) -> bool:
    """Whether the same model has seen the same study with the same settings."""
    if not is_result_of(report, bundle, wanted):
        return False
    return not study.pet.is_file() or study.pet.stat().st_mtime <= report.stat().st_mtime


def _row(
    rule: Rule,
    trial: Trials,
    counts: VoxelCounts,
    judged: Sequence[Judged],
    lesions: Sequence[Lesion],
    clear: Sequence[Sequence[bool]],
    by_study: list[StudyRow],
) -> Row:
    clear_hit, clear_count = clear_sensitivity(lesions, rule.name)
    at_each = [one.at_each for one in judged]
    organs = Counter(organ for one in judged for organ in one.organs or ())
    return Row(
        rule=rule,
        studies=len(judged),
        map=map_quality(trial.voxels, counts),
        findings=finding_quality([one.drawn for one in judged]),
        clear_hit=clear_hit,
        clear=clear_count,
        curve=operating_curve(trial.findings, at_each),
        clear_hit_at_each=hits_at_each(at_each, clear),
        volumes=volume_errors([one.volumes for one in judged]),
        by_size=by_size(lesions, rule.name),
        by_site=by_site(lesions, rule.name),
        false_positive_organs=dict(organs.most_common()),
        precision_recall=_precision_recall(counts),
        by_study=by_study,
    )


def _study_row(
    study: str,
    judged: Judged,
    auprc: float | None,
    dice: float | None,
    findings_dice: float | None,
) -> StudyRow:
    drawn, volumes = judged.drawn, judged.volumes
    return StudyRow(
        study=study,
        auprc=auprc,
        dice=dice,
        findings_dice=findings_dice,
        lesions=len(drawn.ranks),
        lesions_hit=drawn.lesions_hit,
        false_positives=len(drawn.false_positives),
        first_hit=min((rank for rank in drawn.ranks if rank), default=None),
        true_mtv_ml=volumes.true.mtv_ml,
        drawn_mtv_ml=volumes.drawn.mtv_ml,
        true_tlg_g=volumes.true.tlg_g,
        drawn_tlg_g=volumes.drawn.tlg_g,
    )


def _precision_recall(counts: VoxelCounts) -> list[tuple[float, float]]:
    """A map's curve, few enough points for a picture, from high thresholds to low."""
    whole = pooled(counts)
    recall = whole.hits / whole.in_lesions
    chosen = np.unique(np.searchsorted(recall, np.linspace(0, recall[-1], MOST_CURVE_POINTS)))
    return [
        (float(recall[n]), float(whole.hits[n] / max(1, whole.taken[n])))
        for n in np.minimum(chosen, len(recall) - 1)
    ]

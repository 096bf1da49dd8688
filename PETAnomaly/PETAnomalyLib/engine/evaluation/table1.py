"""`petanomaly evaluate --table1`: paper 1's Table 1, line by line, on phantoms kept for it.

References:
    A. Patel et al., Cross Attention Transformers for Multi-modal Unsupervised Whole-Body PET
    Anomaly Detection, 2022, Table 1 (12 patients) and the P values of section 4.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.cohort_evaluation import Evaluation, Row, evaluate, findings_of
from PETAnomalyLib.engine.evaluation.comparison import Comparison, Estimate, between
from PETAnomalyLib.engine.evaluation.evaluation_figures import write_figures
from PETAnomalyLib.engine.evaluation.tables import (
    p_value,
    table,
    with_interval,
    write_evaluation,
    write_table,
)
from PETAnomalyLib.engine.phantom import write_cohort
from PETAnomalyLib.engine.phantom.truth import anatomy_of_phantom
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster, for_each
from PETAnomalyLib.engine.study.cohort_layout import find_studies

# Kept out of training, of calibration and of every decision.
SEEDS = range(1_000_001, 1_000_025)
MODELS = ("ae-dense-phantom", "pet-phantom", "petct-phantom")
FALSE_POSITIVES_A_SCAN = 3.0

AE = "AE Dense"
PET = "VQ-GAN + transformer"
CT = "+ CT"
ZSCORE = "+ CT + Z-score"
KDE = "+ CT + KDE"
GROWN = "+ CT + KDE + 40 %"
# The paper's best Dice and AUPRC.
PAPER = {
    AE: (0.195, 0.272),
    PET: (0.424, 0.301),
    CT: (0.468, 0.344),
    ZSCORE: (0.494, 0.448),
    KDE: (0.505, 0.501),
    GROWN: (0.575, 0.458),
}
PLAIN = {
    "SUV > 2.5": "SUV > 2.5 SUV",
    "SUV > 4": "SUV > 4 SUV",
    "41 % SUVmax": "SUV > 4, grown to 41 % SUV",
}
# What the paper tests, and the p that it gives.
TESTS = (
    (PET, AE, "< 0.001"),
    (CT, PET, "0.001"),
    (ZSCORE, CT, "< 0.001"),
    (KDE, ZSCORE, "0.011"),
    (KDE, CT, "not given"),
    (KDE, PET, "< 0.001"),
    (GROWN, KDE, "not given"),
)
# AUPRC, in the paper's order: each at most the next.
ORDER = (AE, PET, CT, ZSCORE, KDE)


@dataclass(frozen=True)
class Line:
    """One line of Table 1.

    Attributes:
        name: the paper's.
        dice, auprc: best Dice and area; of a plain threshold its Dice as it is.
        clear_hit: clear lesions hit by the best threshold with at most three false positives a
            scan; None where no threshold that was tried has as few.
        clear_hit_as_set, false_positives_as_set: at the calibrated, or plain, threshold.
        paper: Dice and AUPRC in the paper.
    """

    name: str
    dice: Estimate
    auprc: Estimate
    clear_hit: int | None
    clear_hit_as_set: int
    false_positives_as_set: float
    paper: tuple[float, float] | None


@dataclass(frozen=True)
class Table1:
    """The table, and what stands below it."""

    studies: int
    lesions: int
    clear: int
    models: dict[str, str]
    lines: list[Line]
    tests: list[Comparison]
    order_holds: bool


def table1(
    cohort: Path | None,
    models: Sequence[str],
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter,
    workers: int | Cluster,
) -> Table1:
    """Make the table, and write `table1.md`, `.csv` and `.json` beside the whole evaluation.

    Whatever is there already - phantoms, detections of the same models - is used again.

    Args:
        cohort: studies with known lesions; None for the 24 test phantoms, in `out`/phantoms.
        models: a dense autoencoder, a token model for PET and one for PET and CT, in any order.
        out: where everything goes.
        settings: for `detect`.
        reporter: told of the progress.
        workers: processes that work on one study each at the same time; 1: this one. Or a cluster.
    """
    ae, pet, petct = _by_role([find_bundle(model) for model in models])
    studies = find_studies(cohort or kept_phantoms(out / "phantoms", reporter, workers))
    paths = [str(bundle.path) for bundle in (petct, pet, ae)]
    found = evaluate(studies, paths, out, settings, reporter, workers, anatomy_of_phantom)
    rows = {row.rule.name: row for row in found.rows}
    ways = {
        AE: f"{ae.name} residual",
        PET: f"{pet.name} residual",
        CT: f"{petct.name} residual",
        ZSCORE: f"{petct.name} zscore",
        KDE: f"{petct.name} kde",
        GROWN: findings_of(f"{petct.name} kde"),
    }
    maps = {name: rows[way] for name, way in ways.items() if name != GROWN}
    lines = [_line(name, rows[way], way, found) for name, way in ways.items() if name != GROWN]
    lines.append(_line(GROWN, maps[KDE], ways[GROWN], found))
    lines += [_plain_line(name, rows[way], found) for name, way in PLAIN.items()]
    auprc = {line.name: line.auprc.value for line in lines}
    result = Table1(
        studies=len(studies),
        lesions=len(found.lesions),
        clear=maps[KDE].clear,
        models={bundle.name: bundle.sha256 for bundle in (ae, pet, petct)},
        lines=lines,
        tests=_tests(ways, found),
        order_holds=all(auprc[a] <= auprc[b] for a, b in pairwise(ORDER)),
    )
    _write(result, out)
    write_evaluation(found, out)
    plain = {name: rows[way] for name, way in PLAIN.items()}
    write_figures({**maps, **plain}, maps[KDE], studies, out)
    return result


def as_markdown(result: Table1) -> str:
    """The table for a README."""
    columns = [
        f"{result.studies} studies, {result.lesions} lesions", "Dice (best)", "AUPRC",
        f"clear lesions hit at {FALSE_POSITIVES_A_SCAN:g} false positives a scan or fewer",
        "as set", "paper: Dice", "paper: AUPRC",
    ]  # fmt: skip
    lines = []
    for line in result.lines:
        hit = "-" if line.clear_hit is None else f"{line.clear_hit} of {result.clear}"
        lines.append([
            line.name, with_interval(line.dice), with_interval(line.auprc), hit,
            f"{line.clear_hit_as_set} of {result.clear} at {line.false_positives_as_set:.1f}",
            *("" if line.paper is None else f"{value:.3f}" for value in line.paper or ("", "")),
        ])  # fmt: skip
    return (
        table(columns, lines)
        + "\nIn brackets: 95 % bootstrap intervals over studies. Clear: 10 mm and more with SUV 4 "
        "or more; findings of all models are drawn with growing to 40 %, at the threshold that "
        'hits most of them, and "as set" at the calibrated one, with the false positives a scan. '
        'Plain thresholds: Dice and "as set" as they are, the other columns with the threshold '
        "moved; 41 % SUVmax is grown from SUV > 4.\n\n"
        + _tests_as_markdown(result.tests)
        + "\nThe paper's order of AUPRC "
        + ("holds" if result.order_holds else "does not hold")
        + f": {' <= '.join(ORDER)}.\n"
    )


def _tests_as_markdown(tests: Sequence[Comparison]) -> str:
    lines = []
    for (first, second, paper), auprc, dice in zip(TESTS, tests[::2], tests[1::2]):
        cells = [f"{first} against {second}"]
        for test in (auprc, dice):
            interval = "" if test.low is None else f" ({test.low:+.3f} to {test.high:+.3f})"
            cells += [f"{test.difference:+.3f}{interval}", p_value(test.p)]
        lines.append([*cells, paper])
    return table(
        ["paired over studies with lesions", "AUPRC", "p", "best Dice", "p", "paper: p"], lines
    )


def _by_role(bundles: Sequence[Bundle]) -> tuple[Bundle, Bundle, Bundle]:
    """The autoencoder, the model for PET and the model for PET and CT."""
    roles: dict[str, list[Bundle]] = {AE: [], PET: [], CT: []}
    for bundle in bundles:
        tokens = PET if bundle.ct == "unused" else CT
        roles[tokens if "kde" in bundle.scorers else AE].append(bundle)
    for name, found in roles.items():
        if len(found) != 1:
            raise InputError(
                f"Table 1 needs one model for the row '{name}', and was given {len(found)}",
                "give three models: a dense autoencoder, a token model for PET alone and one for "
                "PET and CT",
            )
    return roles[AE][0], roles[PET][0], roles[CT][0]


def kept_phantoms(
    folder: Path, reporter: Reporter, workers: int | Cluster, seeds: Sequence[int] = SEEDS
) -> Path:
    """The phantoms of `seeds` in a folder, those made that are missing; returns the folder."""
    missing = [s for s in seeds if not (folder / f"phantom-{s}" / "0" / "SUV.nii.gz").exists()]
    if missing:
        reporter.stage("phantom", f"Making {len(missing)} phantoms")
        jobs = [(folder, 1, seed) for seed in missing]
        for_each(write_cohort, jobs, workers, reporter, (0.0, 0.0))
    return folder


def _line(name: str, row: Row, way: str, found: Evaluation) -> Line:
    estimates = found.estimates[way]
    return Line(
        name=name,
        dice=estimates["dice"],
        auprc=estimates["auprc"],
        clear_hit=row.clear_hit_within(FALSE_POSITIVES_A_SCAN),
        clear_hit_as_set=row.clear_hit,
        false_positives_as_set=row.false_positives_a_scan,
        paper=PAPER.get(name),
    )


def _plain_line(name: str, row: Row, found: Evaluation) -> Line:
    """A plain threshold is what it is: its Dice is not the best of others."""
    as_set = Estimate(row.findings.dice, None, None, [])
    return replace(_line(name, row, row.rule.name, found), dice=as_set)


def _tests(ways: dict[str, str], found: Evaluation) -> list[Comparison]:
    """AUPRC and Dice of each of `TESTS`, in turn."""
    return [
        between(found.comparisons, ways[first], ways[second], measure)
        for first, second, _ in TESTS
        for measure in ("auprc", "dice")
    ]


def _write(result: Table1, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "table1.md").write_text(as_markdown(result), encoding="utf-8")
    text = json.dumps(asdict(result), indent=2)
    (out / "table1.json").write_text(text + "\n", encoding="utf-8")
    columns = ["row", "dice", "dice_low", "dice_high", "auprc", "auprc_low", "auprc_high",
               "clear_hit", "clear", "clear_hit_as_set", "false_positives_as_set", "paper_dice",
               "paper_auprc"]  # fmt: skip
    lines = [
        [line.name, line.dice.value, line.dice.low, line.dice.high, line.auprc.value,
         line.auprc.low, line.auprc.high, line.clear_hit, result.clear, line.clear_hit_as_set,
         line.false_positives_as_set, *(line.paper or (None, None))]
        for line in result.lines
    ]  # fmt: skip
    write_table(out / "table1.csv", columns, lines)

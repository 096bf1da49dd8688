"""`petanomaly train`, `calibrate`, `export` and `evaluate`: from a cohort to a measured model."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.events import Reporter

if TYPE_CHECKING:
    from PETAnomalyLib.engine.commands import Subcommands

STAGES = ("vqgan", "transformer", "autoencoder")
COHORT = "DIR/<patient>/<study>/{SUV,CTres,SEG}.nii.gz, an nnU-Net folder or a CSV list"


def add_train(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `train`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "train",
        help="train one stage of a model",
        description=f"Train one stage of a model on a cohort ({COHORT}). The "
        "stages of one model write into folders that lie side by side.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("stage", choices=STAGES, metavar="|".join(STAGES))
    add("--cohort", type=arguments.path, required=True, metavar="DIR")
    add("--config", type=arguments.path, required=True, metavar="FILE", help="settings, JSON")
    add("--out", type=arguments.path, required=True, metavar="RUN", help="the stage's own folder")
    add("--minutes", type=arguments.number(0), metavar="M", help="stop after this time in all")
    add("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.set_defaults(run=run_train, cancellable=True)
    return parser


def run_train(options: argparse.Namespace, reporter: Reporter) -> None:
    """Train the stage."""
    from PETAnomalyLib.engine.training.run import train

    train(
        options.stage,
        options.cohort,
        options.config,
        options.out,
        options.minutes,
        options.resume,
        reporter,
    )


def add_calibrate(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `calibrate`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "calibrate",
        help="search a model's thresholds on validation studies",
        description="Search the resampling threshold, the minimum bandwidth, the epsilon "
        f"percentile and a threshold for each scorer on studies with known lesions ({COHORT}).",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", required=True, metavar="NAME|DIR")
    add("--cohort", type=arguments.path, required=True, metavar="DIR")
    add("--out", type=arguments.path, required=True, metavar="FILE.json")
    parser.set_defaults(run=run_calibrate, cancellable=True)
    return parser


def run_calibrate(options: argparse.Namespace, reporter: Reporter) -> None:
    """Search the thresholds."""
    from PETAnomalyLib.engine.bundle import find_bundle
    from PETAnomalyLib.engine.cohort_layout import find_studies
    from PETAnomalyLib.engine.training.calibration import calibrate

    bundle = find_bundle(options.model)
    calibrate(bundle, find_studies(options.cohort), options.out, reporter)
    reporter.log("info", f"Wrote {options.out}")


def add_export(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `export`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "export",
        help="make a bundle of finished training runs",
        description="Make a bundle: networks from the runs under --runs, thresholds from "
        "`petanomaly calibrate` where there are any yet, texts from the settings.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--config", type=arguments.path, required=True, metavar="FILE", help="settings, JSON")
    add("--runs", type=arguments.path, required=True, metavar="DIR")
    add("--calibration", type=arguments.path, metavar="FILE.json")
    add("--out", type=arguments.path, required=True, metavar="DIR", help="must not exist yet")
    parser.set_defaults(run=run_export, cancellable=False)
    return parser


def run_export(options: argparse.Namespace, reporter: Reporter) -> None:
    """Make the bundle."""
    from PETAnomalyLib.engine.training.export import export

    bundle = export(options.config, options.runs, options.out, options.calibration)
    reporter.log("info", f"Wrote {bundle.path}: {bundle.title}")


def add_evaluate(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `evaluate`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "evaluate",
        help="measure models on studies whose lesions are known",
        description="Run `detect` with each model on every study of a cohort and compare maps and "
        f"findings with the true lesions ({COHORT}). With --table1: the rows of the paper's Table "
        "1, on 24 phantoms that it makes under --out, with the models that come with this program; "
        "other studies or models where they are given. What is there already is used again.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--cohort", type=arguments.path, metavar="DIR")
    add("--model", action="append", metavar="NAME|DIR", help="may be repeated")
    add("--out", type=arguments.path, required=True, metavar="DIR")
    add("--table1", action="store_true", help="paper 1's Table 1")
    add("--processes", type=arguments.whole_number(1, 256), default=1, metavar="P",
        help="studies at the same time, about 2 GB each")  # fmt: skip
    parser.set_defaults(run=run_evaluate, cancellable=True)
    return parser


def run_evaluate(options: argparse.Namespace, reporter: Reporter) -> None:
    """Measure the models."""
    from PETAnomalyLib.engine.detection import DetectionSettings
    from PETAnomalyLib.engine.errors import InputError

    if options.table1:
        from PETAnomalyLib.engine.table1 import MODELS, as_markdown, table1

        models = options.model or MODELS
        result = table1(
            options.cohort, models, options.out, DetectionSettings(), reporter, options.processes
        )
        print(as_markdown(result), end="")
        return
    if options.cohort is None or not options.model:
        raise InputError(
            "evaluate needs a cohort and a model", "give --cohort and --model, or --table1"
        )
    from PETAnomalyLib.engine.cohort_evaluation import evaluate
    from PETAnomalyLib.engine.cohort_layout import find_studies
    from PETAnomalyLib.engine.evaluation_figures import write_figures
    from PETAnomalyLib.engine.evaluation_files import table_of, write_evaluation

    studies = find_studies(options.cohort)
    found = evaluate(
        studies, options.model, options.out, DetectionSettings(), reporter, options.processes
    )
    write_evaluation(found, options.out)
    rows = {row.rule.name: row for row in found.rows}
    write_figures(rows, found.rows[0], studies, options.out)
    print(table_of(found), end="")

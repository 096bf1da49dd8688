"""`petanomaly train`: one stage of one model, from a cohort to weights."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.events import Reporter

if TYPE_CHECKING:
    from PETAnomalyLib.engine.commands import Subcommands

STAGES = ("vqgan", "transformer", "autoencoder")


def add_train(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `train`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "train",
        help="train one stage of a model",
        description="Train one stage of a model on a cohort in the autoPET layout: "
        "DIR/<patient>/<study>/{SUV,CTres,SEG}.nii.gz. The stages of one model write into folders "
        "that lie side by side.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("stage", choices=STAGES, metavar="|".join(STAGES))
    add("--cohort", type=arguments.path, required=True, metavar="DIR")
    add("--config", type=arguments.path, required=True, metavar="FILE", help="settings, JSON")
    add("--out", type=arguments.path, required=True, metavar="RUN", help="the stage's own folder")
    add("--minutes", type=arguments.number(0), metavar="M", help="stop after this time in all")
    add("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.set_defaults(run=run, cancellable=True)
    return parser


def run(options: argparse.Namespace, reporter: Reporter) -> None:
    """Train the stage."""
    from PETAnomalyLib.engine.training.run import train

    weights = train(
        options.stage,
        options.cohort,
        options.config,
        options.out,
        options.minutes,
        options.resume,
        reporter,
    )
    reporter.log("info", f"Wrote {weights}")

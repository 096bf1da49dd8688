"""`petanomaly train`, `calibrate` and `export`: from a cohort to a model."""

from __future__ import annotations

import argparse

from PETAnomalyLib.engine.bundles.kinds import STAGES
from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import COHORT, Subcommands
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.stream_settings import (
    LARGEST_FIRST_SEED,
    MOST_SEEN,
    StreamSettings,
)


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
    stages = tuple(STAGES)
    add("stage", choices=stages, metavar="|".join(stages))
    add("--cohort", type=arguments.path, metavar="DIR",
        help="what is trained on; with --stream it may be left out")  # fmt: skip
    add("--config", type=arguments.path, required=True, metavar="FILE", help="settings, JSON")
    add("--out", type=arguments.new_path, required=True, metavar="RUN", help="the stage's folder")
    add("--minutes", type=arguments.number(0), metavar="M", help="stop after this time in all")
    add("--resume", action="store_true", help="go on from the run's last checkpoint")
    add("--stream", action="store_true",
        help="studies are made while the network is trained, and never stored: the cohort's, "
        "deformed anew each time, or without --cohort phantoms; of vqgan, transformer and "
        "autoencoder")  # fmt: skip
    add_stream(parser)
    parser.set_defaults(run=run_train, cancellable=True)
    return parser


def add_stream(parser: argparse.ArgumentParser) -> None:
    """Add what only a stream has; each is None where it is not given."""
    add = parser.add_argument_group("with --stream").add_argument
    add("--seed", type=arguments.whole_number(0, LARGEST_FIRST_SEED), metavar="S",
        help="of the first phantom, or of what is drawn (default: 0)")  # fmt: skip
    add("--healthy", action="store_true", default=None, help="phantoms without lesions")
    add("--seen", type=arguments.whole_number(1, MOST_SEEN), metavar="N",
        help="how often a network sees each study (default: 2)")  # fmt: skip
    add("--processes", type=arguments.whole_number(1, 256), metavar="P",
        help="studies that are made at the same time (default: 1)")  # fmt: skip


def stream_of(options: argparse.Namespace) -> StreamSettings | None:
    """What the options say of a stream; None: there is none.

    Raises:
        InputError: options that do not go together.
    """
    names = ("seed", "healthy", "seen", "processes")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if not options.stream:
        for name in given:
            raise InputError(f"--{name} is for --stream.", "Add --stream, or leave it out.")
        return None
    if options.cohort is not None and options.healthy:
        raise InputError(
            "--healthy is of phantoms, and --cohort of scans.", "Leave one of them out."
        )
    return StreamSettings(phantoms=options.cohort is None, **given)


def run_train(options: argparse.Namespace, reporter: Reporter) -> None:
    """Train the stage.

    Raises:
        InputError: options that do not go together, or see `train`.
    """
    stream = stream_of(options)
    if options.cohort is None and stream is None:
        raise InputError(
            "train needs studies.", "Give them with --cohort, or add --stream to make phantoms."
        )
    from PETAnomalyLib.engine.training.run import train

    train(
        options.stage,
        options.cohort,
        options.config,
        options.out,
        options.minutes,
        options.resume,
        reporter,
        stream,
    )


def add_calibrate(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `calibrate`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "calibrate",
        help="search a model's thresholds on validation studies",
        description="Search the resampling threshold, the minimum bandwidth, the epsilon "
        f"percentile and a threshold for each scorer on studies with known lesions ({COHORT}). "
        "With --familiarity: how studies of the model's own kind look to it, so that a detection "
        "can say when one does not; a run that was stopped goes on. With --regions: where the "
        "parts of the body lie in the model's frame, so that a detection can say where a finding "
        "does. With --normative: how far a model of brain MR misses healthy heads, for Z-scores "
        "and thresholds.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--model", required=True, metavar="NAME|DIR")
    add("--cohort", type=arguments.path, metavar="DIR", help="validation studies with lesions")
    add("--familiarity", type=arguments.path, metavar="DIR",
        help="studies of the model's kind that no network was trained on, best 300")  # fmt: skip
    add("--regions", type=arguments.path, metavar="DIR", help="phantoms, at least 20")
    add("--normative", type=arguments.path, metavar="DIR",
        help="healthy heads that no network was trained on, best 40; of brain MR")  # fmt: skip
    add("--out", type=arguments.new_path, required=True, metavar="FILE.json")
    parser.set_defaults(run=run_calibrate, cancellable=True)
    return parser


def run_calibrate(options: argparse.Namespace, reporter: Reporter) -> None:
    """Search the thresholds, measure familiar studies or healthy heads, make the region atlas.

    Raises:
        InputError: none of them was asked for, or the model is of another modality.
    """
    from PETAnomalyLib.engine.bundles.installed import find_bundle
    from PETAnomalyLib.engine.publishing.calibration import calibrate
    from PETAnomalyLib.engine.publishing.familiarity import calibrate_familiarity
    from PETAnomalyLib.engine.publishing.normative import calibrate_normative
    from PETAnomalyLib.engine.publishing.regions import calibrate_regions
    from PETAnomalyLib.engine.study.cohort_layout import find_studies
    from PETAnomalyLib.engine.training.head_cohort import find_heads

    bundle = find_bundle(options.model)
    of_pet = (options.cohort, options.familiarity, options.regions)
    if options.normative is None and not any(of_pet):
        raise InputError(
            "calibrate needs studies",
            "give --cohort, --familiarity or --regions, or several; of brain MR --normative",
        )
    if bundle.modality == "MR" and any(of_pet):
        raise InputError(
            f"The model '{bundle.name}' is of MR ({bundle.contrast}), and --cohort, --familiarity "
            "and --regions are of PET.",
            "Give healthy heads with --normative.",
        )
    if bundle.modality == "PT" and options.normative is not None:
        raise InputError(
            f"The model '{bundle.name}' is of PET, and --normative is of brain MR.",
            "Give studies with --cohort.",
        )
    if options.normative is not None:
        heads = find_heads(options.normative, bundle.contrast)
        calibrate_normative(bundle, heads, options.out, reporter)
    if options.cohort is not None:
        calibrate(bundle, find_studies(options.cohort), options.out, reporter)
    if options.familiarity is not None:
        calibrate_familiarity(bundle, find_studies(options.familiarity), options.out, reporter)
    if options.regions is not None:
        calibrate_regions(bundle, find_studies(options.regions), options.out, reporter)
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
    add("--out", type=arguments.new_path, required=True, metavar="DIR", help="must not exist yet")
    parser.set_defaults(run=run_export, cancellable=False)
    return parser


def run_export(options: argparse.Namespace, reporter: Reporter) -> None:
    """Make the bundle."""
    from PETAnomalyLib.engine.publishing.export import export

    bundle = export(options.config, options.runs, options.out, options.calibration)
    reporter.log("info", f"Wrote {bundle.path}: {bundle.title}")

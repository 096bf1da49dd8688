"""`petanomaly cohort check`: is a folder of scans fit for training?"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter


def add_cohort(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `cohort check`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "cohort", help="look at a cohort before training on it", allow_abbrev=False
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check: argparse.ArgumentParser = actions.add_parser(
        "check",
        help="say what is unusable, and why",
        description="Read every study of a cohort as training would, and say which cannot be used "
        "and why. A cohort is a folder in the autoPET layout "
        "(<patient>/<study>/{SUV,CTres,SEG}.nii.gz), a folder in the nnU-Net layout (imagesTr, "
        "labelsTr), or a CSV file with the columns patient, pet, ct, lesions.",
        allow_abbrev=False,
    )
    check.add_argument("cohort", type=arguments.path, metavar="DIR|FILE.csv")
    check.add_argument("--json", action="store_true", help="print what was found as JSON")
    check.set_defaults(run=run_check, cancellable=True)
    return parser


def run_check(options: argparse.Namespace, reporter: Reporter) -> None:
    """Check, and print what was found.

    Raises:
        InputError: not one study can be used.
    """
    from PETAnomalyLib.engine.study.cohort_layout import find_studies
    from PETAnomalyLib.engine.training.cohort_check import check_cohort, in_words

    checked = check_cohort(find_studies(options.cohort), reporter)
    if options.json:
        print(json.dumps([asdict(one) for one in checked], indent=2, ensure_ascii=False))
    else:
        print(in_words(checked))
    if all(one.problem for one in checked):
        raise InputError(
            f"not one study of the cohort {options.cohort} is usable", "each line says why"
        )

"""`petanomaly cohort check`: is a folder of scans fit for training?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter

if TYPE_CHECKING:
    from PETAnomalyLib.engine.training.brain_cohort_check import CheckedBrainStudy
    from PETAnomalyLib.engine.training.cohort_check import CheckedStudy
    from PETAnomalyLib.engine.training.picture_cohort_check import CheckedPicture


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
        "labelsTr), a CSV file with the columns patient, pet, ct, lesions, or a folder of brain MR "
        "as brain phantoms, BraTS, MSLUB, WMH, ATLAS, IXI, OASIS and BIDS have it, or pictures as "
        "MVTec AD has them.",
        allow_abbrev=False,
    )
    check.add_argument("cohort", type=arguments.path, metavar="DIR|FILE.csv")
    check.add_argument("--json", action="store_true", help="print what was found as JSON")
    check.set_defaults(run=run_check, cancellable=True)
    return parser


def run_check(options: argparse.Namespace, reporter: Reporter) -> None:
    """Check, and print what was found.

    Raises:
        InputError: no study, or not one that can be used.
    """
    checked, words = _checked(options.cohort, reporter)
    if options.json:
        print(json.dumps([asdict(one) for one in checked], indent=2, ensure_ascii=False))
    else:
        print(words)
    if all(one.problem for one in checked):
        raise InputError(
            f"not one study of the cohort {options.cohort} is usable", "each line says why"
        )


def _checked(
    cohort: Path, reporter: Reporter
) -> tuple[Sequence[CheckedStudy | CheckedBrainStudy | CheckedPicture], str]:
    """What was found, and in words: of PET studies, or where there are none of brain MR, or of
    pictures."""
    from PETAnomalyLib.engine.study.brain_cohort import LAYOUTS, find_brain_studies
    from PETAnomalyLib.engine.study.cohort_layout import find_studies
    from PETAnomalyLib.engine.study.picture_cohort import find_categories, is_picture_cohort
    from PETAnomalyLib.engine.training import (
        brain_cohort_check,
        cohort_check,
        picture_cohort_check,
    )

    if is_picture_cohort(cohort):
        pictures = picture_cohort_check.check_pictures(find_categories(cohort), reporter)
        return pictures, picture_cohort_check.in_words(pictures)
    try:
        studies = find_studies(cohort)
    except InputError as error:
        heads = find_brain_studies(cohort) if cohort.is_dir() else []
        if not heads:
            hint = f"{error.hint}; or a folder of brain MR ({LAYOUTS})"
            raise InputError(error.message, hint) from error
        of_heads = brain_cohort_check.check_brain_cohort(heads, reporter)
        return of_heads, brain_cohort_check.in_words(of_heads)
    checked = cohort_check.check_cohort(studies, reporter)
    return checked, cohort_check.in_words(checked)
